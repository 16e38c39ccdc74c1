"""Parameters that are spread over processes (DTensor): which numbers this one holds.

``fully_shard``, ``parallelize_module`` and both together leave each process with a part
of a parameter, said by placements along the axes of a mesh of processes. A part is a
product of one index list an axis: that of the whole axis, cut as each placement cuts
it. Uneven cuts leave some processes fewer rows or none; two cuts of one axis
(``_StridedShard``) leave rows that do not lie side by side.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.errors import ModelError
from fanin.graph.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Run = tuple[int, int, int]
"""Entries of an axis that lie side by side: first here, first in the whole, count."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A box of a parameter that this process holds.

    memory: a view of the numbers, in the region's shape. region: where they lie in the
    whole parameter; None where this is the whole.
    """

    memory: torch.Tensor
    region: Region | None


def is_sharded(tensor: torch.Tensor) -> bool:
    """Say whether a tensor is a DTensor, importing nothing.

    >>> is_sharded(torch.ones(2))
    False
    """
    loaded = sys.modules.get("torch.distributed.tensor")
    return loaded is not None and isinstance(tensor, loaded.DTensor)


def local_of(tensor: torch.Tensor) -> torch.Tensor:
    """Give what this process holds of a tensor: all of it, if it is not spread."""
    if not is_sharded(tensor):
        return tensor
    local: torch.Tensor = tensor._local_tensor  # type: ignore[attr-defined]  # noqa: SLF001 (to_local waits for gradients)
    return local


def whole_of(tensor: torch.Tensor) -> torch.Tensor:
    """Put a spread tensor together; every process of its mesh must take part."""
    if not is_sharded(tensor):
        return tensor
    spread: Any = tensor
    with torch.no_grad():
        if any(hasattr(placement, "split_factor") for placement in spread.placements):
            return _put_together(spread)
        whole: torch.Tensor = spread.detach().full_tensor()
    return whole


def _put_together(spread: Any) -> torch.Tensor:
    """Lay every process's boxes into one array, by adding up bits to zeros.

    ``full_tensor`` reads two cuts of one axis from left to right (see
    ``in_order_of_cutting``).
    """
    held = local_of(spread)
    whole = torch.zeros(tuple(spread.shape), dtype=held.dtype, device=held.device)
    for piece in pieces("of this tensor", spread):
        where = ... if piece.region is None else piece.region.slices
        whole[where] = piece.memory
    bits = whole.reshape(-1).view(torch.uint8)
    distributed: Any = sys.modules["torch.distributed"]
    for axis, placement in enumerate(spread.placements):
        if not placement.is_replicate():
            distributed.all_reduce(bits, group=spread.device_mesh.get_group(axis))
    return whole


def shape_alone(tensor: torch.Tensor) -> torch.Tensor:
    """Give a meta tensor of the whole shape; no process is asked.

    >>> shape_alone(torch.ones(3, 2)).shape
    torch.Size([3, 2])
    """
    if not is_sharded(tensor):
        return torch.empty_like(tensor, device="meta")
    shape, strides = tuple(tensor.shape), tensor.stride()
    return torch.empty_strided(shape, strides, dtype=tensor.dtype, device="meta")


def pieces(path: str, tensor: torch.Tensor) -> tuple[Piece, ...]:
    """Give the boxes of a parameter that this process holds; none if it holds nothing.

    Raises:
        ModelError: if the parameter's shards do not lie as its placements say, or are
            summands of it.

    >>> pieces("weight", torch.ones(2, 3))[0].region is None
    True
    """
    if not is_sharded(tensor):
        return (Piece(memory=tensor.detach(), region=None),)
    local = local_of(tensor).detach()
    axes = _entries(path, tensor)
    if local.numel() == 0 and any(len(entries) == 0 for entries in axes):
        return ()
    if tuple(local.shape) != tuple(len(entries) for entries in axes):
        raise ModelError(_misplaced(path, tensor, local, axes))
    if tuple(local.shape) == tuple(tensor.shape):
        return (Piece(memory=local, region=None),)
    return tuple(_boxes(local, [tuple(runs_of(entries)) for entries in axes]))


def _boxes(local: torch.Tensor, axes: list[tuple[Run, ...]]) -> Iterator[Piece]:
    for box in product(*axes):
        here = tuple(slice(first, first + count) for first, _, count in box)
        start = tuple(first for _, first, _ in box)
        shape = tuple(count for _, _, count in box)
        yield Piece(memory=local[here], region=Region(start=start, shape=shape))


def runs_of(entries: np.ndarray) -> Iterator[Run]:
    """Yield the runs of whole numbers that follow one another.

    >>> list(runs_of(np.array([4, 5, 6, 9, 10])))
    [(0, 4, 3), (3, 9, 2)]
    """
    breaks = np.flatnonzero(np.diff(entries) != 1) + 1
    firsts = [0, *breaks.tolist()] if len(entries) else []
    for first, end in pairwise([*firsts, len(entries)]):
        yield first, int(entries[first]), end - first


def _entries(path: str, tensor: torch.Tensor) -> list[np.ndarray]:
    """Give the entries of each axis that this process holds, in their order here.

    Raises:
        ModelError: if a placement says that there are summands.
    """
    spread: Any = tensor
    mesh, coordinate = spread.device_mesh, spread.device_mesh.get_coordinate()
    if coordinate is None:  # a process outside the mesh holds nothing
        return [np.arange(0) for _ in range(max(1, tensor.ndim))]
    if any(placement.is_partial() for placement in spread.placements):
        raise ModelError(_summands(path))
    cuts: dict[int, list[AxisCut]] = {axis: [] for axis in range(tensor.ndim)}
    for mesh_axis, placement in enumerate(spread.placements):
        if not placement.is_replicate():
            cut = AxisCut(
                n_blocks=int(getattr(placement, "split_factor", 1)),
                n_parts=mesh.size(mesh_axis),
                place=coordinate[mesh_axis],
            )
            cuts[placement.dim].append(cut)
    return [
        entries_left(length, in_order_of_cutting(cuts[axis]))
        for axis, length in enumerate(tensor.shape)
    ]


@dataclass(frozen=True, kw_only=True)
class AxisCut:
    """One cut of an axis of a parameter.

    n_blocks: blocks that it is cut into first, each of which is then cut into parts
    (the ``split_factor`` of ``_StridedShard``). n_parts: of each block. place: which
    part of each is here.
    """

    n_blocks: int = 1
    n_parts: int
    place: int


def in_order_of_cutting(cuts: Iterable[AxisCut]) -> list[AxisCut]:
    """Put the cuts of one axis in the order in which they were made.

    ``fully_shard`` cuts what tensor parallelism has left, though its axis of the mesh
    comes first: it is written as a cut of blocks, which are the parts of the later
    cuts. Read from left to right, as PyTorch's own helper does, uneven parts come out
    wrong (pytorch/pytorch#168134).

    Args:
        cuts: in the order of the mesh's axes.

    >>> by_data, by_tensor = (
    ...     AxisCut(n_blocks=2, n_parts=4, place=3),
    ...     AxisCut(n_parts=2, place=1),
    ... )
    >>> entries_left(9, in_order_of_cutting([by_data, by_tensor]))
    array([8])
    """
    ordered: list[AxisCut] = []
    n_later = 1
    for cut in reversed(list(cuts)):
        if 1 < cut.n_blocks == n_later:
            ordered.append(replace(cut, n_blocks=1))
        else:
            ordered.insert(0, cut)
        n_later *= cut.n_parts
    return ordered


def entries_left(length: int, cuts: Iterable[AxisCut]) -> np.ndarray:
    """Give the entries of an axis that one cut after the other leaves.

    >>> entries_left(7, [AxisCut(n_parts=3, place=2)])
    array([6])
    >>> entries_left(9, [AxisCut(n_blocks=2, n_parts=4, place=0)])
    array([0, 1, 5])
    """
    entries = torch.arange(length)
    for cut in cuts:
        blocks = _chunks(entries, cut.n_blocks)
        entries = torch.cat([_chunks(b, cut.n_parts)[cut.place] for b in blocks])
    found: np.ndarray = entries.numpy()
    return found


def _chunks(entries: torch.Tensor, n_parts: int) -> list[torch.Tensor]:
    """Cut as torch.chunk does, with empty parts at the end where there are too few."""
    found = list(torch.chunk(entries, n_parts))
    return found + [entries[:0]] * (n_parts - len(found))


def _misplaced(
    path: str, tensor: Any, local: torch.Tensor, axes: Iterable[np.ndarray]
) -> str:
    expected = tuple(len(entries) for entries in axes)
    return (
        f"Parameter {path!r} of shape {tuple(tensor.shape)} is placed as "
        f"{tensor.placements}, of which this process should hold {expected}. It holds "
        f"{tuple(local.shape)}. Spread it by distribute_tensor, fully_shard or "
        "parallelize_module, which cut as PyTorch does."
    )


def _summands(path: str) -> str:
    return (
        f"Parameter {path!r} is held as summands (the placement Partial), of which no "
        "process knows the sum. Redistribute it to Shard or Replicate first."
    )
