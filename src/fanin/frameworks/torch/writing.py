"""Write drawn numbers into a torch model: all parameters named, or none.

First everything that can fail: names, shapes, memory, whether each tensor can be
written, what cannot be drawn where it stands. Then the numbers, straight into the
memory of the parameters, where nothing is left to fail and Ctrl-C waits. What only its
own ``copy_`` can write (a quantized tensor, say) is written before all else, and gets
its old numbers back if one of them refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from fanin.errors import ArgumentError, ModelError, ShapeError, UnknownParameterError
from fanin.frameworks.torch.materialize import given_memory, resharded
from fanin.frameworks.torch.parameters import (
    as_tensor,
    identity,
    is_lazy,
    named_parameters,
    require_storage,
)
from fanin.frameworks.torch.sharded import pieces
from fanin.frameworks.uninterrupted import uninterrupted
from fanin.graph.draws import as_draw

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from fanin.frameworks.torch.parameters import Identity
    from fanin.frameworks.torch.sharded import Piece
    from fanin.graph.draws import Draw, Numbers, Write

STORED: Final[Mapping[torch.dtype, np.dtype[Any]]] = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
    torch.float16: np.dtype(np.float16),
    torch.bfloat16: np.dtype(np.uint16),
}
"""What the memory of each type is to NumPy: of bfloat16, its bits."""


def write(
    model: Any,
    draws: Mapping[str, Numbers],
    device: torch.device | str | None = None,
    kept: Collection[str] = (),
) -> Any:
    """Write the drawn numbers: all parameters named, or none.

    Numbers are rounded once, to the parameter's own type. A tied parameter answers to
    any of its names. Parameters on the meta device get memory, those that are spread
    over processes for this process's part. Beside the parameters no memory of their
    size is taken, except for numbers that can be drawn neither one by one nor where
    they stand (a part of an orthogonal matrix): those are held until all is written.

    Args:
        model: a module.
        draws: by path.
        device: where parameters on the meta device get their memory; None for that of
            their mesh, of the other parameters, or the default.
        kept: paths of parameters on the meta device that get what their author wrote,
            as their modules know it.

    Returns:
        The same model.

    Raises:
        UnknownParameterError: if the model has no parameter of a path.
        NoStorageError: if a parameter is lazy, or has no memory and is not drawn.
        ArgumentError: if two paths name one tied parameter, or a type cannot hold the
            numbers of a law.
        ShapeError: if a draw has another shape than its parameter.
        ModelError: if a parameter cannot be written. The model is as it was, always.

    >>> layer = torch.nn.Linear(2, 1, bias=False)
    >>> write(layer, {"weight": lambda _: np.array([[0.5, -0.25]])}).weight.tolist()
    [[0.5, -0.25]]
    """
    resharded(model)
    targets = _targets(model, draws)
    known = {path: _fitting(path, targets[path], draws[path]) for path in draws}
    with given_memory(model, targets, device, kept):
        work = _Work.of(targets, known)
        with uninterrupted(), torch.no_grad():
            work.done()
    return model


def _targets(model: Any, draws: Mapping[str, Numbers]) -> dict[str, torch.nn.Parameter]:
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


def _fitting(path: str, tensor: torch.Tensor, given: Numbers) -> Draw:
    """Give the draw of a parameter, which must be of its shape.

    Raises:
        ShapeError: if it is not.
    """
    draw = as_draw(given)
    if draw.shape != tuple(tensor.shape):
        raise ShapeError.of(path, tuple(tensor.shape), draw.shape)
    return draw


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A piece of a parameter, and the draw of the whole."""

    path: str
    piece: Piece
    draw: Draw

    @property
    def memory(self) -> torch.Tensor:
        """Give the tensor to be written."""
        return self.piece.memory

    def numbers(self) -> torch.Tensor:
        """Draw a copy of the piece's numbers, of its own type."""
        region = self.piece.region
        index = None if region is None else region.indices(self.draw.shape)
        found = np.asarray(self.draw(index)).reshape(tuple(self.memory.shape))
        return as_tensor(found, self.memory.dtype)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """All that is to be written, looked at and prepared.

    direct: what writes where the numbers stand. by_copy: tensors with gaps, or on
    another device, each with what draws into the array beside it. refusing: what may
    refuse, with its numbers.
    """

    direct: tuple[tuple[torch.Tensor, Write], ...]
    by_copy: tuple[tuple[torch.Tensor, Write, np.ndarray], ...]
    refusing: tuple[tuple[_Task, torch.Tensor], ...]

    @classmethod
    def of(
        cls, targets: Mapping[str, torch.nn.Parameter], draws: Mapping[str, Draw]
    ) -> _Work:
        """Look at every tensor, and do all that can fail."""
        direct, by_copy, refusing = [], [], []
        for task in _tasks(targets, draws):
            array = _array_of(task.memory)
            if array is not None:
                prepared = task.draw.prepared(array, task.piece.region)
                direct.append((task.memory, prepared))
            elif _is_plain(task.memory):
                by_copy.append(task)
            else:
                refusing.append((task, task.numbers()))
        return cls(
            direct=tuple(direct),
            by_copy=tuple(_beside(by_copy)),
            refusing=tuple(refusing),
        )

    def done(self) -> None:
        """Write everything; only tensors that refuse their numbers can fail.

        (And where memory is limited, 2 % of an orthogonal matrix beside it.)

        Raises:
            ModelError: if one of them does; nothing is changed then.
        """
        _copy_all(self.refusing)
        for memory, write_piece, numbers in self.by_copy:
            write_piece()
            memory.copy_(_tensor_of(numbers, memory.dtype))
        for memory, write_piece in self.direct:
            write_piece()
            torch.autograd.graph.increment_version(memory)


