"""A user's own function by name: ``pkg.module:make`` or ``path/file.py:make``."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError, ModelError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType


def is_reference(text: str) -> bool:
    """Say whether a text names code.

    >>> is_reference("nets.small:make"), is_reference("dense")
    (True, False)
    """
    module, colon, name = text.partition(":")
    return bool(colon and module and name.isidentifier())


def find(text: str) -> Callable[..., Any]:
    """Import what a text names.

    Raises:
        ArgumentError: if it names no module, or nothing that can be called.
        UnknownNameError: if the module has no such name.
        ModelError: if importing it raises; its own error is the cause.
    """
    module, _, name = text.partition(":")
    loaded = _import(module)
    if not hasattr(loaded, name):
        raise UnknownNameError.of(
            kind=f"name in {module!r}", name=name, known=dir(loaded)
        )
    found = getattr(loaded, name)
    if not callable(found):
        expected = "the name of something that can be called"
        raise ArgumentError.of(argument="reference", received=text, expected=expected)
    return found  # type: ignore[no-any-return] # a user's own function


def accepted(function: Callable[..., Any], offered: Mapping[str, Any]) -> set[str]:
    """Give the names of the keyword arguments that a function takes, of those offered.

    >>> sorted(accepted(lambda width, *, depth=3: None, {"width": 1, "depth": 2}))
    ['depth', 'width']
    """
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return set(offered)
    named = {one.name for one in parameters if one.kind is not one.POSITIONAL_ONLY}
    return named & set(offered)


def _import(module: str) -> ModuleType:
    if module.endswith(".py"):
        return _import_file(_located(module))
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module + ".").startswith(error.name + "."):
            expected = "the name of a module that exists"
            raise ArgumentError.of(
                argument="reference", received=module, expected=expected
            ) from error
        raise _failed(module, error) from error
    except Exception as error:
        raise _failed(module, error) from error


def _located(name: str) -> Path:
    """Find a file from here, or from a folder that modules are imported from.

    The latter for a process of a cluster, which was started in another folder.
    """
    places = (Path(folder) / name for folder in ("", *sys.path))
    return next((place for place in places if place.is_file()), Path(name))


def _import_file(path: Path) -> ModuleType:
    name = f"_fanin_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise ArgumentError.of(
            argument="reference",
            received=str(path),
            expected="a Python file that exists",
        )
    folder = str(path.parent.resolve())  # the file may import its neighbours
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise _failed(str(path), error) from error
    return module


def _failed(module: str, error: Exception) -> ModelError:
    return ModelError(f"Importing {module!r} raised {type(error).__name__}: {error}")
