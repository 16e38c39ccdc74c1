"""Keras's variables on several devices, as ``keras.distribution`` lays them out on JAX.

``variable.assign(array)`` first puts the whole array on one device. So the numbers are
drawn where they will lie, each device's part by itself, and Keras is given an array of
the layout that the variable has already.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import keras

from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.variables import variables_of
from fanin.graph.holding import Holding
from fanin.graph.region import Region

if TYPE_CHECKING:
    import numpy as np

    from fanin.graph.draws import Draw, Numbers


def is_spread(variable: Any) -> bool:
    """Say whether a variable's numbers lie on more than one device of JAX."""
    if keras.backend.backend() != "jax":
        return False
    return len(variable.value.sharding.device_set) > 1


def drawn(path: str, draw: Draw | Numbers, variable: Any) -> Any:
    """Draw numbers for a variable that is spread, each device's part by itself.

    Raises:
        ShapeError: if the draw is of another shape.
    """
    from fanin.frameworks._jaxpr import sharded

    like = variable.value
    return sharded.drawn(path, draw, like, like.sharding)


def holdings(model: Any) -> dict[str, tuple[Holding, ...]]:
    """Give what this process holds of each parameter, by path, to look at.

    Raises:
        NoStorageError: if the model is not built.
    """
    held = variables_of(model).parameters
    return {path: _held(variable) for path, variable in held.items()}


def _held(variable: Any) -> tuple[Holding, ...]:
    if keras.backend.backend() == "jax":
        from fanin.frameworks._jaxpr import sharded

        return sharded.holdings(variable.value)
    shape = tuple(int(n) for n in variable.shape)
    return (
        Holding(
            shape=shape,
            region=Region.all(shape),
            dtype=str(variable.dtype),
            take=partial(_taken, variable),
        ),
    )


def _taken(variable: Any, index: np.ndarray) -> np.ndarray:
    flat = keras.ops.reshape(variable.value, (-1,))
    return to_numpy(keras.ops.take(flat, index, axis=0))
