"""The parameters of a JAX model: list, read, write, and take a seed.

A path is the leaf's place in the model's tree, ``layers.0.kernel``. Flax NNX modules
are changed in place; Equinox modules and pairs cannot be changed, and `write` gives
another one.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from fanin.errors import NoStorageError, ShapeError, UnknownParameterError
from fanin.frameworks._jaxpr.sharded import drawn
from fanin.frameworks._jaxpr.sharded import holdings as sharded_holdings
from fanin.frameworks.jax.agreeing import agreed
from fanin.frameworks.jax.opened import is_abstract, numbers, sharding_of
from fanin.frameworks.jax.opening import opened
from fanin.graph import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.frameworks.jax.opened import Held, Opened
    from fanin.graph.draws import Draw, Numbers
    from fanin.graph.holding import Holding


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


def write(model: Any, draws: Mapping[str, Draw | Numbers]) -> Any:
    """Write the drawn numbers: all parameters named, or none.

    Every array is drawn and checked before the first is written. An array that lies on
    several devices is drawn there, each device's part alone; one that is only a shape
    gets memory, on the devices of the sharding that it names. Buffers and random
    streams are not touched.

    Returns:
        The same module of Flax NNX; another Equinox module, or another pair.

    Raises:
        UnknownParameterError: if a path is not the model's.
        ShapeError: if an array has not its parameter's shape.
        NoStorageError: if a buffer is only a shape, or a shape's mesh has no devices.
    """
    held = opened(model)
    known = held.parameters
    places = {path: place_of(path, known) for path in draws}
    _require_buffers(held)
    arrays = {}
    for path, place in places.items():
        like = known[place].array
        arrays[place] = drawn(path, draws[path], like, sharding_of(path, like))
    return held.written(arrays)


def holdings(model: Any) -> dict[str, tuple[Holding, ...]]:
    """Give what this process holds of each parameter, by path, to look at.

    Raises:
        NoStorageError: if one is only a shape.
    """
    found = {}
    for path, held in opened(model).parameters.items():
        if is_abstract(held.array):
            numbers(path, held.array)
        found[path] = sharded_holdings(jax.numpy.asarray(held.array))
    return found


def _require_buffers(model: Opened) -> None:
    """Refuse a model that would have parameters and buffers without numbers.

    Raises:
        NoStorageError: it names the first such buffer, and what gives it numbers.
    """
    for path, held in model.buffers.items():
        if is_abstract(held.array):
            kind = "buffer"
            raise NoStorageError.of(path, kind)


def seed(model: Any) -> int:
    """Draw a 63-bit seed from the operating system: JAX has no global generator.

    The plan records it, so that what it wrote can be written again. Several hosts take
    that of the first.
    """
    return int(agreed(model, secrets.randbits(63)))


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
    require_shape(path, held, found.shape)
    return found


def require_shape(path: str, held: Any, shape: tuple[int, ...]) -> None:
    """Refuse numbers of another shape than a parameter has.

    Raises:
        ShapeError: if they are.
    """
    own = tuple(int(n) for n in held.shape)
    if own != shape:
        raise ShapeError.of(path, own, shape)


def _copied(held: Mapping[str, Held]) -> dict[str, np.ndarray]:
    return {path: numbers(path, each.array) for path, each in held.items()}
