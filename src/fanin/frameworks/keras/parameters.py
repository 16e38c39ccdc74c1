"""The parameters of a Keras model: list, read, write, and take a seed.

A path is the variable's own, ``dense/kernel``, with Keras's numbers counted within
the model (`fanin.frameworks.keras.names`); ``write`` takes either form.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fanin.errors import ShapeError, UnknownParameterError
from fanin.frameworks.keras.arrays import numpy_dtype, to_numpy
from fanin.frameworks.keras.initializers import initializer_of
from fanin.frameworks.keras.spread import drawn as drawn_where_it_lies
from fanin.frameworks.keras.spread import is_spread
from fanin.frameworks.keras.variables import is_built, variables_of
from fanin.graph import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.draws import Draw, Numbers


def owns(model: Any) -> bool:
    """Say whether the model is a Keras layer or model, importing nothing."""
    loaded = sys.modules.get("keras")
    return loaded is not None and isinstance(model, loaded.layers.Layer)


def parameters(model: Any) -> tuple[Parameter, ...]:
    """List the parameters; a model that is not built has a single lazy one."""
    if not is_built(model):
        return (
            Parameter(
                path=model.name,
                shape=(),
                dtype=str(model.variable_dtype),
                storage="lazy",
                owner=type(model).__name__,
            ),
        )
    found = variables_of(model)
    trainable = {id(variable) for variable in model.trainable_variables}
    return tuple(
        Parameter(
            path=path,
            shape=tuple(int(n) for n in variable.shape),
            dtype=str(variable.dtype),
            is_trainable=id(variable) in trainable,
            owner=type(found.owners[path]).__name__,
            initializer=initializer_of(found.owners[path], variable),
        )
        for path, variable in found.parameters.items()
    )


def read(model: Any) -> dict[str, np.ndarray]:
    """Copy out the parameters' values, by path.

    Raises:
        NoStorageError: if the model is not built.
    """
    return _copied(variables_of(model).parameters)


def buffers(model: Any) -> dict[str, np.ndarray]:
    """Copy out what is stored and not trained: moving means and variances, by path.

    Raises:
        NoStorageError: if the model is not built.
    """
    return _copied(variables_of(model).buffers)


def write(model: Any, draws: Mapping[str, Draw | Numbers]) -> Any:
    """Write the drawn numbers: all parameters named, or none.

    Every array is drawn and checked before the first is written. A variable that
    ``keras.distribution`` has laid out over devices of JAX keeps its layout: each
    device's part is drawn by itself. Buffers, the states of random generators and the
    optimizer are not touched.

    Returns:
        The same model.

    Raises:
        NoStorageError: if the model is not built.
        UnknownParameterError: if a path is not the model's.
        ShapeError: if an array has not its parameter's shape.
    """
    targets = _targets(model, draws)
    arrays = {path: _drawn(path, targets[path], draw) for path, draw in draws.items()}
    for path, array in arrays.items():
        targets[path].assign(array)
    return model


def seed(model: Any) -> int:
    """Take a 63-bit seed from Keras's global generator.

    ``keras.utils.set_random_seed`` resets that generator, so it governs the seed; two
    calls in a row differ.
    """
    del model
    # 21 bits at a time: the widest that int32, the widest integer without x64 in
    # JAX, holds three times over without touching its sign.
    thirds = to_numpy(
        keras.random.randint((3,), minval=0, maxval=1 << 21, dtype="int32")
    )
    high, middle, low = (int(third) for third in thirds)
    return high << 42 | middle << 21 | low


def _copied(variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {path: to_numpy(variable.value) for path, variable in variables.items()}


def _targets(model: Any, draws: Mapping[str, Draw | Numbers]) -> dict[str, Any]:
    known = dict(variables_of(model).parameters)
    literal = {variable.path: variable for variable in reversed(known.values())}
    targets = literal | known
    for path in draws:
        if path not in targets:
            raise UnknownParameterError.of(path, known)
    return targets


def _drawn(path: str, variable: Any, draw: Draw | Numbers) -> Any:
    """Draw an array for a variable; where it is spread, each device's part alone."""
    if is_spread(variable):
        return drawn_where_it_lies(path, draw, variable)
    return _fitting(path, variable, draw)


def _fitting(path: str, variable: Any, draw: Numbers) -> np.ndarray:
    array = np.asarray(draw(None))
    shape = tuple(int(n) for n in variable.shape)
    if array.shape != shape:
        raise ShapeError.of(path, shape, array.shape)
    return array.astype(numpy_dtype(variable.dtype))
