"""The constant numbers that a model multiplies by, around weights and in attention.

A weight W times a number φ is one weight φ·W: the two cannot be told apart by what the
model computes, so a scale may stand in either (Yang & Hu 2021, the symmetry of
abc-parametrizations). A rule for φ·W therefore needs φ, and the Graph has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.walks import MOVING, backward

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

SMALL = 1e-3
_BESIDE_LOGITS = MOVING | {Op.ADD, Op.ELEMENTWISE, Op.OPAQUE, Op.CONCAT, Op.MULTIPLY}


@dataclass(frozen=True, kw_only=True)
class Logits:
    """The scale of one attention: logits = factor · Σ over ``n_terms`` of q·k.

    path: of the module that ran it; score: id of the contraction. is_bounded: queries
    or keys are divided by their length, so that the sum does not grow with its terms.
    """

    path: str
    score: int
    factor: float
    n_terms: int
    is_bounded: bool = False


def factor_after(flow: Flow, node: Node) -> float:
    """Give the number by which a node's output is multiplied before all else.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="0")
    >>> flow = Flow(sketch.graph(sketch.apply(x, lambda x: 0.25 * x)))
    >>> factor_after(flow, flow.graph.linears[0])
    0.25
    """
    factor, current = 1.0, node
    while True:
        readers = flow.after(current.id)
        if len(readers) != 1 or not _is_passed(readers[0]):
            return factor
        current = readers[0]
        factor *= slope(current)


def factor_before(flow: Flow, node: Node) -> float:
    """Give the number by which a linear node's input was multiplied last."""
    return slope_along(_back(flow, flow.before(node)))


def _back(flow: Flow, sources: tuple[Node, ...]) -> list[Node]:
    """Give the nodes before, as far as they only move numbers or scale them."""
    way: list[Node] = []
    while len(sources) == 1 and _is_passed(sources[0]):
        way.append(sources[0])
        sources = flow.before(sources[0])
    return way


def _is_passed(node: Node) -> bool:
    return node.op in MOVING or is_affine(node)


def slope(node: Node) -> float:
    """Give what a node multiplies small numbers by: 1 where it only moves them."""
    if node.op is not Op.ELEMENTWISE or node.function is None:
        return 1.0
    known = node.details.get("factor")
    if isinstance(known, int | float):
        return float(known)
    with np.errstate(all="ignore"):
        low, high = np.asarray(node.function(np.array([-SMALL, SMALL])))
    return float((high - low) / (2.0 * SMALL))


def slope_along(nodes: Iterable[Node]) -> float:
    """Multiply the slopes of nodes on one way."""
    return prod(slope(node) for node in nodes)


def attentions(flow: Flow) -> list[Logits]:
    """Give the scale of every softmax over a contraction of two activations."""
    found = []
    for node in flow.graph.nodes:
        if node.op is Op.SOFTMAX:
            found += _logits_of(flow, node)
    return found


def _logits_of(flow: Flow, softmax: Node) -> list[Logits]:
    def passing(node: Node) -> bool:
        return node.id == softmax.id or node.op in _BESIDE_LOGITS

    found = []
    for way in backward(flow, softmax, passing):
        score = way[-1]
        sides = flow.before(score)
        n_terms = _n_terms(flow, score)
        if score.op is not Op.CONTRACT or len(sides) != 2 or n_terms is None:
            continue
        ways = [_back(flow, (side,)) for side in sides]
        ends = [
            flow.before(w[-1]) if w else (s,) for w, s in zip(ways, sides, strict=True)
        ]
        factor = slope_along((*way, *ways[0], *ways[1]))
        is_bounded = any(_is_length_one(end) for several in ends for end in several)
        found.append(
            Logits(
                path=score.path,
                score=score.id,
                factor=factor,
                n_terms=n_terms,
                is_bounded=is_bounded,
            )
        )
    return found


def _is_length_one(node: Node) -> bool:
    return node.op is Op.NORMALIZE and node.details.get("kind") == "l2"


def _n_terms(flow: Flow, score: Node) -> int | None:
    """Count the terms that a contraction sums; None where its letters are not known."""
    inputs, arrow, output = str(score.details.get("subscripts", "")).partition("->")
    terms = inputs.split(",")
    shapes = [flow.nodes[node_id].shape for node_id in score.inputs[:2]]
    if not arrow or [len(term) for term in terms] != [len(shape) for shape in shapes]:
        return None
    summed = set(terms[0]) & set(terms[1]) - set(output)
    lengths = dict(zip(terms[0], shapes[0], strict=True))
    return prod(lengths[letter] for letter in sorted(summed))
