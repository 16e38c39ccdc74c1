"""What a caller wants of single parameters: patterns read, and contradictions named.

Of two patterns that fit one parameter, the more specific one decides: an exact path
beats a glob, and of two globs the one that fits a proper subset of the other's
parameters in this model ("blocks.0.*" beats "*"). Where neither is more specific and
they want different things, nothing is decided and nothing written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

from fanin.errors import ArgumentError, ContradictionError, UnknownParameterError
from fanin.prescription.arguments import require_patterns
from fanin.prescription.prescription import KEEP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph
    from fanin.prescription.arguments import Patterns

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Wish(Generic[Value]):
    """What a pattern wants of the parameters that it fits.

    is_exact: the pattern is a path or an alias, not a glob. paths: that it fits.
    """

    pattern: str
    value: Value
    is_exact: bool
    paths: frozenset[str]

    def beats(self, other: Wish[Value]) -> bool:
        """Say whether this wish is the more specific one."""
        if self.is_exact != other.is_exact:
            return self.is_exact
        return self.paths < other.paths


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a caller wants of single parameters, by path.

    left: reasons of those that are to be left alone. specs: a scheme, and the pattern
    that asked for it. seeds: of single parameters.
    """

    left: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    specs: Mapping[str, Wish[str]] = field(default_factory=lambda: MappingProxyType({}))
    seeds: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def wishes_of(
    graph: Graph,
    *,
    overrides: Mapping[str, str],
    seeds: Mapping[str, int],
    only: Patterns | None,
    skip: Patterns | None,
) -> Wishes:
    """Read the patterns, and see that what they want can all be met.

    A glob leaves frozen parameters alone; an exact path reaches them.

    Raises:
        UnknownParameterError: if a pattern fits no parameter.
        ContradictionError: if one parameter is wanted in two ways, or in a way although
            it is to be left alone.
        ArgumentError: if ``only`` and ``skip`` leave no parameter over.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> graph = sketch.graph(sketch.dense(sketch.input((8, 4)), 2, path="head"))
    >>> wanted = {"*": "zeros", "*.bias": "ones"}
    >>> found = wishes_of(graph, overrides=wanted, seeds={}, only=None, skip=None)
    >>> {path: wish.value for path, wish in found.specs.items()}
    {'head.weight': 'zeros', 'head.bias': 'ones'}
    """
    left = _left(graph, only=only, skip=skip)
    specs, clashes = _settled(_read(graph, overrides), graph)
    numbers, more = _settled(_read(graph, seeds), graph)
    clashes += more
    for path, wish in specs.items():
        if path in left and wish.value != KEEP:
            clashes.append(
                f"{path!r} is asked to be {wish.value!r} by {wish.pattern!r}, and to "
                f"be left alone ({left[path].removesuffix('.')})."
            )
    if clashes:
        raise ContradictionError.of(clashes)
    if not any(p.is_trainable and p.path not in left for p in graph.parameters):
        expected = "patterns that leave a trainable parameter over"
        received = {"only": only, "skip": skip}
        raise ArgumentError.of(
            argument="only, skip", received=received, expected=expected
        )
    return Wishes(
        left=left,
        specs=specs,
        seeds={path: wish.value for path, wish in numbers.items()},
    )


def _left(
    graph: Graph, *, only: Patterns | None, skip: Patterns | None
) -> dict[str, str]:
    """Give the parameters to be left alone, with the reason."""
    wanted = None if only is None else _fitting_any(graph, only)
    skipped = frozenset() if skip is None else _fitting_any(graph, skip)
    found = {}
    for parameter in graph.parameters:
        if wanted is not None and parameter.path not in wanted:
            found[parameter.path] = "Left alone: not among those asked for by 'only'."
        elif parameter.path in skipped:
            found[parameter.path] = "Left alone: 'skip' names it."
    return found


def _fitting_any(graph: Graph, patterns: Patterns) -> frozenset[str]:
    listed = require_patterns(patterns)
    wishes = _read(graph, dict.fromkeys(listed, True))
    return frozenset(path for wish in wishes for path in wish.paths)


def _read(graph: Graph, wanted: Mapping[str, Value]) -> list[Wish[Value]]:
    """Find the parameters that each pattern fits, tied ones by any of their names."""
    wishes = []
    for pattern, value in wanted.items():
        names = {p.path: (p.path, *p.aliases) for p in graph.parameters}
        exact = [path for path, known in names.items() if pattern in known]
        fitting = exact or [
            path
            for path, known in names.items()
            if any(fnmatchcase(name, pattern) for name in known)
        ]
        if not fitting:
            raise UnknownParameterError.of(pattern, names)
        wishes.append(
            Wish(
                pattern=pattern,
                value=value,
                is_exact=bool(exact),
                paths=frozenset(fitting),
            )
        )
    return wishes


def _settled(
    wishes: list[Wish[Value]], graph: Graph
) -> tuple[dict[str, Wish[Value]], list[str]]:
    """Give the wish that decides for each parameter, and where none of two can."""
    settled: dict[str, Wish[Value]] = {}
    clashes: list[str] = []
    for parameter in graph.parameters:
        fitting = [
            wish
            for wish in wishes
            if parameter.path in wish.paths
            and (wish.is_exact or parameter.is_trainable)
        ]
        best = [w for w in fitting if not any(other.beats(w) for other in fitting)]
        if len({wish.value for wish in best}) > 1:
            said = " and ".join(f"{w.value!r} by {w.pattern!r}" for w in best)
            clashes.append(f"{parameter.path!r} is asked to be {said}.")
        elif best:
            settled[parameter.path] = best[0]
    return settled, clashes
