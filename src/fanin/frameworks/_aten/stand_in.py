"""Shapes that the meta device refuses to give, though the real kernels exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch


def stand_in(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Give an empty meta tensor of the shape that the operation gives; None if unknown.

    >>> import torch
    >>> product = torch.ops.aten._grouped_mm.default
    >>> rows = torch.empty(6, 4, device="meta")
    >>> stack = torch.empty(3, 4, 5, device="meta")
    >>> ends = torch.empty(3, dtype=torch.int32, device="meta")
    >>> tuple(stand_in(product, (rows, stack), {"offs": ends}).shape)
    (6, 5)
    """
    make = STAND_INS.get(func.overloadpacket.__name__)
    return None if make is None else make(*args, **kwargs)


def _grouped_product(
    rows: torch.Tensor, stack: torch.Tensor, *args: Any, **kwargs: Any
) -> torch.Tensor | None:
    """Rows times a matrix of a stack each; torch 2.13 has this for bfloat16 alone."""
    del args, kwargs
    if rows.dim() != 2 or stack.dim() != 3 or rows.shape[1] != stack.shape[1]:
        return None
    return rows.new_empty((rows.shape[0], stack.shape[2]))


STAND_INS: Mapping[str, Callable[..., torch.Tensor | None]] = {
    "_grouped_mm": _grouped_product
}
