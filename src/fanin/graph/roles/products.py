"""Products of activations: gates, what they gate, what reads the product; routers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.kinds import RoleKind
from fanin.graph.roles.walks import (
    MOVING,
    backward,
    forward,
    is_full,
    is_product,
    is_scaling,
)

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

_TO_PRODUCT = MOVING | {Op.REDUCE, Op.ELEMENTWISE}
_TO_CHOICE = MOVING | {Op.ELEMENTWISE, Op.NORMALIZE}
_TO_EXPERTS = _TO_CHOICE | {Op.SOFTMAX, Op.OPAQUE, Op.REDUCE, Op.CONCAT}


def gate_kind(flow: Flow, stem: Node) -> tuple[RoleKind, str] | None:
    """Say what a weight's output (or a part of it) is to a product that it goes into.

    ``up``: multiplied as it is by an activation. ``gate``: an activation of it is
    multiplied, or it is spread over what it multiplies, or both factors are plain.
    None where something smaller is spread over it: it is gated, as any hidden value.
    """

    def passing(node: Node) -> bool:
        return node.op in _TO_PRODUCT or is_scaling(flow, node)

    for last, product in forward(flow, stem, passing):
        if not is_product(flow, product):
            continue
        others = [n for n in flow.before(product) if n.id != last.id]
        is_whole = is_full(product, last)
        if is_whole and not all(is_full(product, other) for other in others):
            continue
        is_raw = not _is_activated(flow, last)
        if is_raw and any(_is_activated(flow, other) for other in others):
            return RoleKind.UP, f"node {product.id} multiplies it by a gate"
        return RoleKind.GATE, "its output is multiplied by another activation"
    return None


def _is_activated(flow: Flow, node: Node) -> bool:
    """Say whether a tensor is an activation, seen through reshaping and scaling."""
    ways = backward(flow, node, lambda n: n.op in MOVING or is_affine(n))
    return any(way[-1].op is Op.ELEMENTWISE for way in ways)


def is_down(flow: Flow, linear: Node) -> bool:
    """Say whether a linear node reads an activation times a weight's plain output.

    Those are the gated units of Dauphin et al. 2017 and Shazeer 2020 (GLU, SwiGLU).
    """
    origin = flow.origin(linear)
    if origin is None or not is_product(flow, origin):
        return False
    operands = flow.before(origin)
    if len(operands) != 2 or not all(is_full(origin, n) for n in operands):
        return False
    plain = [n for n in operands if not _is_activated(flow, n)]
    return len(plain) == 1 and _is_written(flow, plain[0])


def _is_written(flow: Flow, node: Node) -> bool:
    """Say whether a linear node wrote a tensor, or what does the work of one."""
    ways = backward(flow, node, lambda n: n.op in MOVING or is_affine(n))
    return any(way[-1].op in {Op.LINEAR, Op.OPAQUE} for way in ways)


def is_router(flow: Flow, linear: Node) -> bool:
    """Say whether a weight's output becomes shares, one of which weighs all units.

    A softmax over its units, or a choice among them (top-k), follows, and what comes
    out is spread over the units of another activation.
    """
    if linear.unit_axis is None or linear.shape[linear.unit_axis] < 2:
        return False
    choices = (n for _, n in forward(flow, linear, lambda n: _is_logit(flow, n)))
    return any(
        is_product(flow, product) and not is_full(product, last)
        for choice in choices
        if choice.op is Op.OPAQUE or _is_over_units(choice)
        for last, product in forward(flow, choice, lambda n: _is_share(flow, n))
    )


def _is_logit(flow: Flow, node: Node) -> bool:
    is_shifted = node.op is Op.ADD and len(flow.before(node)) == 1
    return is_shifted or node.op in _TO_CHOICE or is_scaling(flow, node)


def _is_share(flow: Flow, node: Node) -> bool:
    return node.op in _TO_EXPERTS or _is_logit(flow, node)


def _is_over_units(node: Node) -> bool:
    if node.op is not Op.SOFTMAX or node.unit_axis is None:
        return False
    axis = node.details.get("axis", -1)
    return isinstance(axis, int) and axis % len(node.shape) == node.unit_axis
