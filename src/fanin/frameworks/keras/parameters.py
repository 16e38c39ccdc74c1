"""The parameters of a Keras model: list, read, write, and take a seed.

A path is the variable's own, ``dense/kernel``, with Keras's numbers counted within
the model (`fanin.frameworks.keras.names`); ``write`` takes either form.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fanin.errors import ShapeError, UnknownParameterError
from fanin.frameworks.keras.arrays import numpy_dtype, to_numpy
from fanin.frameworks.keras.initializers import initializer_of
from fanin.frameworks.keras.spread import drawn as drawn_where_it_lies
from fanin.frameworks.keras.spread import is_spread
from fanin.frameworks.keras.variables import is_built, variables_of
from fanin.frameworks.uninterrupted import uninterrupted
from fanin.graph import Parameter
from fanin.graph.draws import as_draw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.draws import Draw, Numbers, Write


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

    Names, shapes and what can fail of a draw come first; then each variable is given
    its numbers, one after the other, so that beside the model there is one array at a
    time; Ctrl-C waits. A variable that ``keras.distribution`` has laid out over devices
    of JAX keeps its layout: each device's part is drawn by itself. Buffers, the states
    of random generators and the optimizer are not touched.

    Returns:
        The same model.

    Raises:
        NoStorageError: if the model is not built.
        UnknownParameterError: if a path is not the model's.
        ShapeError: if an array has not its parameter's shape.
    """
    targets = _targets(model, draws)
    work = [_prepared(path, targets[path], draw) for path, draw in draws.items()]
    with uninterrupted():
        while work:
            work.pop()()
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


def _prepared(path: str, variable: Any, given: Draw | Numbers) -> Write:
    """Do all that can fail, and give what assigns a variable its numbers.

    Where it is spread, each device's part is drawn by itself, now. Else the array is
    only named now: it takes no memory before it is written.

    Raises:
        ShapeError: if the draw has another shape.
    """
    if is_spread(variable):
        return partial(variable.assign, drawn_where_it_lies(path, given, variable))
    draw = as_draw(given)
    shape = tuple(int(n) for n in variable.shape)
    if draw.shape != shape:
        raise ShapeError.of(path, shape, draw.shape)
    array = np.empty(shape, dtype=numpy_dtype(variable.dtype))
    write_numbers = draw.prepared(array)

    def assign() -> None:
        write_numbers()
        variable.assign(array)

    return assign
