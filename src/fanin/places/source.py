"""Files of code, read and parsed once a search; nothing in them is run."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import sysconfig
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef

FRAMEWORKS: Final = ("torch", "keras", "flax", "equinox", "jax", "tensorflow")
"""Packages whose own layers are what a user writes with, not what a user wrote."""

PACKAGES: Final = ("site-packages", "dist-packages")
STANDARD: Final = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib")
)


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file of Python code: its lines and its syntax tree."""

    path: str
    lines: tuple[str, ...]
    tree: ast.Module

    @cached_property
    def is_library(self) -> bool:
        """Say whether it is installed rather than the user's own."""
        return is_installed(self.path)

    def line(self, number: int) -> str:
        """Give a line without its indentation, counted from 1."""
        return self.lines[number - 1].strip() if number <= len(self.lines) else ""


Bodies = tuple[SourceFile | None, "ast.ClassDef | None"]
"""Where a class is defined, and its syntax tree."""


@dataclass(frozen=True)
class Sources:
    """The files of one search, each read once.

    built: what ``origin_of`` found, by the identities of what it was asked for.
    indexed: what the methods of a class give to attributes; filled: what they put into
    a container that is one.
    """

    known: dict[str, SourceFile | None] = field(default_factory=dict)
    built: dict[tuple[int, ...], Any] = field(default_factory=dict)
    indexed: dict[tuple[type, type], tuple[Any, ...]] = field(default_factory=dict)
    filled: dict[tuple[type, str], tuple[Any, ...]] = field(default_factory=dict)
    _bodies: dict[type, Bodies] = field(default_factory=dict)
    _statements: dict[ast.AST, tuple[ast.AST, ...]] = field(default_factory=dict)

    def file(self, path: str) -> SourceFile | None:
        """Read a file, a notebook's cell as well; None where there is no code."""
        if path not in self.known:
            self.known[path] = _read(path)
        return self.known[path]

    def function(self, function: object) -> tuple[SourceFile, Function] | None:
        """Give a function's own syntax tree, through what wraps it."""
        code = code_of(function)
        if code is None:
            return None
        file = self.file(code.co_filename)
        if file is None:
            return None
        fitting = [
            node
            for node in ast.walk(file.tree)
            if isinstance(node, Function)
            and node.name == code.co_name
            and _first_line(node) <= code.co_firstlineno <= node.lineno
        ]
        return (file, fitting[0]) if fitting else None

    def bodies(self, kind: type) -> Iterator[tuple[type, SourceFile, ast.ClassDef]]:
        """Yield the syntax trees of a class and of what it inherits from, in order."""
        for each in kind.__mro__:
            place = self.body(each)
            if place is not None:
                yield each, *place

    def body(self, kind: type) -> tuple[SourceFile, ast.ClassDef] | None:
        """Give the syntax tree of one class; None where there is no code."""
        if kind not in self._bodies:
            file = self.file(file_of(kind) or "")
            body = None if file is None else _class_named(file.tree, kind)
            self._bodies[kind] = (file, body)
        file, body = self._bodies[kind]
        return None if file is None or body is None else (file, body)

    def giving(self, node: ast.AST) -> tuple[ast.AST, ...]:
        """Give the assignments and calls below a node, in order; found once."""
        if node not in self._statements:
            self._statements[node] = tuple(
                each
                for each in ast.walk(node)
                if isinstance(each, ast.Assign | ast.AnnAssign | ast.Call)
            )
        return self._statements[node]


def code_of(function: object) -> CodeType | None:
    """Give the code that the user wrote, under decorators, partials and methods."""
    for _ in range(20):
        held = _held_by(function)
        if held is None:
            break
        function = held
    return function.__code__ if isinstance(function, FunctionType) else None


def globals_of(function: object) -> dict[str, Any]:
    """Give the names that a function sees around it."""
    for _ in range(20):
        held = _held_by(function)
        if held is None:
            break
        function = held
    return function.__globals__ if isinstance(function, FunctionType) else {}


@cache
def is_installed(path: str) -> bool:
    """Say whether a file is a package's or Python's own."""
    if any(part in PACKAGES for part in Path(path).parts):
        return True
    return str(Path(path).resolve()).startswith(STANDARD)


def is_framework(kind: type) -> bool:
    """Say whether a class is a framework's own."""
    return kind.__module__.partition(".")[0] in FRAMEWORKS


def module_names(kind: type) -> dict[str, Any]:
    """Give the names that a class's module holds; nothing of it is run."""
    module = sys.modules.get(kind.__module__)
    return {} if module is None else vars(module)


def relative(path: str) -> str:
    """Give a path relative to the working directory where it lies below it."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def _held_by(function: object) -> object:
    """Give what a wrapper holds: of a function its ``__wrapped__``, of a method it."""
    if isinstance(function, FunctionType):
        return function.__dict__.get("__wrapped__")
    for name in ("__func__", "fget", "func", "__wrapped__", "method"):
        held: object = inspect.getattr_static(function, name, None)
        if held is not None and type(held).__name__ == "member_descriptor":
            held = getattr(function, name, None)
        if callable(held):
            return held
    return None


def _read(path: str) -> SourceFile | None:
    lines = linecache.getlines(path)
    if not lines:
        return None
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return None
    return SourceFile(path=path, lines=tuple(lines), tree=tree)


def file_of(kind: type) -> str | None:
    """Give a class's file: a method knows it even where a notebook has no module."""
    for value in vars(kind).values():
        code = code_of(value)
        if code is not None and code.co_qualname.startswith(kind.__qualname__ + "."):
            return code.co_filename
    module = sys.modules.get(kind.__module__)
    found = None if module is None else vars(module).get("__file__")
    return found if isinstance(found, str) else None


def _class_named(tree: ast.Module, kind: type) -> ast.ClassDef | None:
    """Find the definition by its qualified name, the last where there are several."""
    names = [part for part in kind.__qualname__.split(".") if part != "<locals>"]
    found: list[ast.AST] = [tree]
    for name in names:
        found = [
            node
            for outer in found
            for node in ast.walk(outer)
            if isinstance(node, ast.ClassDef | Function) and node.name == name
        ]
    classes = [node for node in found if isinstance(node, ast.ClassDef)]
    return classes[-1] if classes else None


def _first_line(node: Function) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])
