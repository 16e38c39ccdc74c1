"""Queries and keys sized so that logits have variance 1, and what reads their values.

A logit c·Σᵤ qᵤkᵤ over d units, of independent q and k of root mean square 1, has
standard deviation c·√d: 1 with the usual c = 1/√d (Vaswani et al. 2017, section 3.2.1).
A softmax of T logits of variance s² then spreads its shares over about T/e^{s²} keys:
neither even, which gives queries and keys no gradient to speak of, nor one key alone,
which stops it. A model that does not divide (T5, GPT-Neo) would begin with s = √d:
queries and keys are drawn (c·√d)^(−1/2) as large there, both alike so that their
gradients are too. Where c·√d is below 1, as c = 1/d has it for transfer over widths,
or lengths are divided out, nothing is changed.

Values averaged over T keys have second moment q_v·(ρ + (1 − ρ)·E[Σα²]), ρ the
correlation of two positions: down to q_v·e/T. The weight behind them reads the average
and is sized for it, by theory or on the batch: left as small as that, attention would
hardly reach the stream, nor gradients attention.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.flow import SHAPING, is_affine
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.graph.roles.walks import backward
from fanin.prescription.choosing.factors import attentions
from fanin.prescription.prescription import Part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.roles import Role
    from fanin.prescription.choosing.choices import Choice

ENOUGH = 1.05
"""Logits this many times too large are worth another scale."""
MATCHED = frozenset({RoleKind.QUERY, RoleKind.KEY})


def matched_sizes(flow: Flow) -> Mapping[int, float]:
    """Give what queries and keys are to be multiplied by, by their linear node's id.

    Left out where it is 1.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.input((4, 5, 16))
    >>> q, k = (sketch.dense(x, 16, path=name) for name in "qk")
    >>> logits = sketch.add_node(
    ...     Op.CONTRACT, (q, k), shape=(4, 5, 5), details={"subscripts": "bqd,bkd->bqk"}
    ... )
    >>> shares = sketch.add_node(Op.SOFTMAX, (logits,), details={"axis": 2})
    >>> matched_sizes(Flow(sketch.graph(shares))) == {q: 0.5, k: 0.5}
    True
    """
    found: dict[int, float] = {}
    for logits in attentions(flow):
        spread = abs(logits.factor) * sqrt(logits.n_terms)
        if logits.is_bounded or spread <= ENOUGH:
            continue
        for side in flow.nodes[logits.score].inputs:
            for writer in _writers(flow, flow.nodes[side]):
                found[writer.id] = min(found.get(writer.id, 1.0), spread**-0.5)
    return found


def _writers(flow: Flow, side: Node) -> list[Node]:
    """Give the linear nodes that wrote queries or keys, if no normalization follows."""
    ways = backward(flow, side, lambda n: n.op in SHAPING or is_affine(n))
    return [way[-1] for way in ways if way[-1].op is Op.LINEAR]


def matched(choice: Choice, role: Role, size: float) -> Choice:
    """Draw queries and keys smaller, in a fused weight those alone."""
    reason = (
        f"{choice.reason} Queries and keys are {size:.4g} as large, for logits of "
        "variance 1: the model does not divide them by √d."
    )
    if role.kind in MATCHED:
        return replace(
            choice,
            std=choice.std * size,
            gain=choice.gain * size,
            target=choice.target * size,
            reason=reason,
        )
    parts = tuple(
        Part.of(piece, factor=size) for piece in role.slices if piece.kind in MATCHED
    )
    taken = sum(part.size / part.period for part in parts)
    share = sqrt(1.0 - taken * (1.0 - size**2))
    return replace(choice, parts=parts, target=choice.target * share, reason=reason)
