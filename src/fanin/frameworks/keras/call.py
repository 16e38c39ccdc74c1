"""Calls a Keras model on a task's batch, at given values, and changes nothing in it."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from fanin.errors import ArgumentError, BatchError, FaninError, ModelError
from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.untouched import untouched
from fanin.frameworks.keras.variables import variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph import Task

BACKENDS = ("torch", "jax", "tensorflow")

SHAPE_WORDS = ("shape", "size", "dimension", "channels", "broadcast", "incompatible")
"""Words in the messages of Keras and its backends when an array does not fit."""


def tensors_of(task: Task) -> Any:
    """Give the batch as tensors in its own structure; None where there is no array.

    NumPy's float64 becomes Keras's float; whole numbers stay what they are.

    Raises:
        BatchError: if there is no batch and no objective, or NaN or infinity in it.
    """
    if task.objective is not None or callable(task.batch):
        return None
    if task.batch is None:
        message = (
            "There is no batch. Give one (an array, a tuple, a dict of keywords or a "
            "function of the model), or an objective."
        )
        raise BatchError(message)
    return keras.tree.map_structure(_as_tensor, _as_structure(task.batch))


def check_fit(model: Any, batch: Any) -> None:
    """Hold the batch against the shapes that the model was declared with.

    Raises:
        BatchError: if their number or a shape differs; the model has not run.
    """
    declared = [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or ()]
    if not declared or batch is None:
        return
    given = [tuple(int(n) for n in leaf.shape) for leaf in keras.tree.flatten(batch)]
    if len(declared) != len(given):
        message = (
            f"The model {model.name!r} takes {len(declared)} inputs, but the batch "
            f"holds {len(given)} arrays."
        )
        raise BatchError(message)
    for shape, array in zip(declared, given, strict=True):
        if not _fits(shape, array):
            wanted = tuple("batch" if n is None else n for n in shape)
            message = (
                f"The batch has an array of shape {array}, but the model "
                f"{model.name!r} takes {wanted}."
            )
            raise BatchError(message)


def outputs_of(model: Any, task: Task, batch: Any) -> Any:
    """Run the model, or the task's own callable, as training would.

    ``training=True`` is passed where ``call`` takes it, as ``fit`` does; a dict batch
    may hold ``training`` itself.

    Args:
        model: a built model.
        task: its ``objective`` or callable ``batch`` is run where it has one.
        batch: what ``tensors_of`` gave.
    """
    if task.objective is not None:
        return task.objective(model)
    if callable(task.batch):
        return task.batch(model)
    mode = {"training": True} if takes_training(model) else {}
    if isinstance(batch, dict) and not isinstance(_declared(model), dict):
        return model(**(mode | batch))
    if isinstance(batch, tuple):
        if isinstance(_declared(model), list | tuple):
            return model(list(batch), **mode)
        return model(*batch, **mode)
    return model(batch, **mode)


def takes_training(model: Any) -> bool:
    """Say whether the model's ``call`` has an argument ``training``."""
    return "training" in inspect.signature(model.call).parameters


@contextmanager
def at_values(model: Any, values: Mapping[str, Any], seed: int) -> Iterator[None]:
    """Let the model read these values in place of its own, and write nothing.

    Within the block every assignment (moving means, generator states) goes to the
    scope and is dropped with it. Each random generator starts from ``seed`` and its
    own number, so that noise depends on the task alone.

    Args:
        model: a built model.
        values: tensors by parameter path; those left out are read from the model.
        seed: of the noise.

    Raises:
        ModelError: if the model raises; its own error is the cause.
        BatchError: if its error speaks of shapes.
    """
    found = variables_of(model)
    mapping = [(found.parameters[path], value) for path, value in values.items()]
    mapping += [
        (state, np.array([(seed * 1009 + index) % (1 << 31), 0]))
        for index, state in enumerate(found.states)
    ]
    try:
        with untouched(seed), keras.StatelessScope(state_mapping=mapping):
            yield
    except FaninError:
        raise
    except Exception as error:
        raise _translated(model, error) from error


def check_backend() -> str:
    """Give the backend that Keras runs on.

    Raises:
        ArgumentError: if it is none that fanin knows.
    """
    backend = str(keras.backend.backend())
    if backend not in BACKENDS:
        argument = "KERAS_BACKEND"
        expected = f"one of {', '.join(BACKENDS)} (set before Keras is imported)"
        raise ArgumentError.of(argument, backend, expected)
    return backend


def _translated(model: Any, error: Exception) -> ModelError:
    message = f"The model {model.name!r} raised {type(error).__name__}: {error}"
    is_about_shapes = any(word in str(error).lower() for word in SHAPE_WORDS)
    kinds = (RuntimeError, ValueError, TypeError, IndexError)
    if isinstance(error, kinds) and is_about_shapes:
        return BatchError(message)
    return ModelError(message)


def _as_structure(batch: Any) -> Any:
    """Take a list of arrays as a tuple of them, and a list of numbers as an array."""
    if isinstance(batch, list):
        if batch and all(hasattr(item, "shape") for item in batch):
            return tuple(batch)
        return np.asarray(batch)
    return batch


def _as_tensor(leaf: Any) -> Any:
    if leaf is None or isinstance(leaf, bool | str):
        return leaf
    kind = str(getattr(leaf, "dtype", np.asarray(leaf).dtype)).removeprefix("torch.")
    dtype = keras.config.floatx() if kind == "float64" else None
    tensor = ops.convert_to_tensor(leaf, dtype=dtype)
    if "float" in kind and not np.isfinite(to_numpy(tensor).astype("float64")).all():
        message = (
            "The batch holds NaN or infinity. Give finite numbers: every statistic "
            "behind them would be NaN too."
        )
        raise BatchError(message)
    return tensor


def _fits(declared: tuple[int | None, ...], given: tuple[int, ...]) -> bool:
    if len(declared) != len(given):
        # Keras adds the last axis itself to a batch of plain numbers.
        return len(declared) == len(given) + 1 and declared[-1] == 1
    return all(d is None or d == n for d, n in zip(declared, given, strict=True))


def _declared(model: Any) -> Any:
    """Give the structure of inputs that a functional model was declared with."""
    try:
        return model.input
    except (AttributeError, ValueError):
        return None
