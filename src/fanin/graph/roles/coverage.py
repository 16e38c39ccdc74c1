"""How much of a model fanin understands: the share of parameters of a known role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.graph.roles.find import roles
from fanin.graph.roles.kinds import RoleKind

if TYPE_CHECKING:
    from fanin.graph.graph import Graph


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Shares of parameters whose role is known, from 0 to 1.

    by_count: of the parameters; by_size: of the numbers that they hold. unread: paths
    of parameters that nothing read in this run, which count as known; unknown: paths
    of those that are read in a way that fanin does not understand.
    """

    by_count: float
    by_size: float
    unread: tuple[str, ...]
    unknown: tuple[str, ...]


def coverage(graph: Graph) -> Coverage:
    """Count the parameters of a Graph by whether their role is known.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> spare = sketch.hold("spare", (3,))
    >>> graph = sketch.graph(sketch.dense(sketch.input((4, 2)), 3, path="0"))
    >>> coverage(graph).by_size, coverage(graph).unread
    (1.0, ('spare',))
    """
    found = roles(graph)
    parameters = graph.parameters
    known = [p for p in parameters if found[p.path].is_known]
    size = sum(p.size for p in parameters)
    return Coverage(
        by_count=len(known) / len(parameters) if parameters else 1.0,
        by_size=sum(p.size for p in known) / size if size else 1.0,
        unread=tuple(
            p.path for p in parameters if found[p.path].kind is RoleKind.UNREAD
        ),
        unknown=tuple(p.path for p in parameters if not found[p.path].is_known),
    )
