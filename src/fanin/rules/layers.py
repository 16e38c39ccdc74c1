"""Layers: a linear node together with the activation that reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.activations import identify
from fanin.graph.flow import Flow, activation_after
from fanin.graph.graph import Op
from fanin.rules.trunk import is_lookup
from fanin.rules.words import name_of

if TYPE_CHECKING:
    from fanin.activations import Activation
    from fanin.graph import Graph, Node, SiteStatistics
    from fanin.rules.inspection import Inspection


MOVED = frozenset({Op.REARRANGE})
UNBRANCHED = frozenset({Op.REARRANGE, Op.NORMALIZE, Op.NOISE, Op.REDUCE})
CACHE = "fanin.rules.layers"  # where an Inspection keeps them


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A linear node, the activation after it, and what enters that activation.

    site: statistics of the activation's input (after a normalization, if one stands
    in between). is_gate: the activation's output, moved or not, is multiplied by
    another one. shifts: paths of what is added on the way: the bias, and the shift of
    a normalization in between.
    """

    linear: Node
    activation: Activation
    site: SiteStatistics
    is_gate: bool
    shifts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Give the path by which a reader knows the layer."""
        return name_of(self.linear)

    @property
    def paths(self) -> tuple[str, ...]:
        """Give the weight's path, and those of what is added to its product."""
        weight = self.linear.weight.path if self.linear.weight else None
        return tuple(p for p in (weight, *self.shifts) if p)


def layers(inspection: Inspection) -> tuple[Layer, ...]:
    """Give every linear layer that an activation follows, each activation once.

    An activation of the model's output (a sigmoid that makes a probability) is not
    hidden and is left out. They are found once an inspection.
    """
    held = vars(inspection)
    if CACHE not in held:
        held[CACHE] = _found(inspection)
    found: tuple[Layer, ...] = held[CACHE]
    return found


def _found(inspection: Inspection) -> tuple[Layer, ...]:
    graph, sites = inspection.graph, inspection.sites
    flow = Flow(graph)
    outer = _after_the_last_weight(graph, flow)
    found: dict[int, Layer] = {}
    known: dict[int, Activation] = {}
    for node in graph.linears:
        if is_lookup(node):
            continue
        after = activation_after(flow, node)
        if after is None or after.function is None or after.id in outer:
            continue
        site = sites.get(after.inputs[0])
        if site is None:
            continue
        readers = flow.first_after(after, MOVED)
        if id(after.function) not in known:
            known[id(after.function)] = identify(after.function)
        layer = Layer(
            linear=node,
            activation=known[id(after.function)],
            site=site,
            is_gate=any(reader.op is Op.MULTIPLY for reader in readers),
            shifts=_shifts(flow, node, after),
        )
        # Of several layers summed before one activation the last stands for all.
        found[after.id] = layer
    return tuple(found.values())


def _shifts(flow: Flow, linear: Node, activation: Node) -> tuple[str, ...]:
    """Give the biases between a weight's product and the activation, first to last."""
    node, found = flow.nodes[activation.inputs[0]], []
    while node.op in UNBRANCHED or node.id == linear.id:
        found.append(node.bias)
        if node.id == linear.id:
            break
        node = flow.nodes[node.inputs[0]]
    else:
        found = [linear.bias]  # a sum stands in between: only the layer's own is its
    return tuple(path for path in reversed(found) if path is not None)


def _after_the_last_weight(graph: Graph, flow: Flow) -> set[int]:
    """Give the nodes between the last linear nodes and the outputs."""
    found: set[int] = set()
    waiting = list(graph.outputs)
    while waiting:
        node = flow.nodes[waiting.pop()]
        if node.op is Op.LINEAR or node.id in found:
            continue
        found.add(node.id)
        waiting += node.inputs
    return found
