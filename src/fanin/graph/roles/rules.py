"""The kinds of weights: one small function each, the most special first.

Each is asked about a stem: the output of a linear node, or a slice of it where the
output is cut into parts. A new role is one more function in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fanin.graph.flow import SHAPING, activation_after, is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.kinds import RoleKind
from fanin.graph.roles.lookup import lookup_kind
from fanin.graph.roles.products import gate_kind, is_down, is_router
from fanin.graph.roles.scan import leads_to
from fanin.graph.roles.walks import MOVING, backward, forward

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.roles.residual import Joint
    from fanin.graph.roles.setting import Setting

_PREPARING = frozenset({Op.ADD, Op.MULTIPLY, Op.CONCAT, Op.NORMALIZE})

Found = tuple[RoleKind, str] | None
Rule = Callable[["Setting", "Node", "Node"], Found]


def kind_of(setting: Setting, stem: Node, node: Node) -> tuple[RoleKind, str]:
    """Give the kind of a stem of a linear node, and the evidence."""
    found = (rule(setting, stem, node) for rule in RULES)
    return next(kind for kind in found if kind is not None)


def listed(kinds: set[RoleKind]) -> str:
    """Name several kinds, in the order of the alphabet.

    >>> listed({RoleKind.VALUE, RoleKind.KEY})
    'key, value'
    """
    return ", ".join(sorted(str(kind) for kind in kinds))


# The rules. stem: the node's output, or a slice of it; node: the linear node


def _lookup(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    if node.weight is None or not node.weight.roles.is_lookup:
        return None
    return lookup_kind(setting, node)


def _low_rank(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    downs, ups = setting.low_rank
    if node.id in downs:
        return RoleKind.LOW_RANK_DOWN, "first of two weights beside a third"
    if node.id in ups:
        return RoleKind.LOW_RANK_UP, "second of two weights beside a third"
    return None


def _recurrence(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    if node.weight is None:
        return None
    path = setting.flow.graph.parameter(node.weight.path).path
    if path in setting.recurrent:
        return RoleKind.RECURRENT, "reads what it gave one step earlier"
    if node.id in setting.taking_in:
        return RoleKind.INPUT_TO_HIDDEN, "added to the output of a recurrent weight"
    return None


def _attention_side(setting: Setting, stem: Node, node: Node) -> Found:
    sides = setting.attention.sides.get(node.id, [])
    cut = None if stem is node else stem.id
    kinds = list(dict.fromkeys(k for k, at in sides if cut is None or at == cut))
    if not kinds:
        return None
    if len(kinds) > 1:
        return RoleKind.QKV, f"{listed(set(kinds))} of attention at once"
    texts = {
        RoleKind.QUERY: "contracted with keys, before a softmax over them",
        RoleKind.KEY: "contracted with queries, before a softmax over its positions",
        RoleKind.VALUE: "mixed by the shares that a softmax gives",
    }
    return kinds[0], texts[kinds[0]]


def _router(setting: Setting, stem: Node, node: Node) -> Found:
    if stem is node and is_router(setting.flow, node):
        return RoleKind.ROUTER, "its output, as shares, weighs what experts give"
    return None


def _expert(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    n_experts = node.details.get("n_experts")
    if not isinstance(n_experts, int) or n_experts < 2:
        return None
    return RoleKind.EXPERT, f"{n_experts} stacked weights, chosen among by a router"


def _step_size(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    if leads_to(setting.flow, stem, setting.decays):
        return (
            RoleKind.STEP_SIZE,
            "its output, made positive, sets how far a state decays",
        )
    return None


def _attention_output(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    ways = backward(
        setting.flow,
        setting.flow.nodes[node.inputs[0]] if node.inputs else node,
        lambda n: n.op in MOVING | {Op.NORMALIZE, Op.CONCAT} or is_affine(n),
    )
    if any(way[-1].id in setting.attention.mixes for way in ways):
        text = "reads values mixed by attention"
        return RoleKind.ATTENTION_OUTPUT, _with_joint(setting, node, text)
    return None


def _down(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    if node.id not in setting.heads and is_down(setting.flow, node):
        text = "reads the product of a gate and what it gates"
        return RoleKind.DOWN, _with_joint(setting, node, text)
    return None


def _with_joint(setting: Setting, node: Node, text: str) -> str:
    joint = setting.joint_of.get(node.id)
    if joint is None or joint.shortcut is None:
        return text
    return f"{text}; {_joining(joint)}"


def _joining(joint: Joint) -> str:
    return f"node {joint.node} adds it to a stream of {joint.n_branches} branch(es)"


def _branch_end(setting: Setting, stem: Node, node: Node) -> Found:
    joint = setting.joint_of.get(node.id)
    if stem is not node or joint is None or joint.shortcut is None:
        return None
    return RoleKind.BRANCH_END, _joining(joint)


def _contracted(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    def passing(reader: Node) -> bool:
        return reader.op in SHAPING | {Op.NORMALIZE} or is_affine(reader)

    readers = [reader for _, reader in forward(setting.flow, stem, passing)]
    if any(reader.op is Op.CONTRACT for reader in readers):
        return RoleKind.CONTRACTED, "its output is contracted with another activation"
    return None


def _head(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    is_head = node.id in setting.heads
    return (RoleKind.HEAD, "writes the model's output") if is_head else None


def _gate(setting: Setting, stem: Node, node: Node) -> Found:  # noqa: ARG001
    return gate_kind(setting.flow, stem)


def reads_input(flow: Flow, node: Node) -> bool:
    """Say whether a weight reads the model's input, prepared by constants or not."""

    def passing(source: Node) -> bool:
        is_shape = source.op in SHAPING or is_affine(source)
        is_prepared = source.op in _PREPARING and len(flow.before(source)) == 1
        return is_shape or (is_prepared and not _has_parameter(flow, source))

    ways = [way for s in flow.before(node)[:1] for way in backward(flow, s, passing)]
    return bool(ways) and all(way[-1].op is Op.INPUT for way in ways)


def _has_parameter(flow: Flow, node: Node) -> bool:
    named = node.scale is not None or node.bias is not None
    return named or any(flow.nodes[i].op is Op.PARAMETER for i in node.inputs)


def _plain(setting: Setting, stem: Node, node: Node) -> Found:
    """Tell the input layer from the hidden weights."""
    if reads_input(setting.flow, node):
        return RoleKind.INPUT_LAYER, "reads the model's input"
    activation = activation_after(setting.flow, stem)
    if activation is None:
        return RoleKind.HIDDEN, "no activation follows"
    name = activation.path or f"node {activation.id}"
    return RoleKind.HIDDEN, f"its output goes through {name}"


RULES: Final[tuple[Rule, ...]] = (
    _lookup,
    _low_rank,
    _recurrence,
    _attention_side,
    _router,
    _expert,
    _step_size,
    _attention_output,
    _down,
    _branch_end,
    _contracted,
    _head,
    _gate,
    _plain,
)
