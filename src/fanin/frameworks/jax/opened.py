"""A model of JAX taken apart: its arrays by name, and how to put it together again.

Models in JAX are trees of arrays and the code that reads them. Each kind (`nnx`,
`equinox`, a pair) has its own tree, its own mode of training and its own way to be
called; what fanin does with them is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import jax
import numpy as np

from fanin.errors import NoStorageError
from fanin.frameworks._jaxpr.sharded import drawn, whole_of
from fanin.graph.draws import Listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Held:
    """One array of a model: its numbers or shape, its other names, who holds it."""

    array: Any
    aliases: tuple[str, ...] = ()
    owner: str = ""


class Opened(Protocol):
    """A model taken apart.

    parameters and buffers: by path. is_mutable: the model itself can be changed.
    is_tree_whole: the tree that `drawn` gives holds all arrays, not those drawn alone.
    """

    parameters: Mapping[str, Held]
    buffers: Mapping[str, Held]
    is_mutable: bool
    is_tree_whole: bool

    def at(self, values: Mapping[str, Any], key: Any) -> Any:
        """Give a copy of the model with these arrays, in its training mode.

        Args:
            values: parameters and buffers by path; those left out stay.
            key: of its own noise.
        """
        ...

    def call(
        self,
        model: Any,
        positional: Sequence[Any],
        keywords: Mapping[str, Any],
        key: Any,
    ) -> Any:
        """Call what `at` gave on a batch, as in training."""
        ...

    def written(self, arrays: Mapping[str, Any]) -> Any:
        """Give the model that holds these parameters: itself where it is mutable."""
        ...

    def drawn(self, arrays: Mapping[str, Any]) -> Any:
        """Give the tree of these parameters, as a function under ``jit`` gives it."""
        ...

    def numbered(self, numbers: Mapping[str, float]) -> Any:
        """Give a tree of these numbers, by parameter, in the shape of gradients."""
        ...


def is_array(leaf: Any) -> bool:
    """Say whether a leaf is an array, or the shape of one."""
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def is_real(leaf: Any) -> bool:
    """Say whether a leaf is an array of real or complex numbers with a fraction.

    >>> is_real(jax.numpy.ones(2)), is_real(jax.numpy.arange(2)), is_real(1.0)
    (True, False, False)
    """
    return is_array(leaf) and jax.numpy.issubdtype(leaf.dtype, jax.numpy.inexact)


def is_abstract(leaf: Any) -> bool:
    """Say whether a leaf has a shape and no numbers."""
    return isinstance(leaf, jax.ShapeDtypeStruct)


def numbers(path: str, array: Any) -> np.ndarray:
    """Copy an array's numbers out; of a random key, the words that it is made of.

    Raises:
        NoStorageError: if it has none.
    """
    if is_abstract(array):
        kind = "abstract"
        raise NoStorageError.of(path, kind)
    if jax.numpy.issubdtype(array.dtype, jax.dtypes.prng_key):
        array = jax.random.key_data(array)
    return np.array(whole_of(array))


def placed(path: str, array: np.ndarray, like: Any) -> Any:
    """Give numbers as a JAX array in the dtype and on the device of another one.

    Where that one is spread over several, the numbers are whole on JAX's default.

    Raises:
        NoStorageError: if the other one has no memory.
    """
    if is_abstract(like):
        kind = "abstract"
        raise NoStorageError.of(path, kind)
    sharding = sharding_of(path, like)
    is_spread = sharding is not None and len(sharding.device_set) > 1
    return drawn(path, Listed(array), like, None if is_spread else sharding)


def sharding_of(path: str, like: Any) -> Any:
    """Give the sharding that an array has, or that a shape should get; None for any.

    A shape may speak of a mesh without devices (``nnx.eval_shape`` within
    ``jax.set_mesh``): those of the mesh that is set are taken. An array that JAX has
    put on its default device by itself is free to move, and stays so.

    Raises:
        NoStorageError: if a shape's mesh has no devices and none is set.
    """
    sharding: Any = getattr(like, "sharding", None)
    if isinstance(like, jax.Array) and not getattr(like, "committed", True):
        return None
    mesh = getattr(sharding, "mesh", None)
    if not isinstance(mesh, jax.sharding.AbstractMesh):
        return sharding
    present = jax.sharding.get_mesh()
    if present.abstract_mesh != mesh:
        kind = "no devices"
        raise NoStorageError.of(path, kind)
    return jax.sharding.NamedSharding(present, sharding.spec)