def _tasks(
    targets: Mapping[str, torch.nn.Parameter], draws: Mapping[str, Draw]
) -> Iterator[_Task]:
    for path, tensor in targets.items():
        for piece in pieces(path, tensor):
            yield _Task(path=path, piece=piece, draw=draws[path])


def _is_plain(memory: torch.Tensor) -> bool:
    """Say whether a tensor is numbers in memory, that a copy into it cannot fail."""
    if memory.dtype not in STORED or memory.layout is not torch.strided:
        return False
    if type(memory).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
        return False
    if memory.is_inference() and not torch.is_inference_mode_enabled():
        return False
    sides = zip(memory.stride(), memory.shape, strict=True)
    return not memory.is_neg() and all(step > 0 or n <= 1 for step, n in sides)


def _array_of(memory: torch.Tensor) -> np.ndarray | None:
    """Give a tensor's own memory as an array, if its numbers lie side by side."""
    is_here = memory.device.type == "cpu" and memory.is_contiguous()
    if not (is_here and _is_plain(memory)):
        return None
    is_half = memory.dtype is torch.bfloat16
    array: np.ndarray = (memory.view(torch.int16) if is_half else memory).numpy()
    named: np.ndarray = array.view(STORED[memory.dtype])
    return named


def _beside(
    tasks: Iterable[_Task],
) -> Iterator[tuple[torch.Tensor, Write, np.ndarray]]:
    """Prepare draws into one array that all take in turn."""
    several = list(tasks)
    sizes = [task.memory.numel() * task.memory.element_size() for task in several]
    shared = np.empty(max(sizes, default=0), dtype=np.uint8)
    for task, size in zip(several, sizes, strict=True):
        stored = STORED[task.memory.dtype]
        array = shared[:size].view(stored).reshape(tuple(task.memory.shape))
        yield task.memory, task.draw.prepared(array, task.piece.region), array


def _tensor_of(numbers: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    if dtype is torch.bfloat16:
        return torch.from_numpy(numbers.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(numbers)


def _copy_all(tasks: Iterable[tuple[_Task, torch.Tensor]]) -> None:
    """Copy into every tensor; if one refuses, all before it get their numbers back.

    Raises:
        ModelError: if one refuses.
    """
    undo: list[tuple[torch.Tensor, torch.Tensor]] = []
    for task, numbers in tasks:
        try:
            undo.append((task.memory, task.memory.detach().clone()))
            task.memory.copy_(numbers)
        except Exception as why:
            for written, before in undo[:-1]:
                written.copy_(before)
            what = (
                f"Parameter {task.path!r} cannot be written ({why}); no parameter was "
                "changed."
            )
            raise ModelError(what) from why
