"""Which tensors share memory, told from storage, offset, lengths and strides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import torch

MOST_COMPARED: Final = 1 << 20  # entries; two larger views are taken to overlap


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A part of a tensor: ``length`` entries of one axis, from ``start`` in steps.

    is_dropped: the axis is no longer there (one entry was selected).
    """

    axis: int
    start: int
    length: int
    step: int = 1
    is_dropped: bool = False

    @property
    def entries(self) -> range:
        """Where along the axis it lies."""
        return range(self.start, self.start + self.length * self.step, self.step)


def storage_of(tensor: torch.Tensor) -> int:
    """Give a key of the memory behind a tensor; of the tensor if it has none."""
    try:
        return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 (meta tensors have no other)
    except (NotImplementedError, RuntimeError):
        return id(tensor)


def same_numbers(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Say whether two tensors over one storage have every entry at the same place."""
    return (
        first.dtype == second.dtype
        and first.shape == second.shape
        and first.stride() == second.stride()
        and first.storage_offset() == second.storage_offset()
    )


def cut_of(whole: torch.Tensor, part: torch.Tensor) -> Cut | None:
    """Say which slice of one tensor another is, over one storage; None if it is none.

    >>> import torch
    >>> whole = torch.zeros(4, 6)
    >>> cut = cut_of(whole, whole[:, 1:5:2])
    >>> cut.axis, cut.start, cut.length, cut.step
    (1, 1, 2, 2)
    >>> cut_of(whole, whole[2]).is_dropped, cut_of(whole, whole[1:, 1:])
    (True, None)
    """
    if whole.dtype != part.dtype or part.numel() == 0:
        return None
    distance = part.storage_offset() - whole.storage_offset()
    lengths, strides = tuple(whole.shape), whole.stride()
    for axis, stride in enumerate(strides):
        rest = (*lengths[:axis], *lengths[axis + 1 :])
        if stride == 0 or distance < 0 or distance % stride:
            continue
        start = distance // stride
        others = (*strides[:axis], *strides[axis + 1 :])
        if tuple(part.shape) == rest and part.stride() == others:
            found: Cut | None = Cut(axis=axis, start=start, length=1, is_dropped=True)
        else:
            found = _slice_of(whole, part, axis, start)
        if found is not None and found.entries[-1] < lengths[axis]:
            return found
    return None


def _slice_of(
    whole: torch.Tensor, part: torch.Tensor, axis: int, start: int
) -> Cut | None:
    if part.dim() != whole.dim():
        return None
    pairs = zip(whole.shape, whole.stride(), part.shape, part.stride(), strict=True)
    for place, (length, stride, own_length, own_stride) in enumerate(pairs):
        if place != axis and (length, stride) != (own_length, own_stride):
            return None
    step, left = divmod(part.stride(axis), whole.stride(axis))
    if left or step < 1:
        return None
    return Cut(axis=axis, start=start, length=part.shape[axis], step=step)


def overlaps(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Say whether two tensors over one storage have an entry in common.

    >>> import torch
    >>> whole = torch.zeros(4, 6)
    >>> overlaps(whole[:, :3], whole[:, 3:]), overlaps(whole, whole[1])
    (False, True)
    """
    if first.numel() == 0 or second.numel() == 0:
        return False
    if first.numel() + second.numel() > MOST_COMPARED:
        return True
    return bool(np.intersect1d(_places(first), _places(second)).size)


def footprint(whole: torch.Tensor, part: torch.Tensor) -> np.ndarray | None:
    """Say which entries of one tensor are another's too; None if there are too many.

    >>> import torch
    >>> whole = torch.zeros(2, 3)
    >>> footprint(whole, whole[:1, 1:]).tolist()
    [[False, True, True], [False, False, False]]
    """
    if whole.numel() + part.numel() > MOST_COMPARED:
        return None
    return np.isin(_places(whole), _places(part)).reshape(tuple(whole.shape))


def _places(tensor: torch.Tensor) -> np.ndarray:
    """Give where in the storage each entry lies, in row-major order."""
    places = np.array([tensor.storage_offset()])
    for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
        places = (places[:, None] + np.arange(length) * stride).reshape(-1)
    return places
