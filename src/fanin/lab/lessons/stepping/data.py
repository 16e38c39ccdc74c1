"""The four samples that every small net is shown, chosen so that one unit cannot do.

The target is |0.8·x₁ + 0.4·x₂|: two ReLU units give it exactly, one unit cannot, and a
constant misses it. No sum over the samples is 0 by accident, so what does not move,
does not because of its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.derivation.arithmetic import Sample
    from fanin.derivation.net import Net

INPUTS = ((1.0, 0.5), (-0.5, 1.0), (0.5, -1.0), (-2.0, -1.0))


def target_of(x1: float, x2: float) -> float:
    """Give the target, rounded as it is shown.

    >>> [target_of(*x) for x in INPUTS]
    [1.0, 0.0, 0.0, 2.0]
    """
    return round(abs(0.8 * x1 + 0.4 * x2), 6)


def batch_for(net: Net, x1: float, x2: float) -> tuple[Sample, ...]:
    """Give the samples for a net, the first one's inputs as asked.

    A net that classifies gets target 1 where the number is above ½: two of each.
    """
    rows = ((x1, x2), *INPUTS[1:])
    return tuple((row, (_fitted(net, target_of(*row)),)) for row in rows)


def _fitted(net: Net, target: float) -> float:
    return target if net.loss.output == "linear" else float(target > 0.5)
