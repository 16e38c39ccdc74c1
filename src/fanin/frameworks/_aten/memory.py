"""Which tensors share memory, told from storage, offset, lengths and strides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import torch

MOST_COMPARED: Final = 1 << 20  # entries; two larger views are taken to overlap


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


def _places(tensor: torch.Tensor) -> np.ndarray:
    places = np.array([tensor.storage_offset()])
    for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
        places = (places[:, None] + np.arange(length) * stride).reshape(-1)
    return np.unique(places)
