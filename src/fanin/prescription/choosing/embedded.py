"""How large the rows of tables and tokens are, and the stream that begins with them.

What is added up has its share of the sum, 1/√k of k; what is joined to a sequence is as
large as the rest of it; a factor behind a table (Gemma's √width) divides its rows.

A table that is the head too is smaller: its logits have root mean square 0.2 or less
(``tied_logits.py``). All else that meets such a table in a sum, and the ends of the
branches of its stream, are scaled with it: the normalized stream does not feel it, and
no branch drowns the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.graph.roles.residual import joints
from fanin.graph.roles.walks import MOVING
from fanin.graph.unit_spaces import parameter_path
from fanin.prescription.choosing.tied_logits import (
    LARGEST_EXCESS,
    factor_around_head,
    factor_of,
    is_constant_factor,
    tied_rms,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.roles import Role
    from fanin.graph.roles.residual import Joint

ROWS = frozenset(
    {
        RoleKind.EMBEDDING,
        RoleKind.TIED_EMBEDDING,
        RoleKind.POSITION_TABLE,
        RoleKind.TABLE,
        RoleKind.CLASS_VECTOR,
        RoleKind.MASK_VECTOR,
    }
)
"""Roles of parameters that stand where activations do."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The size of one table's or token's entries, and why.

    std: of an entry. logits: root mean square of the logits that a tied table gives;
    None for any other.
    """

    std: float
    reason: str
    logits: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What tables and tokens get, by path, and how large streams are.

    streams: root mean square at the beginning of the stream of each sum where a branch
    comes back, by the sum's id; left out where it is 1.
    """

    rows: Mapping[str, Rows]
    streams: Mapping[int, float]


def rooms_of(flow: Flow, roles: Mapping[str, Role]) -> Rooms:
    """Decide the size of every table and token, and of the streams they begin.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> rooms_of(Flow(Sketch().graph(Sketch().input((2, 3)))), {}).rows
    {}
    """
    streams = [joint for joint in joints(flow) if joint.shortcut is not None]
    sums = {joint.node for joint in streams}
    n_branches = {joint.shortcut: joint.n_branches for joint in streams}
    found: dict[str, Rows] = {}
    tops: dict[int, float] = {}
    for top in dict.fromkeys(_top(flow, node, sums) for node in _held(flow, roles)):
        shares = dict(_shares(flow, flow.nodes[top], 1.0, sums, roles))
        tied = _tied(flow, roles, shares, n_branches.get(top, 0))
        factor = min((r.std / shares[path] for path, r in tied.items()), default=1.0)
        tops[top] = factor
        for path, share in shares.items():
            rows = tied.get(path) or _plain(share * factor, is_tied=bool(tied))
            if path not in found or rows.std < found[path].std:
                found[path] = rows
    return Rooms(rows=found, streams=_streams(streams, tops))


def _held(flow: Flow, roles: Mapping[str, Role]) -> Iterator[int]:
    """Yield the nodes that bring rows of a table, or a token, in."""
    for node in flow.graph.nodes:
        path = _path_of(flow, node)
        role = None if path is None else roles.get(path)
        if role is not None and role.kind in ROWS:
            yield node.id


def _path_of(flow: Flow, node: Node) -> str | None:
    """Give the parameter whose rows a node looks up, or which it is."""
    if node.op is Op.PARAMETER:
        return parameter_path(flow.graph, node)
    if node.op is Op.LINEAR and node.weight and node.weight.roles.is_lookup:
        return flow.graph.parameter(node.weight.path).path
    return None


def _top(flow: Flow, start: int, sums: set[int]) -> int:
    """Climb through plain sums, joins and factors to what they come to."""
    current = start
    while True:
        readers = [n for n in flow.after(current) if _is_climbed(flow, n, sums)]
        if len(readers) != 1 or len(flow.after(current)) > 1:
            return current
        current = readers[0].id


