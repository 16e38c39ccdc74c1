"""A Python object: ``pkg.module:make(width=256)``, ``path/file.py:attribute``."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanin.cli.targets.error import TargetError
from fanin.cli.targets.opened import Opened
from fanin.errors import ModelError, nearest

if TYPE_CHECKING:
    from types import ModuleType

    from fanin.cli.targets.opened import Wanted


@dataclass(frozen=True, kw_only=True)
class Target:
    """A parsed reference to a Python object.

    module: dotted name or path of a .py file. attributes: the dotted attribute, split.
    arguments, keywords: literal arguments; is_call: whether parentheses were written.
    """

    module: str
    attributes: tuple[str, ...]
    arguments: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    is_call: bool = False


def parse(text: str) -> Target:
    """Read ``module:attribute(arguments)``; arguments must be Python literals.

    Raises:
        TargetError: if the text is not of that form.

    >>> parse("nets.mlp:make(width=256)").keywords
    (('width', 256),)
    >>> parse("net.py:model").module
    'net.py'
    """
    module, colon, rest = text.partition(":")
    if not colon or not module or not rest:
        raise TargetError.of(text, "there is no 'module:attribute' in it")
    try:
        expression = ast.parse(rest, mode="eval").body
    except SyntaxError as error:
        what = f"what follows the colon is not Python ({error.msg})"
        raise TargetError.of(text, what) from error
    if not isinstance(expression, ast.Call):
        return Target(module=module, attributes=_attributes(text, expression))
    try:
        arguments = tuple(ast.literal_eval(each) for each in expression.args)
        keywords = tuple(
            (str(each.arg), ast.literal_eval(each.value))
            for each in expression.keywords
            if each.arg is not None
        )
    except ValueError as error:
        what = "arguments must be literals: numbers, strings, lists, True"
        raise TargetError.of(text, what) from error
    return Target(
        module=module,
        attributes=_attributes(text, expression.func),
        arguments=arguments,
        keywords=keywords,
        is_call=True,
    )


TAKES: tuple[str, ...] = ()


def fits(text: str) -> bool:  # noqa: ARG001 (as every form)
    """Say yes: what is no file is a Python object."""
    return True


def open_target(text: str, wanted: Wanted) -> Opened:  # noqa: ARG001 (as every form)
    """Give the model; a class or factory is called without words.

    Raises:
        TargetError: if it names nothing, or something that is no model.
        ModelError: if the user's code raises.
    """
    target = parse(text)
    found = named(text, target)
    if target.is_call:
        factory = partial(
            build, text, found, *target.arguments, **dict(target.keywords)
        )
    elif callable(found) and not is_model(found):
        factory = partial(build, text, found)
    else:
        factory = None
    model = found if factory is None else factory()
    if not is_model(model):
        kind = type(model).__name__
        raise TargetError.of(text, f"it is a {kind}, no model of PyTorch, Keras or JAX")
    return Opened(model=model, factory=factory)


def is_model(found: object) -> bool:
    """Say whether a framework owns this object."""
    from fanin.frameworks.find import owner

    return not isinstance(found, type) and owner(found) is not None


def load(text: str) -> object:
    """Import the object that a target names, and call it where parentheses ask for it.

    Raises:
        TargetError: if the target cannot be read, or nothing of that name exists.
        ModelError: if importing or calling raises; its own error is the cause.
    """
    target = parse(text)
    found = named(text, target)
    if target.is_call:
        return build(text, found, *target.arguments, **dict(target.keywords))
    return found


def named(text: str, target: Target) -> object:
    """Import the object that a parsed target names, without calling it."""
    found: object = _import(text, target.module)
    for depth, attribute in enumerate(target.attributes):
        if not hasattr(found, attribute):
            where = ".".join((target.module, *target.attributes[:depth]))
            hint = nearest(attribute, [n for n in dir(found) if n[0] != "_"])
            raise TargetError.of(text, f"{where!r} has no {attribute!r}.{hint}")
        found = getattr(found, attribute)
    return found


def build(text: str, factory: object, *arguments: object, **keywords: object) -> object:
    """Call a user's factory; what it raises becomes a ModelError with that cause."""
    if not callable(factory):
        kind = type(factory).__name__
        raise TargetError.of(text, f"it is a {kind}, which cannot be called")
    try:
        return factory(*arguments, **keywords)
    except Exception as error:
        message = f"Building {text!r} raised {type(error).__name__}: {error}"
        raise ModelError(message) from error


def _attributes(text: str, expression: ast.expr) -> tuple[str, ...]:
    if isinstance(expression, ast.Name):
        return (expression.id,)
    if isinstance(expression, ast.Attribute):
        return (*_attributes(text, expression.value), expression.attr)
    raise TargetError.of(text, "what follows the colon is not a name")


def _import(text: str, module: str) -> ModuleType:
    if module.endswith(".py"):
        return _import_file(text, Path(module))
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module + ".").startswith(error.name + "."):
            raise TargetError.of(text, f"there is no module {module!r}") from error
        raise _import_failed(text, error) from error
    except Exception as error:
        raise _import_failed(text, error) from error


def _import_file(text: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise TargetError.of(text, f"there is no file {str(path)!r}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise TargetError.of(text, f"{str(path)!r} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.parent.resolve())  # the file may import its neighbours
    if folder not in sys.path:
        sys.path.insert(0, folder)
    is_new = path.stem not in sys.modules
    if is_new:  # pickles and dataclasses look their module up by name
        sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        if is_new:
            del sys.modules[path.stem]
        raise _import_failed(text, error) from error
    return module


def _import_failed(text: str, error: Exception) -> ModelError:
    return ModelError(f"Importing {text!r} raised {type(error).__name__}: {error}")
