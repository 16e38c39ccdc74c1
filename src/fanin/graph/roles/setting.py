"""What is found once in a Graph before any role is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.graph.flow import SHAPING, Flow, is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.adapters import Adapter, adapters
from fanin.graph.roles.attention import Attention, attention_of
from fanin.graph.roles.cells import input_weights, last_steps
from fanin.graph.roles.recurrence import recurrent_uses
from fanin.graph.roles.residual import Joint, joints
from fanin.graph.roles.scan import decays
from fanin.graph.roles.walks import is_bounded, is_cap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Node


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that the roles are read off; ids are of nodes.

    joints: by the id of their sum; joint_of: the joint that each last weight of a
    branch, or each operand of a plain sum, goes into. shortcuts: operands that are
    streams. heads: linear nodes that write outputs. recurrent: uses of each recurrent
    weight, by path; taking_in: by the linear nodes that bring a step its input, the
    recurrent weight of the cell; steps: nodes of the last step, by recurrent weight.
    decays: products in exponents. joined: sums where a branch comes back.
    """

    flow: Flow
    joints: Mapping[int, Joint]
    joint_of: Mapping[int, Joint]
    shortcuts: Mapping[int, Joint]
    heads: frozenset[int]
    attention: Attention
    adapters: tuple[Adapter, ...]
    recurrent: Mapping[str, tuple[Node, ...]]
    taking_in: Mapping[int, str]
    steps: Mapping[str, frozenset[int]]
    decays: frozenset[int]
    joined: frozenset[int]

    @property
    def low_rank(self) -> tuple[frozenset[int], frozenset[int]]:
        """Give the first and the second weights of the adapters: ids."""
        downs = frozenset(adapter.down for adapter in self.adapters)
        return downs, frozenset(adapter.up for adapter in self.adapters)


def setting_of(graph: Graph) -> Setting:
    """Look through a Graph once."""
    flow = Flow(graph)
    sums = joints(flow)
    streams = [joint for joint in sums if joint.shortcut is not None]
    joined = frozenset(joint.node for joint in streams)
    joint_of: dict[int, Joint] = {}
    for joint in sums:
        for end in joint.ends:
            known = joint_of.get(end)
            if known is None or (known.shortcut is None and joint.shortcut is not None):
                joint_of[end] = joint
    uses = recurrent_uses(flow)
    return Setting(
        flow=flow,
        joints={joint.node: joint for joint in sums},
        joint_of=joint_of,
        shortcuts={j.shortcut: j for j in streams if j.shortcut is not None},
        heads=head_nodes(flow, sums),
        attention=attention_of(flow, joined),
        adapters=adapters(flow),
        recurrent=uses,
        taking_in=input_weights(flow, uses),
        steps=last_steps(flow, uses),
        decays=decays(flow, joined),
        joined=joined,
    )


def head_nodes(flow: Flow, sums: tuple[Joint, ...]) -> frozenset[int]:
    """Give the ids of the linear nodes that write the model's outputs.

    A bounded or affine function, a soft cap, a softmax, pooling or a plain sum may
    follow; after an unbounded activation the output is a feature and nothing is a head.
    """
    joined = {joint.node for joint in sums if joint.shortcut is not None}
    waiting = [flow.nodes[node_id] for node_id in flow.graph.outputs]
    found: set[int] = set()
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node.id in seen:
            continue
        seen.add(node.id)
        if node.op is Op.LINEAR:
            found.add(node.id)
        elif _is_read_through(node) and node.id not in joined:
            waiting += flow.before(node)
    return frozenset(found)


def _is_read_through(node: Node) -> bool:
    if node.op is Op.ELEMENTWISE:
        return is_bounded(node) or is_cap(node) or is_affine(node)
    return node.op in SHAPING | {Op.ADD, Op.CONCAT, Op.SOFTMAX}
