"""The parameters of a JAX model: list, read, write, and take a seed.

A path is the leaf's place in the model's tree, ``layers.0.kernel``. Flax NNX modules
are changed in place; Equinox modules and pairs cannot be changed, and `write` gives
another one.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import ShapeError, UnknownParameterError
from fanin.frameworks.jax.opened import is_abstract, numbers, placed
from fanin.frameworks.jax.opening import opened
from fanin.graph import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.frameworks.jax.opened import Held, Opened
    from fanin.graph.draws import Numbers


def parameters(model: Any) -> tuple[Parameter, ...]:
    """List the parameters without running the model."""
    return listed(opened(model))


def listed(model: Opened) -> tuple[Parameter, ...]:
    """List the parameters of a model that is taken apart."""
    return tuple(
        Parameter(
            path=path,
            shape=tuple(int(n) for n in held.array.shape),
            dtype=str(held.array.dtype),
            aliases=held.aliases,
            storage="meta" if is_abstract(held.array) else "ready",
            owner=held.owner,
        )
        for path, held in model.parameters.items()
    )


def read(model: Any) -> dict[str, np.ndarray]:
    """Copy out the parameters' values, by path.

    Raises:
        NoStorageError: if one is only a shape.
    """
    return _copied(opened(model).parameters)


def buffers(model: Any) -> dict[str, np.ndarray]:
    """Copy out what is stored and not trained: running means, random keys, by path.

    Raises:
        NoStorageError: if one is only a shape.
    """
    return _copied(opened(model).buffers)


def write(model: Any, draws: Mapping[str, Numbers]) -> Any:
    """Write the drawn numbers: all parameters named, or none.

    Every array is drawn and checked before the first is written. Buffers and random
    streams are not touched.

    Returns:
        The same module of Flax NNX; another Equinox module, or another pair.

    Raises:
        UnknownParameterError: if a path is not the model's.
        ShapeError: if an array has not its parameter's shape.
        NoStorageError: if a parameter is only a shape.
    """
    held = opened(model)
    known = held.parameters
    arrays = {}
    for path, draw in draws.items():
        place = place_of(path, known)
        array = fitting(path, known[place].array, draw(None))
        arrays[place] = placed(path, array, known[place].array)
    return held.written(arrays)


def seed(model: Any) -> int:
    """Draw a 63-bit seed from the operating system: JAX has no global generator.

    The plan records it, so that what it wrote can be written again.
    """
    del model
    return secrets.randbits(63)


def place_of(path: str, known: Mapping[str, Held]) -> str:
    """Give the first name of a parameter that is known by any of its names.

    Raises:
        UnknownParameterError: if no parameter has it.
    """
    if path in known:
        return path
    for name, held in known.items():
        if path in held.aliases:
            return name
    raise UnknownParameterError.of(path, known)


def fitting(path: str, held: Any, array: Any) -> np.ndarray:
    """Give an array that must have the shape of a parameter.

    Raises:
        ShapeError: if it has not.
    """
    found = np.asarray(array)
    shape = tuple(int(n) for n in held.shape)
    if found.shape != shape:
        raise ShapeError.of(path, shape, found.shape)
    return found


def _copied(held: Mapping[str, Held]) -> dict[str, np.ndarray]:
    return {path: numbers(path, each.array) for path, each in held.items()}