def _is_climbed(flow: Flow, node: Node, sums: set[int]) -> bool:
    is_sum = node.op is Op.ADD and node.id not in sums
    is_join = node.op is Op.CONCAT and node.details.get("axis") != node.unit_axis
    is_moved = node.op in MOVING or is_affine(node)
    return is_sum or is_join or is_moved or is_constant_factor(flow, node)


def _shares(
    flow: Flow, node: Node, size: float, sums: set[int], roles: Mapping[str, Role]
) -> Iterator[tuple[str, float]]:
    """Yield what each table behind a tensor of that size should have: path, std."""
    path = _path_of(flow, node)
    if path is not None:
        if path in roles and roles[path].kind in ROWS:
            yield path, size
        return
    if not _is_climbed(flow, node, sums):
        return
    below = [flow.nodes[i] for i in node.inputs]
    below = [source for source in below if source.op is not Op.CONSTANT]
    if node.op is Op.ADD:
        below = list(_summands(flow, node, sums))
        n_terms = sum(not _is_in_place(flow, source, roles) for source in below)
        size /= sqrt(max(n_terms, 1))
    else:
        size /= factor_of(flow, node)
    for source in below:
        yield from _shares(flow, source, size, sums, roles)


def _summands(flow: Flow, node: Node, sums: set[int]) -> Iterator[Node]:
    """Yield what a sum adds up, plain sums within it taken apart."""
    for source in (flow.nodes[i] for i in node.inputs):
        if source.op is Op.ADD and source.id not in sums:
            yield from _summands(flow, source, sums)
        elif source.op is not Op.CONSTANT:
            yield source


def _is_in_place(flow: Flow, node: Node, roles: Mapping[str, Role]) -> bool:
    """Say whether a summand only stands where a mask has taken another out."""
    current = node
    while _path_of(flow, current) is None:
        sources = [flow.nodes[i] for i in current.inputs]
        sources = [source for source in sources if source.op is not Op.CONSTANT]
        if len(sources) != 1:
            return False
        current = sources[0]
    role = roles.get(_path_of(flow, current) or "")
    return role is not None and role.kind is RoleKind.MASK_VECTOR


def _tied(
    flow: Flow, roles: Mapping[str, Role], shares: Mapping[str, float], n_branches: int
) -> dict[str, Rows]:
    """Decide the tables that are the head too, before a stream of so many branches."""
    growth = (1 + 1 / n_branches) ** n_branches if n_branches else 1.0
    found = {}
    for path, share in shares.items():
        if roles[path].kind is not RoleKind.TIED_EMBEDDING:
            continue
        node = next(n for n in flow.graph.linears if _path_of(flow, n) == path)
        n_units = 1.0 if node.weight is None else node.weight.fan.n_out
        n_rows = flow.graph.parameter(path).size / n_units
        a = tied_rms(n_units, n_rows, min(share, 1.0) / sqrt(growth))
        std = a / (sqrt(n_units) * factor_around_head(flow, path))
        reason = (
            f"Embedding that is the head too: logits of a normalized input have rms "
            f"{a:.3g}, so that the first loss is ln {n_rows:.0f} + {LARGEST_EXCESS} at "
            "most. What is added to it is as small."
        )
        if std < share:
            found[path] = Rows(std=std, reason=reason, logits=a)
    return found


def _plain(std: float, *, is_tied: bool) -> Rows:
    """Say what a table gets that is no head."""
    if is_tied:
        reason = "Added to a table that is the head too: as small as its share."
    elif std == 1.0:
        reason = "Stands where activations do: an entry is as large as one of those."
    else:
        reason = f"As large as its share of what it is added to: {std:.4g}."
    return Rows(std=std, reason=reason)


def _streams(streams: Iterable[Joint], tops: Mapping[int, float]) -> dict[int, float]:
    """Give the sizes of the streams that begin where tables come to, if not 1."""
    begun: dict[int, float] = {}
    found: dict[int, float] = {}
    for joint in streams:
        if joint.shortcut is not None and joint.shortcut in tops:
            begun.setdefault(joint.stream, tops[joint.shortcut])
        size = begun.get(joint.stream, 1.0)
        if size != 1.0:
            found[joint.node] = size
    return found
