"""How a model starts: the sizes of its sites and its first loss, in one pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph import Op
from fanin.graph.flow import Flow, is_affine
from fanin.graph.roles import Role, RoleKind, roles
from fanin.graph.roles.residual import joints
from fanin.graph.roles.walks import is_cap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph import Graph, Measurement, Node

LOW, HIGH = 0.3, 3.0
WRITING = frozenset({RoleKind.HEAD, RoleKind.TIED_EMBEDDING})
PASSED = frozenset({Op.REARRANGE, Op.SOFTMAX, Op.ADD, Op.REDUCE, Op.CONCAT})
SMALLER = frozenset(
    {
        RoleKind.HEAD,
        RoleKind.BRANCH_END,
        RoleKind.ROUTER,
        RoleKind.RECURRENT,
        RoleKind.INPUT_TO_HIDDEN,
        RoleKind.LOW_RANK_DOWN,
        RoleKind.LOW_RANK_UP,
        RoleKind.STEP_SIZE,
        RoleKind.EMBEDDING,
        RoleKind.TIED_EMBEDDING,
        RoleKind.POSITION_TABLE,
        RoleKind.POSITION_BIAS,
    }
)
"""Roles whose output is meant to be smaller than 1, or is no sum of many terms."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """How a model starts under one set of weights.

    sizes: root mean square at each site, by its name; loss: above ln K, NaN without
    logits; verdict: of ``fanin.check``.
    """

    sizes: Mapping[str, float] = field(default_factory=dict)
    loss: float = nan
    verdict: str = ""

    @property
    def n_inside(self) -> int:
        """Count the sites in [0.3, 3]."""
        return sum(LOW <= size <= HIGH for size in self.sizes.values())

    @property
    def share(self) -> str:
        """Give the share of sites in [0.3, 3] as text."""
        if not self.sizes:
            return "–"
        return f"{100 * self.n_inside / len(self.sizes):.0f} %"


def start_of(measured: Measurement, verdict: str) -> Start:
    """Read the sizes of all sites, and the first loss, off one forward pass."""
    sizes = {}
    for name, node in sites_of(measured.graph):
        site = measured.sites.get(node.id)
        if site is not None:
            sizes[name] = sqrt(site.second_moment) if site.is_finite else nan
    return Start(sizes=sizes, loss=excess_loss(measured), verdict=verdict)


def sites_of(graph: Graph) -> Iterator[tuple[str, Node]]:
    """Yield the nodes whose output should have unit scale, with a name for each."""
    flow, found = Flow(graph), roles(graph)
    streams = [joint for joint in joints(flow) if joint.shortcut is not None]
    ends = {end for joint in streams for end in joint.ends}
    sums = {
        end: joint.node
        for joint in joints(flow)
        if joint.shortcut is None
        for end in joint.ends
    }
    seen = set()
    for node in graph.linears:
        path = "" if node.weight is None else graph.parameter(node.weight.path).path
        role = found.get(path)
        if role is None or role.kind in SMALLER or node.id in ends:
            continue
        if _is_partly_kept(node, found):
            continue
        site = flow.nodes[sums.get(node.id, node.id) if role.n_summed > 1 else node.id]
        if site.id not in seen:
            seen.add(site.id)
            yield f"{path} #{node.id} ({role.kind})", site


def _is_partly_kept(node: Node, found: Mapping[str, Role]) -> bool:
    """Say whether a weight is computed from parameters that keep their values."""
    parts = node.details.get("computed_from", ())
    paths = parts if isinstance(parts, tuple) else ()
    return any(
        path in found and found[path].kind is RoleKind.WEIGHT_PART for path in paths
    )


def excess_loss(measured: Measurement) -> float:
    """Give E[cross-entropy] over labels drawn uniformly, less ln K; NaN without logits.

    Over K labels alike it is E[ln Σₖ exp zₖ − mean z] − ln K: no label is drawn, so
    that no sampling error is added.
    """
    graph = measured.graph
    logits = logits_of(graph)
    if logits is None or logits.unit_axis is None:
        return nan
    axis = logits.unit_axis
    outputs = measured.outputs
    if outputs.shape != logits.shape:
        return nan
    if logits.op is Op.SOFTMAX:
        outputs = np.log(np.maximum(outputs, np.finfo(np.float32).tiny))
    z = outputs - outputs.max(axis=axis, keepdims=True)
    losses = np.log(np.exp(z).sum(axis=axis)) - z.mean(axis=axis)
    return float(losses.mean()) - log(outputs.shape[axis])


def logits_of(graph: Graph) -> Node | None:
    """Give the first output if a head, or a softmax behind one, writes it."""
    flow, found = Flow(graph), roles(graph)
    heads = {
        node.id
        for node in graph.linears
        if node.weight is not None
        and not node.weight.roles.is_lookup
        and found[graph.parameter(node.weight.path).path].kind in WRITING
    }
    output = flow.nodes[graph.outputs[0]] if graph.outputs else None
    current = output
    while current is not None and current.id not in heads:
        is_passed = current.op in PASSED or is_affine(current) or is_cap(current)
        sources = flow.before(current)
        current = sources[0] if is_passed and sources else None
    return output if current is not None else None
