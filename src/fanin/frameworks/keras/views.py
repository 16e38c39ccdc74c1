"""The values of a Keras model to look at, without a copy where that can be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.variables import variables_of
from fanin.frameworks.views import Views

if TYPE_CHECKING:
    from collections.abc import Mapping


def view(model: Any) -> Mapping[str, np.ndarray]:
    """Give the parameters' values by path, locked against writing.

    On torch and on JAX's CPU they lie in the variables' own memory; TensorFlow makes a
    copy each time that one is looked at.

    Raises:
        NoStorageError: if the model is not built.
    """
    held = variables_of(model).parameters
    return Views({path: partial(_seen, variable) for path, variable in held.items()})


def _seen(variable: Any) -> np.ndarray:
    backend = keras.backend.backend()
    if backend == "jax":
        return np.asarray(variable.value)
    if backend == "torch" and "bfloat16" not in str(variable.value.dtype):
        array: np.ndarray = variable.value.detach().cpu().numpy()
        return array
    return to_numpy(variable.value)
