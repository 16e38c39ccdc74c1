"""The lines of a class that give its objects an attribute."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fanin.places.scope import Scope, Site, call_of
from fanin.places.slots import Reading, added, pattern
from fanin.places.source import Function, is_framework, module_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fanin.places.slots import Slot
    from fanin.places.source import Sources

BUILDERS: Final = ("__init__", "setup", "build", "__post_init__")
"""Methods that build, most likely first."""

NAMED: Final = ("add_module", "register_module", "register_parameter", "setattr")
"""Calls that give an attribute by name: f(name, value), setattr(self, name, value)."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """An expression that is given to an attribute, and how surely it is that one."""

    site: Site
    is_certain: bool
    method: str


def attribute(kind: type, name: str, child: object, sources: Sources) -> Site | None:
    """Find the expression that an object's attribute was built by.

    Args:
        kind: the object's class; what it inherits is searched after it.
        name: of the attribute.
        child: the live value: where several lines give the attribute one, the line that
            names its class is taken.
        sources: the files of this search.
    """
    found = [
        given
        for given in _given(kind, name, sources)
        if not _is_nothing(given.site)
        and (given.is_certain or not given.site.scope.file.is_library)
    ]
    if not found:
        return None

    def rank(given: Given) -> tuple[bool, bool, bool]:
        makes = call_of(type(child), given.site) is not None
        return (not given.is_certain, not makes, given.method not in BUILDERS)

    return min(found, key=rank).site


def put_into(kind: type, name: str, sources: Sources) -> list[Slot]:
    """Give what the methods of a class put into a container that is an attribute."""
    if (kind, name) not in sources.filled:
        sources.filled[kind, name] = tuple(_put_into(kind, name, sources))
    return list(sources.filled[kind, name])


def _put_into(kind: type, name: str, sources: Sources) -> Iterator[Slot]:
    """Yield what is put in, down to the class that makes the container."""
    for each in kind.__mro__:
        for scope, myself in _methods_of(each, kind, sources):

            def is_it(node: ast.expr, myself: str = myself) -> bool:
                return (
                    isinstance(node, ast.Attribute)
                    and node.attr == name
                    and isinstance(node.value, ast.Name)
                    and node.value.id == myself
                )

            yield from added(scope.body, is_it, Reading(scope, sources))
        if any(key == name for key, _ in _given_in(each, kind, sources)):
            return


def is_read(kind: type, name: str, sources: Sources) -> bool:
    """Say whether a method that does not build reads an attribute.

    ``getattr(self, …)`` with a name that is computed may read any attribute. Methods
    of other packages, such as a framework's own Module, name no layer of a user's.
    """
    package = kind.__module__.partition(".")[0]
    for scope, myself in _methods(kind, sources):
        own = str(scope.names.get("__name__", "")).partition(".")[0]
        if scope.function is None or scope.function.name in BUILDERS or own != package:
            continue
        if any(_reads(node, myself, name) for node in ast.walk(scope.function)):
            return True
    return False


def _reads(node: ast.AST, myself: str, name: str) -> bool:
    if isinstance(node, ast.Attribute) and node.attr == name:
        is_own = isinstance(node.value, ast.Name) and node.value.id == myself
        return is_own and isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        is_computed = node.func.id in {"getattr", "vars", "locals"}
        return is_computed and bool(node.args)
    return False


def parent_call(kind: type, sources: Sources) -> Site | None:
    """Find the call of ``super().__init__``: a container's class hands items to it."""
    for scope, _ in _methods(kind, sources):
        for node in sources.giving(scope.body):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "__init__"
            ):
                return Site(expression=node, scope=scope)
    return None


def _given(kind: type, name: str, sources: Sources) -> Iterator[Given]:
    """Yield what may have given an attribute, by the first class that surely does."""
    for each in kind.__mro__:
        known = _given_in(each, kind, sources)
        found = [
            given
            for key, given in known
            if key == name.lstrip("_")
            or (not given.is_certain and re.fullmatch(key, name))
        ]
        yield from found
        if any(given.is_certain and not _is_nothing(given.site) for given in found):
            return
    yield from _declared(kind, name, sources)


def _given_in(
    each: type, kind: type, sources: Sources
) -> tuple[tuple[str, Given], ...]:
    """Give what one class's methods give to attributes of an object; read once."""
    place = (each, kind)
    if place not in sources.indexed:
        methods = _methods_of(each, kind, sources)
        sources.indexed[place] = tuple(_all_given(methods, sources))
    return sources.indexed[place]


def _all_given(
    methods: Iterable[tuple[Scope, str]], sources: Sources
) -> Iterator[tuple[str, Given]]:
    """Yield each name, or pattern of names, with what is given to it."""
    for scope, myself in methods:
        method = scope.function.name if scope.function else ""
        for node in sources.giving(scope.body):
            for key, value, is_certain in _values(node, myself):
                site = Site(expression=value, scope=scope)
                yield key, Given(site=site, is_certain=is_certain, method=method)


def _declared(kind: type, name: str, sources: Sources) -> Iterator[Given]:
    """Yield what the body of a class says of an attribute, as dataclasses do."""
    for each, file, body in sources.bodies(kind):
        scope = Scope(file=file, names=module_names(each), owner=kind)
        for node in body.body:
            if not isinstance(node, ast.AnnAssign | ast.Assign):
                continue
            target = _targets(node)[0]
            if isinstance(target, ast.Name) and target.id == name:
                site = Site(expression=node.value or target, scope=scope)
                yield Given(site=site, is_certain=False, method="")


def _methods(kind: type, sources: Sources) -> Iterator[tuple[Scope, str]]:
    """Yield the methods of a class and what it inherits, with their name of self."""
    for each in kind.__mro__:
        yield from _methods_of(each, kind, sources)


def _methods_of(
    each: type, kind: type, sources: Sources
) -> Iterator[tuple[Scope, str]]:
    """Yield the methods that one class gives to objects of a class that inherits it.

    A framework's own base class builds no layer of a class that is not its own.
    """
    place = None
    if not is_framework(each) or is_framework(kind):
        place = sources.body(each)
    if place is None:
        return
    file, body = place
    for node in body.body:
        if isinstance(node, Function) and node.args.args:
            names = module_names(each)
            scope = Scope(file=file, names=names, function=node, owner=kind)
            yield scope, node.args.args[0].arg


def _values(node: ast.AST, myself: str) -> Iterator[tuple[str, ast.expr, bool]]:
    """Yield what a statement gives to attributes: name, value, whether it surely does.

    A name that the code computes is given as a pattern.
    """
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        for target in _targets(node):
            yield from _unpacked(target, node.value, myself)
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else called
        arguments = node.args[1:] if called == "setattr" else node.args
        if called in NAMED and len(arguments) > 1:
            key = arguments[0]
            if isinstance(key, ast.Constant):
                yield str(key.value).lstrip("_"), arguments[1], True
            else:
                yield pattern(key), arguments[1], False


def _unpacked(
    target: ast.expr, value: ast.expr, myself: str
) -> Iterator[tuple[str, ast.expr, bool]]:
    if isinstance(target, ast.Tuple | ast.List):
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        parts = (
            values if len(values) == len(target.elts) else [value] * len(target.elts)
        )
        for each, part in zip(target.elts, parts, strict=True):
            yield from _unpacked(each, part, myself)
    elif (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == myself
    ):
        yield target.attr.lstrip("_"), value, True


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _is_nothing(site: Site) -> bool:
    node = site.expression
    return isinstance(node, ast.Constant) and node.value is None
