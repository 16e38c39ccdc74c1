"""Read weights from a file into a torch model, wholly or not at all.

Pickled files are read with ``weights_only``: code inside them is never run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import MissingDependencyError, ModelError, ShapeError
from fanin.frameworks.array_files import read_arrays, require_names
from fanin.frameworks.torch.materialize import resharded
from fanin.frameworks.torch.parameters import identity
from fanin.frameworks.torch.sharded import pieces
from fanin.frameworks.torch.wrapped import without_wrappers

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIXES = ("module.", "_orig_mod.", "model.")
"""What trainers put before every name: data parallel, compile, Lightning."""


def load_weights(model: Any, path: str | Path) -> Any:
    """Copy a file's numbers into the model's parameters and buffers.

    Every parameter must be in the file, under one of its names if it is tied; buffers
    that it lacks stay as they are. Each process reads its own shards.

    Returns:
        The same model.

    Raises:
        ModelError: if the file cannot be read, or its names are not the model's.
        ShapeError: if an array has not its parameter's shape. The model is unchanged.
    """
    resharded(model)
    held = dict(model.state_dict(keep_vars=True))
    places = {name: held[raw] for raw, name in without_wrappers(model, held)}
    found = _fitting(read_state(path), places)
    tied: dict[object, list[str]] = {}
    for name, tensor in places.items():
        if isinstance(tensor, torch.nn.Parameter):
            tied.setdefault(identity(tensor), []).append(name)
    wanted = {names[0]: names for names in tied.values()}
    loose = {n: [n] for n in found if n in places and not _is_in(n, wanted)}
    require_names(path, found, {**wanted, **loose})
    for name, tensor in found.items():
        if tuple(tensor.shape) != tuple(places[name].shape):
            expected, received = tuple(places[name].shape), tuple(tensor.shape)
            raise ShapeError.of(name, expected, received)
    with torch.no_grad():
        for name, tensor in found.items():
            for piece in pieces(name, places[name]):
                part = ... if piece.region is None else piece.region.slices
                piece.memory.copy_(tensor[part])
    return model


def read_state(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a file's tensors by name.

    Raises:
        ModelError: if it cannot be read, or is a pickle of more than tensors.
    """
    file = Path(path)
    if not file.is_file():
        message = f"There is no file {str(path)!r}."
        raise ModelError(message)
    name = file.name.lower()
    if name.endswith(".index.json"):
        return _sharded(file)
    if name.endswith(".safetensors"):
        return _safetensors(file)
    if name.endswith(".npz"):
        return {n: torch.from_numpy(a) for n, a in read_arrays(file).items()}
    return _pickled(file)


def _sharded(file: Path) -> dict[str, torch.Tensor]:
    """Read the files that an index names; each is beside it."""
    try:
        names = set(json.loads(file.read_text())["weight_map"].values())
    except (ValueError, KeyError, AttributeError) as error:
        message = f"{str(file)!r} is no index of .safetensors files ({error!r})."
        raise ModelError(message) from error
    state: dict[str, torch.Tensor] = {}
    for name in sorted(names):
        state |= read_state(file.with_name(Path(name).name))
    return state


def _safetensors(file: Path) -> dict[str, torch.Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        name, purpose = "safetensors", "Reading a .safetensors file"
        raise MissingDependencyError.of(name, purpose, "files") from error
    try:
        return dict(load_file(file))
    except Exception as error:
        message = f"{str(file)!r} cannot be read as a .safetensors file: {error}"
        raise ModelError(message) from error


def _pickled(file: Path) -> dict[str, torch.Tensor]:
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        message = (
            f"{str(file)!r} is refused: it holds more than tensors, and reading it "
            "would run code that is in the file. Save the state_dict alone "
            "(`torch.save(model.state_dict(), …)`, or .safetensors), and say with "
            "--arch what builds the model."
        )
        raise ModelError(message) from error
    state = _state_in(loaded)
    if not state:
        message = f"{str(file)!r} holds no tensors by name: save a state_dict."
        raise ModelError(message)
    return state


def _state_in(loaded: Any) -> dict[str, torch.Tensor]:
    """Give the state_dict, also where a trainer laid it in a larger dict."""
    if not isinstance(loaded, dict):
        return {}
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(loaded.get(key), dict):
            loaded = loaded[key]
            break
    return {n: t for n, t in loaded.items() if isinstance(t, torch.Tensor)}


def _fitting(
    state: Mapping[str, torch.Tensor], places: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Take a trainer's prefix off the names where only so they are the model's."""
    for prefix in PREFIXES:
        names = [name.removeprefix(prefix) for name in state]
        is_theirs = all(name.startswith(prefix) for name in state)
        if is_theirs and not any(name in places for name in state):
            return dict(zip(names, state.values(), strict=True))
    return dict(state)


def _is_in(name: str, wanted: Mapping[str, list[str]]) -> bool:
    return any(name in names for names in wanted.values())
