"""Where a model as a whole was built: in a factory, or in the caller's code."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fanin.places.scope import Scope, Site
from fanin.places.source import Function, globals_of, is_installed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from fanin.places.source import Sources

DEEPEST: Final = 6


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A function that returns the model, or a place where a name holds it.

    function: of the user, or None. file, line, names: of a frame that was running.
    """

    function: object = None
    file: str = ""
    line: int = 0
    names: Mapping[str, Any] | None = None


def callers(package: str = "fanin") -> tuple[Origin, ...]:
    """Give the frames that called this package, the nearest first."""
    frame = inspect.currentframe()
    found: list[Origin] = []
    while frame is not None and len(found) < DEEPEST:
        name = str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] != package:
            found.append(_of_frame(frame))
        frame = frame.f_back
    return tuple(found)


def origin_of(
    model: object, origins: Sequence[Origin], sources: Sources
) -> Site | None:
    """Give the expression that built the model, as far as code shows it."""
    key = (id(model), *map(id, origins))
    if key not in sources.built:
        sources.built[key] = _origin_of(model, origins, sources)
    found: Site | None = sources.built[key]
    return found


def _origin_of(
    model: object, origins: Sequence[Origin], sources: Sources
) -> Site | None:
    for origin in origins:
        if origin.function is not None:
            sites = [_returned_by(f, sources) for f in _written_in(origin.function)]
        else:
            sites = [_named_in(origin, model, sources)]
        for site in sites:
            if site is not None:
                return site
    return _in_a_module(model, sources)


def _of_frame(frame: FrameType) -> Origin:
    return Origin(
        file=frame.f_code.co_filename,
        line=frame.f_lineno,
        names={**frame.f_globals, **frame.f_locals},
    )


def _written_in(function: object) -> list[object]:
    """Give the functions of a user's in a partial: it, or one that it hands on."""
    inside = [function]
    if isinstance(function, partial):
        inside = [function.func, *function.args]
    names = ((f, str(globals_of(f).get("__name__", ""))) for f in inside)
    return [f for f, name in names if name and name.partition(".")[0] != "fanin"]


def _in_a_module(model: object, sources: Sources) -> Site | None:
    """Find a module of the user's that holds the model under a name."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__dict__", {}).get("__file__")
        if not isinstance(path, str) or is_installed(path):
            continue
        if any(value is model for value in vars(module).values()):
            n_lines = 10**9  # after all that is assigned
            origin = Origin(file=path, line=n_lines, names=vars(module))
            return _named_in(origin, model, sources)
    return None


def _returned_by(function: object, sources: Sources) -> Site | None:
    place = sources.function(function)
    if place is None:
        return None
    file, node = place
    scope = Scope(file=file, function=node, names=globals_of(function))
    values = [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Return) and each.value is not None
    ]
    return Site(expression=values[-1], scope=scope) if values else None


def _named_in(origin: Origin, model: object, sources: Sources) -> Site | None:
    """Give what was assigned to a name that holds the model in a running frame."""
    names = origin.names or {}
    held = [name for name, value in names.items() if value is model]
    file = sources.file(origin.file)
    if file is None or not held:
        return None
    around = [
        node
        for node in ast.walk(file.tree)
        if isinstance(node, Function)
        and node.lineno <= origin.line <= (node.end_lineno or node.lineno)
    ]
    function = around[-1] if around else None
    scope = Scope(file=file, function=function, names=names)
    for node in ast.walk(scope.body):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id in held
            for target in node.targets
        ):
            return Site(expression=node.value, scope=scope)
    return None
