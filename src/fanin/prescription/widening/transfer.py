"""From a base to a wider model: the exponents of the maximal update parametrization.

Three demands fix them for a weight W of n_in terms and n_out outputs, whatever n → ∞
(Yang et al. 2022, "Tensor Programs V", appendix J.2.1; the tests derive them again):
every activation is of size 1 at the start; every activation changes by size 1 in a
step; the output does not grow.

| what W does | std | Adam | SGD |
|---|---|---|---|
| reads and writes width (hidden) | n_in^(−1/2) | 1/n_in | n_out/n_in |
| reads width (output) | 1/n_in | 1/n_in | n_out/n_in |
| writes width (input, biases, gains) | 1 | 1 | n_out |

So one formula for each optimizer does: Adam's steps have entries of size 1 whatever the
gradient, and n_in of them add up in line; SGD's have the gradient's 1/n_out besides.
Where the model multiplies by φ after the weight, std and Adam's rate are divided by φ
and SGD's by φ²: φ·W is the weight that counts.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING, Final

from fanin.prescription.write_down import WEIGHT_LAWS

if TYPE_CHECKING:
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.widening.widths import Growth

READS: Final = {"hidden": 0.5, "output": 1.0}
"""The std falls as n_in to minus this power; nothing else depends on the width."""
NAMES: Final = {
    "hidden": "reads and writes width",
    "output": "reads width",
    "input": "writes width",
    "finite": "has no side that is width",
}


def spread(growth: Growth, factor: float = 1.0) -> float:
    """Give the std over the base's.

    >>> from fanin.prescription.widening.widths import grown
    >>> spread(grown(16.0, 16.0)), spread(grown(16.0, 1.0)), spread(grown(1.0, 16.0))
    (0.25, 0.0625, 1.0)
    """
    return float(growth.n_in ** -READS.get(growth.kind, 0.0)) / factor


def adam(growth: Growth, factor: float = 1.0) -> float:
    """Give Adam's learning rate over the base's.

    >>> from fanin.prescription.widening.widths import grown
    >>> adam(grown(16.0, 16.0)), adam(grown(16.0, 1.0)), adam(grown(1.0, 16.0))
    (0.0625, 0.0625, 1.0)
    """
    return 1.0 / (growth.n_in * factor)


def sgd(growth: Growth, factor: float = 1.0) -> float:
    """Give SGD's learning rate over the base's.

    >>> from fanin.prescription.widening.widths import grown
    >>> sgd(grown(16.0, 16.0)), sgd(grown(16.0, 1.0)), sgd(grown(1.0, 16.0))
    (1.0, 0.0625, 16.0)
    """
    return growth.n_out / (growth.n_in * factor**2)


def widened(
    p: Prescription,
    before: Prescription,
    std: float,
    growth: Growth,
    factor: float = 1.0,
) -> Prescription:
    """Give a prescription the base's std, carried over, and the learning rates.

    The size of the output is carried over with it: n_in independent terms, each as
    large as in the base.

    Args:
        p: what the policy "auto" says for the model itself.
        before: what it says for the same parameter of the base.
        std: of the parameter in the base; not read where nothing is drawn.
        growth: over the base.
        factor: by which the model multiplies what the weight gives, over the base's.
    """
    rated = with_rates(p, adam(growth, factor), sgd(growth, factor))
    is_same = growth.kind == "finite" and factor == 1.0 and std == p.std
    if not is_drawn(p) or std == 0.0 or is_same:
        return rated
    wanted = std * spread(growth, factor)
    words = (
        f"It {NAMES[growth.kind]}: the base's std {std:.4g} times {wanted / std:.4g}"
    )
    if factor != 1.0:
        words += f", as the model multiplies by {factor:.4g} times as much after it"
    done = with_std(rated, wanted, f"{p.reason} {words}.")
    if p.target is None or before.target is None:
        return done
    target = before.target * spread(growth, factor) * sqrt(growth.n_in)
    return replace(done, target=target)


def is_drawn(p: Prescription) -> bool:
    """Say whether the entries are drawn from a law that has a std to be chosen."""
    return p.law in WEIGHT_LAWS and p.std > 0.0


def with_rates(p: Prescription, adam_rate: float, sgd_rate: float) -> Prescription:
    """Multiply the learning rates of a prescription."""
    return replace(
        p,
        learning_rate=p.learning_rate * adam_rate,
        learning_rate_sgd=p.learning_rate_sgd * sgd_rate,
    )


def with_std(p: Prescription, std: float, reason: str) -> Prescription:
    """Give a drawn prescription another std, and the output the size that follows."""
    ratio = std / p.std
    gain = None if p.gain is None else p.gain * ratio
    target = None if p.target is None else p.target * ratio
    return replace(
        p,
        std=std,
        gain=gain,
        target=target,
        scheme=_named(p, std, gain, ratio),
        reason=reason,
    )


def _named(p: Prescription, std: float, gain: float | None, ratio: float) -> str:
    """Give the spec under which the new std is found."""
    name, _, options = p.scheme.partition("(")
    if abs(ratio - 1.0) < 1e-9 or name == "orthogonal":
        return p.scheme
    if options.startswith("std") or gain is None:
        return f"{name}(std={std:.4g})"
    return f"{name}(gain={gain:.4g})"


def zeroed(p: Prescription, reason: str) -> Prescription:
    """Fill a weight with zeros in place of what it would be drawn from."""
    return replace(
        p,
        law="constant",
        scheme="zeros",
        std=0.0,
        value=0.0,
        gain=None,
        target=None,
        mirrored=(),
        n_blocks=1,
        parts=(),
        reason=reason,
    )
