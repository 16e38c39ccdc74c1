"""State-space models: decay inside an exponential, step sizes, and skips.

h' = exp(Δ·A)·h + Δ·B·x, y = C·h + D·x (Gu & Dao 2023, arXiv 2312.00752, section 2), and
decays that are added in an exponent (Peng et al. 2023, arXiv 2305.13048, eq. 16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.walks import (
    MOVING,
    backward,
    forward,
    is_exponential,
)

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

# A sequence that is cut into chunks is padded first: a CONCAT of zeros.
_TO_EXPONENT = MOVING | {Op.OPAQUE, Op.REDUCE, Op.MULTIPLY, Op.ADD, Op.CONCAT}


def decays(flow: Flow, joined: frozenset[int] = frozenset()) -> frozenset[int]:
    """Give the products of a parameter and a positive activation that go into exp: ids.

    ``joined``: ids of the sums of residual streams, which walks do not cross.

    >>> import numpy as np
    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> dt = sketch.apply(sketch.input((4, 3)), lambda x: np.logaddexp(x, 0.0))
    >>> product = sketch.combine(Op.MULTIPLY, dt, sketch.parameter("A", (3,)))
    >>> graph = sketch.graph(sketch.apply(product, np.exp))
    >>> decays(Flow(graph)) == {product}
    True
    """
    products = (n for n in flow.graph.nodes if n.op is Op.MULTIPLY)
    return frozenset(n.id for n in products if _is_decay(flow, n, joined))


def _is_decay(flow: Flow, node: Node, joined: frozenset[int]) -> bool:
    factors = flow.before(node)
    has_parameter = node.scale is not None or any(
        _is_parameter(flow, flow.nodes[i]) for i in node.inputs
    )
    if not has_parameter or len(factors) > 2:
        return False
    if not any(_is_positive(flow, factor) for factor in factors):
        return False
    return reaches_exponential(flow, node, joined)


def reaches_exponential(flow: Flow, node: Node, joined: frozenset[int]) -> bool:
    """Say whether a tensor, moved or summed, is the exponent of an exponential."""

    def passing(reader: Node) -> bool:
        is_within = reader.id not in joined
        return is_within and (reader.op in _TO_EXPONENT or is_affine(reader))

    return any(is_exponential(reader) for _, reader in forward(flow, node, passing))


def _is_parameter(flow: Flow, node: Node) -> bool:
    current = node
    while current.op in MOVING | {Op.ELEMENTWISE} and current.inputs:
        current = flow.nodes[current.inputs[0]]
    return current.op is Op.PARAMETER


def _is_positive(flow: Flow, node: Node) -> bool:
    """Say whether an activation is above 0 everywhere, as a softplus is."""
    for way in backward(flow, node, lambda n: n.op in MOVING):
        function = way[-1].function
        if way[-1].op is Op.ELEMENTWISE and function is not None:
            with np.errstate(all="ignore"):
                y = np.asarray(function(np.linspace(-20.0, 20.0, 41)))
            return bool(np.all(y >= 0.0) and y[-1] > y[0])
    return False


def leads_to(flow: Flow, stem: Node, targets: frozenset[int]) -> bool:
    """Say whether a tensor, made positive, is a factor of one of these products."""

    def passing(node: Node) -> bool:
        is_shift = node.op is Op.ADD and len(flow.before(node)) <= 1
        return node.op in MOVING | {Op.ELEMENTWISE} or is_shift

    if not targets:
        return False
    return any(
        reader.id in targets and last.id != stem.id
        for last, reader in forward(flow, stem, passing)
    )
