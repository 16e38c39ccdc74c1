"""Load a Keras model or its weights from a file, and save them: all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fanin.errors import ArgumentError, ModelError
from fanin.files import write_with
from fanin.frameworks.array_files import draws_from
from fanin.frameworks.keras.parameters import parameters, read, write

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = (".keras", ".weights.h5", ".npz")


def load(path: str | Path) -> Any:
    """Load a .keras file in safe mode: code inside the file is never run.

    Raises:
        ModelError: if Keras cannot load it; its own error is the cause.
    """
    try:
        return keras.saving.load_model(path, compile=True, safe_mode=True)
    except Exception as error:
        message = f"Keras cannot load {str(path)!r}: {error}"
        raise ModelError(message) from error


def load_weights(model: Any, path: str | Path) -> Any:
    """Read a .weights.h5 file of Keras, or .npz or .safetensors by fanin's paths.

    Returns:
        The same model.

    Raises:
        ModelError: if the file cannot be read, or is of another model.
        ShapeError: if an array has not its parameter's shape. The model is unchanged.
    """
    if not str(path).lower().endswith(".h5"):
        return write(model, draws_from(path, parameters(model)))
    before = model.get_weights()
    try:
        model.load_weights(path)
    except Exception as error:
        model.set_weights(before)
        message = f"Keras cannot read {str(path)!r} into {model.name!r}: {error}"
        raise ModelError(message) from error
    return model


def require_format(path: str | Path) -> None:
    """Refuse a file name that does not say how to write a Keras model.

    Raises:
        ArgumentError: it names the suffixes that do.

    >>> require_format("model.keras")
    """
    if not str(path).lower().endswith(FORMATS):
        raise ArgumentError.of(
            argument="path",
            received=str(path),
            expected=f"a file that ends in {', '.join(FORMATS)} for a Keras model",
        )


def save(model: Any, path: str | Path) -> Path:
    """Write the model (.keras), its weights (.weights.h5) or its parameters (.npz).

    Raises:
        ArgumentError: if the suffix is another.
        OutputError: if the file cannot be written; an old one is untouched.
    """
    require_format(path)
    suffix = str(path).lower()
    if suffix.endswith(".npz"):
        arrays: dict[str, Any] = read(model)
        return write_with(path, lambda place: np.savez(place, **arrays))
    if suffix.endswith(".weights.h5"):
        return write_with(path, model.save_weights)
    return write_with(path, model.save)
