"""Write drawn numbers into a torch module: all parameters named, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from fanin.errors import (
    ArgumentError,
    ModelError,
    ShapeError,
    UnknownParameterError,
)
from fanin.frameworks.torch.materialize import given_memory, resharded
from fanin.frameworks.torch.parameters import (
    Identity,
    identity,
    is_lazy,
    named_parameters,
    require_storage,
)
from fanin.frameworks.torch.sharded import Piece, pieces
from fanin.graph.draws import Listed, as_draw

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from fanin.graph.draws import Draw, Numbers

NAMED: Final = {
    torch.float64: np.float64,
    torch.float32: np.float32,
    torch.float16: np.float16,
    torch.bfloat16: np.uint16,  # its bits
}
"""What NumPy calls the types that a draw rounds to."""


def write(
    model: Any,
    draws: Mapping[str, Draw | Numbers],
    device: torch.device | str | None = None,
) -> Any:
    """Write the drawn numbers: all parameters named, or none.

    Every name and shape is looked at first. Numbers are rounded once, to the
    parameter's own type, and drawn where they lie: of a parameter that is spread over
    processes, the part that this one holds. One on the meta device gets memory. A tied
    parameter answers to any of its names.

    Args:
        model: a module.
        draws: by path, global indices → numbers.
        device: where parameters without memory get it, as ``given_memory`` says.

    Returns:
        The same model.

    Raises:
        UnknownParameterError: if the model has no parameter of a path.
        NoStorageError: if a parameter is lazy, or has no memory and is not drawn.
        ArgumentError: if two paths name one tied parameter.
        ShapeError: if a draw is of another shape.
        ModelError: if a parameter refuses to be written.

    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> write(layer, {"weight": lambda _: np.array([[0.5, -0.25]])}).weight.tolist()
    [[0.5, -0.25]]
    """
    resharded(model)
    targets = _targets(model, draws)
    ready = {path: _of_shape(path, targets[path], draws[path]) for path in targets}
    kept = {path for path, tensor in targets.items() if not tensor.is_meta}
    with given_memory(model, targets, device):
        _fill_all(targets, ready, kept)
    return model


def _targets(
    model: Any, draws: Mapping[str, Draw | Numbers]
) -> dict[str, torch.nn.Parameter]:
    known = dict(model.named_parameters(remove_duplicate=False))
    known |= named_parameters(model)
    seen: dict[Identity, str] = {}
    for path in draws:
        if path not in known:
            raise UnknownParameterError.of(path, known)
        if is_lazy(known[path]):
            require_storage(path, known[path])
        first = seen.setdefault(identity(known[path]), path)
        if first != path:
            expected = "one name for each parameter, and these two are tied"
            raise ArgumentError.of(
                argument="draws", received=(first, path), expected=expected
            )
    return {path: known[path] for path in draws}


def _of_shape(path: str, tensor: torch.Tensor, draw: Draw | Numbers) -> Draw:
    """Give a draw of the parameter's whole shape; a bare function is called for it."""
    found = as_draw(draw)
    shape = getattr(found, "shape", None)
    if shape is None:
        listed = found if isinstance(found, Listed) else Listed(np.asarray(draw(None)))
        found, shape = listed, listed.values.shape
    if tuple(shape) != tuple(tensor.shape):
        raise ShapeError.of(path, tuple(tensor.shape), tuple(shape))
    return found


@torch.no_grad()
def _fill_all(
    targets: Mapping[str, torch.nn.Parameter],
    draws: Mapping[str, Draw],
    kept: Collection[str],
) -> None:
    """Fill every parameter; on an error those in ``kept`` get their numbers back."""
    held = [(path, piece) for path, t in targets.items() for piece in pieces(path, t)]
    undo: list[tuple[torch.Tensor, torch.Tensor]] = []
    try:
        for path, piece in held:
            if path in kept:
                undo.append((piece.memory, piece.memory.clone()))
            _fill(path, piece, draws[path])
    except BaseException:
        for memory, before in undo:
            _put_back(memory, before)
        raise


def _fill(path: str, piece: Piece, draw: Draw) -> None:
    """Draw into a piece's own memory where NumPy can name it, else by way of an array.

    Raises:
        ModelError: if the parameter refuses.
    """
    memory = piece.memory
    if memory.device.type == "cpu" and memory.is_contiguous() and memory.dtype in NAMED:
        draw.fill(_named(memory), piece.region)
        return
    out = np.empty(tuple(memory.shape), dtype=NAMED.get(memory.dtype, np.float32))
    draw.fill(out, piece.region)
    drawn = torch.from_numpy(out)
    try:
        if memory.dtype is torch.bfloat16:
            drawn = drawn.view(torch.bfloat16)
        memory.copy_(drawn)
    except RuntimeError as why:
        what = (
            f"Parameter {path!r} cannot be written ({why}); no parameter was changed."
        )
        raise ModelError(what) from why


def _named(memory: torch.Tensor) -> np.ndarray:
    """Give an array over a tensor's memory."""
    is_half = memory.dtype is torch.bfloat16
    array: np.ndarray = (memory.view(torch.uint16) if is_half else memory).numpy()
    return array


def _put_back(memory: torch.Tensor, before: torch.Tensor) -> None:
    """Give a piece its numbers back; one that refuses to be written was not."""
    if memory.is_contiguous():
        memory.copy_(before)
