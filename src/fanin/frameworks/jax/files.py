"""Write a JAX model's weights to a file, wholly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.errors import ArgumentError
from fanin.files import write_with
from fanin.frameworks.array_files import draws_from
from fanin.frameworks.jax.parameters import parameters, read, write

if TYPE_CHECKING:
    from pathlib import Path

FORMATS: Final = (".npz",)


def load_weights(model: Any, path: str | Path) -> Any:
    """Read a .npz or .safetensors file by fanin's paths.

    Returns:
        The same Flax NNX module; of Equinox and of a pair, another one.

    Raises:
        ModelError: if the file cannot be read, or is of another model.
        ShapeError: if an array has not its parameter's shape.
    """
    return write(model, draws_from(path, parameters(model)))


def require_format(path: str | Path) -> None:
    """Refuse a file name that does not say how to write the weights.

    Raises:
        ArgumentError: it names the suffix that does.

    >>> require_format("weights.npz")
    """
    if not str(path).lower().endswith(FORMATS):
        raise ArgumentError.of(
            argument="path",
            received=str(path),
            expected=f"a file that ends in {', '.join(FORMATS)} for a JAX model",
        )


def save(model: Any, path: str | Path) -> Path:
    """Write the parameters, by path, as NumPy's .npz.

    Numbers of types that NumPy lacks (bfloat16) are written as float32, which holds
    them exactly.

    Raises:
        ArgumentError: if the suffix is another.
        OutputError: if the file cannot be written; an old one is untouched.
    """
    require_format(path)
    arrays: dict[str, Any] = {
        name: array if array.dtype.kind in "fc" else array.astype(np.float32)
        for name, array in read(model).items()
    }
    return write_with(path, lambda place: np.savez(place, **arrays))
