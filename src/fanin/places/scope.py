"""An expression in somebody's code, and the names that can be seen from it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fanin.places.source import Function, SourceFile

Names = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where an expression stands.

    file: it is in. function: around it; None at the top of a module. names: that are
    seen there, as live objects; they are looked at and never called. owner: the class
    of the object that is being built, where the function is its method.
    """

    file: SourceFile
    names: Names
    function: Function | None = None
    owner: type | None = None

    @property
    def body(self) -> ast.AST:
        """Give the tree in which local names are assigned."""
        return self.function or self.file.tree


@dataclass(frozen=True, kw_only=True)
class Site:
    """One expression in its scope."""

    expression: ast.expr
    scope: Scope


def seen(expression: ast.expr, names: Names) -> object:
    """Give the live object that a dotted name means, through modules only; or None.

    >>> import os
    >>> seen(ast.parse("os.path.join", mode="eval").body, {"os": os}) is os.path.join
    True
    """
    if isinstance(expression, ast.Name):
        return names.get(expression.id)
    if isinstance(expression, ast.Attribute):
        held = seen(expression.value, names)
        return vars(held).get(expression.attr) if isinstance(held, ModuleType) else None
    return None


def called(call: ast.Call, names: Names) -> str:
    """Give the name of the class or function that a call calls, "" if it has none.

    A name that was imported under another is looked up: ``L`` is ``Linear``.
    """
    found = seen(call.func, names)
    if isinstance(found, type):
        return found.__name__
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def call_of(kind: type, site: Site) -> ast.Call | None:
    """Give the first call within an expression that makes an object of this class."""
    names = {each.__name__ for each in kind.__mro__ if each is not object}
    calls = [node for node in ast.walk(site.expression) if isinstance(node, ast.Call)]
    made = [(called(call, site.scope.names), call) for call in calls]
    exact = [call for name, call in made if name == kind.__name__]
    loose = [call for name, call in made if name in names]
    return next(iter(exact or loose), None)
