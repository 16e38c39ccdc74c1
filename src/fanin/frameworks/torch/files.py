"""Save a torch model's weights to a file, wholly or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.files import write_with
from fanin.frameworks.torch.parameters import identity, read
from fanin.frameworks.torch.sharded import is_sharded, whole_of

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = (".pt", ".pth", ".npz", ".safetensors")


def require_format(path: str | Path) -> None:
    """Refuse a file name that does not say how to write a torch model.

    Raises:
        ArgumentError: it names the suffixes that do.

    >>> require_format("weights.pt")
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise ArgumentError.of(
            argument="path",
            received=str(path),
            expected=f"a file that ends in {', '.join(FORMATS)} for a PyTorch model",
        )


def save(model: Any, path: str | Path) -> Path:
    """Write the state_dict (.pt, .pth, .safetensors) or the parameters (.npz).

    A .safetensors file holds a tied weight once, as its own loader expects. A weight
    that is spread over processes is put together: each must take part.

    Raises:
        ArgumentError: if the suffix is another.
        MissingDependencyError: if the package ``safetensors`` is needed and missing.
        OutputError: if the file cannot be written; an old one is untouched.
    """
    require_format(path)
    if Path(path).suffix.lower() == ".npz":
        arrays: dict[str, Any] = read(model)
        return write_with(path, lambda place: np.savez(place, **arrays))
    if Path(path).suffix.lower() == ".safetensors":
        return write_with(path, _safetensors(model))
    state = model.state_dict()
    state.update({name: whole_of(held) for name, held in state.items()})
    return write_with(path, lambda place: torch.save(state, place))


def _safetensors(model: Any) -> Callable[[Path], object]:
    try:
        from safetensors.torch import save_file, save_model
    except ImportError as error:
        name, purpose = "safetensors", "Writing a .safetensors file"
        raise MissingDependencyError.of(name, purpose, "files") from error
    if not any(map(is_sharded, model.parameters())):
        return lambda place: save_model(model, str(place))
    once: dict[Any, str] = {}
    held = model.state_dict(keep_vars=True)
    for name, tensor in held.items():
        if isinstance(tensor, torch.Tensor):
            once.setdefault(identity(tensor), name)
    whole = {name: whole_of(held[name]).detach().contiguous() for name in once.values()}
    return lambda place: save_file(whole, str(place))
