"""What names hold and functions return, followed through code that is not run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from fanin.places.scope import Scope, Site, seen
from fanin.places.source import Function, globals_of, module_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.places.source import Sources

DEEPEST: Final = 6
LOOPS: Final = (ast.For, ast.While, ast.AsyncFor)


def resolved(site: Site) -> Site:
    """Follow a local name to the expression that was last given to it."""
    for _ in range(DEEPEST):
        if not isinstance(site.expression, ast.Name):
            break
        given = assigned(site.expression.id, site.scope)
        if not given:
            break
        line = site.expression.lineno
        before = [expression for expression in given if expression.lineno <= line]
        site = Site(expression=(before or given)[-1], scope=site.scope)
    return site


def assigned(name: str, scope: Scope) -> list[ast.expr]:
    """Give the expressions assigned to a local name, in order."""
    found = []
    for node in ast.walk(scope.body):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            is_it = any(isinstance(t, ast.Name) and t.id == name for t in targets)
            if is_it and node.value is not None:
                found.append(node.value)
    return sorted(found, key=lambda expression: expression.lineno)


def returned(site: Site, sources: Sources) -> list[Site]:
    """Give what a user's function, or the object's own method, returns when called."""
    scope = _inside(site, sources)
    if scope is None:
        return []
    return [
        Site(expression=node.value, scope=scope)
        for node in ast.walk(scope.body)
        if isinstance(node, ast.Return) and node.value is not None
    ]


def statements(
    body: ast.AST, *, is_repeated: bool = False
) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield the statements below a node in order, and whether a loop repeats them."""
    for node in ast.iter_child_nodes(body):
        if isinstance(node, ast.stmt):
            yield node, is_repeated
        if not isinstance(node, ast.expr):
            repeats = is_repeated or isinstance(node, LOOPS)
            yield from statements(node, is_repeated=repeats)


def _inside(site: Site, sources: Sources) -> Scope | None:
    """Give the scope within the function that a call calls, where it is Python code."""
    call = site.expression
    if not isinstance(call, ast.Call):
        return None
    owner, function = site.scope.owner, call.func
    is_own = (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id in {"self", "cls"}
    )
    if is_own and owner is not None and isinstance(function, ast.Attribute):
        return _method(owner, function.attr, sources)
    found = seen(function, site.scope.names)
    place = None if isinstance(found, type) else sources.function(found)
    if place is None:
        return None
    return Scope(file=place[0], function=place[1], names=globals_of(found))


def _method(owner: type, name: str, sources: Sources) -> Scope | None:
    for kind, file, body in sources.bodies(owner):
        for node in body.body:
            if isinstance(node, Function) and node.name == name:
                names = module_names(kind)
                return Scope(file=file, function=node, names=names, owner=owner)
    return None
