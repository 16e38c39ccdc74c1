"""Files of named arrays: .npz and .safetensors, read without running code in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import MissingDependencyError, ModelError, ShapeError
from fanin.graph.draws import Listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fanin.graph import Parameter


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read every array of a .npz or .safetensors file, by name.

    Raises:
        ModelError: if there is no such file, or it cannot be read.
        MissingDependencyError: if the package ``safetensors`` is needed and missing.
    """
    file = Path(path)
    if not file.is_file():
        message = f"There is no file {str(path)!r}."
        raise ModelError(message)
    read = _npz if file.suffix.lower() == ".npz" else _safetensors
    try:
        return read(file)
    except MissingDependencyError:
        raise
    except Exception as error:
        message = f"{str(path)!r} cannot be read as {file.suffix} file: {error}"
        raise ModelError(message) from error


def _npz(file: Path) -> dict[str, np.ndarray]:
    with np.load(file, allow_pickle=False) as loaded:
        return {name: loaded[name] for name in loaded.files}


def _safetensors(file: Path) -> dict[str, Any]:
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        name, purpose = "safetensors", "Reading a .safetensors file"
        raise MissingDependencyError.of(name, purpose, "files") from error
    return dict(load_file(file))


def draws_from(path: str | Path, parameters: Sequence[Parameter]) -> dict[str, Listed]:
    """Read a file of arrays as what ``write`` takes, for parameters of these paths.

    Raises:
        ModelError: if the file cannot be read, or its names are not the model's.
        ShapeError: if an array has not its parameter's shape.
    """
    arrays = read_arrays(path)
    wanted = {p.path: (p.path, *p.aliases) for p in parameters}
    require_names(path, arrays, wanted)
    draws = {}
    for parameter in parameters:
        name = next(n for n in wanted[parameter.path] if n in arrays)
        array = arrays[name]
        if array.shape != parameter.shape:
            raise ShapeError.of(parameter.path, parameter.shape, array.shape)
        draws[parameter.path] = Listed(array)
    return draws


def require_names(
    path: str | Path, given: Iterable[str], wanted: Mapping[str, Iterable[str]]
) -> None:
    """Refuse a file that lacks a parameter, or holds what the model has no place for.

    Args:
        path: of the file, for the message.
        given: the names in the file.
        wanted: each parameter's names; one of them is enough.

    Raises:
        ModelError: it names the first few of either kind.

    >>> require_names("w.npz", ["a"], {"a": ["a"], "b": ["b"]})
    Traceback (most recent call last):
        ...
    fanin.errors.ModelError: 'w.npz' is not of this model: it lacks b (1 of 2).
    """
    names = set(given)
    known = {name for each in wanted.values() for name in each}
    missing = [key for key, each in wanted.items() if not names.intersection(each)]
    strange = sorted(names - known)
    words = []
    if missing:
        words.append(f"it lacks {_few(missing)} ({len(missing)} of {len(wanted)})")
    if strange:
        words.append(f"it holds {_few(strange)}, which the model has not")
    if words:
        message = f"{str(path)!r} is not of this model: {', and '.join(words)}."
        raise ModelError(message)


def _few(names: list[str], most: int = 3) -> str:
    dots = ", …" if len(names) > most else ""
    return ", ".join(names[:most]) + dots
