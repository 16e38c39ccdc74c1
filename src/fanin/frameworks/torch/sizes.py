"""Sizes of tensors, and samples of those that are too large to copy."""

from __future__ import annotations

from math import sqrt
from typing import Final

import torch

N_SAMPLED: Final = 65536
"""Entries of a sample. The relative error of a root mean square of n independent
entries is about 1/√(2n): a quarter of a percent."""

SQUARES_FIT: Final = (1e-15, 1e18)
"""Norms whose squares are neither too small nor too large for float32."""


def sampled(tensor: torch.Tensor, *, is_all: bool) -> torch.Tensor:
    """Give all entries in a row, or so many that lie evenly spread.

    >>> sampled(torch.arange(6).reshape(2, 3), is_all=True).tolist()
    [0, 1, 2, 3, 4, 5]
    """
    flat = tensor.detach().reshape(-1)
    stride = 1 if is_all else max(1, flat.numel() // N_SAMPLED)
    return flat[::stride]


def size_of(tensor: torch.Tensor, *, minus: torch.Tensor | None = None) -> float:
    """Give √(Σx²/n), of x or of a difference; relative error about 1e-6 in float32.

    Where squares could leave float32 it is taken once more, in float64.
    Infinity where a number is NaN or infinite, NaN where there are none.

    >>> size_of(torch.tensor([3.0, 4.0, 0.0, 0.0]))
    2.5
    >>> size_of(torch.tensor([1.0, float("nan")]))
    inf
    """
    held = tensor.detach()
    n = held.numel()
    if n == 0:
        return float("nan")
    if held.layout is not torch.strided:
        held = held.coalesce().values() if held.is_sparse else held.to_dense()
    narrow = torch.promote_types(held.dtype, torch.float32)
    x = held if minus is None else held.to(narrow) - minus.to(narrow)
    norm = float(torch.linalg.vector_norm(x, dtype=narrow))
    if not SQUARES_FIT[0] < norm < SQUARES_FIT[1]:
        norm = float(torch.linalg.vector_norm(x, dtype=_wide(held.device)))
    return norm / sqrt(n) if norm < float("inf") else float("inf")


def spread_of(tensor: torch.Tensor) -> float:
    """Give the root of the mean variance over the first axis, the samples.

    >>> spread_of(torch.tensor([[1.0, 5.0], [3.0, 3.0]]))
    1.0
    """
    held = tensor.detach()
    if held.ndim == 0 or len(held) < 2:
        return float("nan")
    x = held.float() if held.element_size() < 4 else held
    variance = float((x - x.mean(dim=0)).square().mean())
    return sqrt(variance) if variance >= 0.0 else float("inf")


def _wide(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64
