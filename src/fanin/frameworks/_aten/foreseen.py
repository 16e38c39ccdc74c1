"""What common operations give on the meta device, told without asking torch.

torch derives it in Python (`torch._refs`), at a few tenths of a millisecond each: most
of what recording a model would cost. Here the plain cases are told at once: tensors of
one type that lie contiguous. Every other case is torch's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Given = torch.Tensor | tuple[torch.Tensor, ...] | None

_PLAIN: Final = (torch.Tensor, torch.nn.Parameter)
_FLOATS: Final = frozenset({torch.float32, torch.float64, torch.bfloat16})


def foreseen(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Given:
    """Give what an operation gives on the meta device; None where torch is to say.

    >>> x, aten = torch.empty(2, 3, device="meta"), torch.ops.aten
    >>> foreseen(aten.relu.default, (x,), {}).shape
    torch.Size([2, 3])
    >>> foreseen(aten.relu.default, (torch.ones(1),), {}) is None
    True
    """
    tell = TELLERS.get(func)
    if tell is None or kwargs.keys() - {"alpha", "beta", "approximate"}:
        return None
    return tell(*args) if _is_plain(args[0]) else None


def _is_plain(tensor: Any) -> bool:
    return (
        type(tensor) in _PLAIN
        and tensor.is_meta
        and tensor.dtype in _FLOATS
        and tensor.is_contiguous()
    )


def _like(tensor: torch.Tensor, shape: Sequence[int] | None = None) -> torch.Tensor:
    """Give a meta tensor of its type; torch's own ``empty_like`` loads much for it."""
    wanted = tensor.shape if shape is None else shape
    return torch.empty(wanted, dtype=tensor.dtype, device="meta")


def _same(tensor: torch.Tensor, *_: Any) -> Given:
    """Of one tensor and numbers."""
    return _like(tensor)


def _both(first: torch.Tensor, second: Any, *_: Any) -> Given:
    """Of two tensors, the second spread over the first."""
    if not isinstance(second, torch.Tensor):
        return _like(first) if isinstance(second, int | float) else None
    if second.dtype != first.dtype or not _is_plain(second):
        return None
    if second.shape == first.shape or second.shape == first.shape[-1:]:
        return _like(first)
    return None


def _addmm(bias: torch.Tensor, x: torch.Tensor, w: torch.Tensor) -> Given:
    is_alike = x.is_meta and w.is_meta and bias.dtype == x.dtype == w.dtype
    fits = x.dim() == w.dim() == 2 and bias.dim() == 1 and x.shape[1] == w.shape[0]
    if is_alike and fits and len(bias) == w.shape[1]:
        return _like(x, (x.shape[0], w.shape[1]))
    return None


def _layer_norm(x: torch.Tensor, shape: Sequence[int], *rest: Any) -> Given:
    gains = [t for t in rest[:2] if t is not None]
    n_kept = x.dim() - len(shape)
    if x.dtype != torch.float32 or tuple(x.shape[n_kept:]) != tuple(shape):
        return None
    if not all(_is_plain(t) and tuple(t.shape) == tuple(shape) for t in gains):
        return None
    of_rows = (*x.shape[:n_kept], *(1 for _ in shape))
    return _like(x), _like(x, of_rows), _like(x, of_rows)


def _batch_norm(x: torch.Tensor, *rest: Any) -> Given:
    *tables, is_training, _, _ = rest
    if not is_training or x.dtype != torch.float32 or x.dim() < 2:
        return None
    held = [t for t in tables if t is not None]
    if not all(_is_plain(t) and t.shape == x.shape[1:2] for t in held):
        return None
    return _like(x), _like(x, x.shape[1:2]), _like(x, x.shape[1:2])


_ATEN: Final = torch.ops.aten
TELLERS: Final[Mapping[Any, Callable[..., Given]]] = {
    **dict.fromkeys(
        (
            _ATEN.relu.default,
            _ATEN.gelu.default,
            _ATEN.leaky_relu.default,
            _ATEN.threshold.default,
            _ATEN.elu.default,
            _ATEN.tanh.default,
            _ATEN.exp.default,
            _ATEN.neg.default,
            _ATEN.rsqrt.default,
            _ATEN.sqrt.default,
        ),
        _same,
    ),
    **dict.fromkeys(
        (
            _ATEN.add.Tensor,
            _ATEN.sub.Tensor,
            _ATEN.mul.Tensor,
            _ATEN.mul.Scalar,
            _ATEN.div.Tensor,
            _ATEN.pow.Tensor_Scalar,
        ),
        _both,
    ),
    _ATEN.addmm.default: _addmm,
    _ATEN.native_layer_norm.default: _layer_norm,
    _ATEN.native_batch_norm.default: _batch_norm,
}
"""By operation, a function of its arguments, the first of which is plain."""
