"""The objective: one scalar from what the model gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from fanin.errors import ArgumentError, BatchError
from fanin.frameworks.torch.batch import placed, tensors_in
from fanin.frameworks.torch.parameters import as_tensor
from fanin.graph.projection import projection

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph import Task


def first_output(output: Any) -> torch.Tensor:
    """Give the tensor that the loss reads: ``.logits``, else the first floating one.

    Raises:
        BatchError: if the model gave no floating tensor.

    >>> first_output({"ids": torch.tensor([1]), "scores": torch.tensor([0.5])})
    tensor([0.5000])
    """
    logits = getattr(output, "logits", None)
    if logits is None and isinstance(output, Mapping):
        logits = output.get("logits")
    if isinstance(logits, torch.Tensor):
        return logits
    for _, tensor in tensors_in(output):
        if tensor.is_floating_point():
            return tensor
    what = (
        f"The model gave {type(output).__name__} without a floating tensor in it; "
        "a loss needs one. Give `objective`, a function of the model, instead."
    )
    raise BatchError(what)


def scalar_of(task: Task, output: Any) -> torch.Tensor:
    """Give the objective's value for a task, given what the model's call gave.

    Without a loss it is Σ rᵢ·outputᵢ / batch_size with fixed normal r, so that no
    gradient is zero unless it is zero for (almost) every loss.

    Raises:
        ArgumentError: if the loss has a name that is not known.
        BatchError: if output and target do not fit.
    """
    if task.objective is not None:
        return _require_scalar(output, "objective")
    if callable(task.loss):
        like = first_output(output)
        value = task.loss(output, placed(task.target, like))
        return _require_scalar(value, "loss")
    logits = first_output(output)
    if task.loss is None:
        return _projected(logits)
    if task.loss not in LOSSES:
        expected = f"one of {', '.join(LOSSES)}, or a function of output and target"
        raise ArgumentError.of(argument="loss", received=task.loss, expected=expected)
    if task.target is None:
        what = f"The loss {task.loss!r} needs a target, and none was given."
        raise BatchError(what)
    target = task.target
    if not isinstance(target, torch.Tensor):
        target = torch.as_tensor(target)
    return LOSSES[task.loss](logits, target.to(logits.device))


def _require_scalar(value: Any, name: str) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or value.numel() != 1:
        received = tuple(value.shape) if isinstance(value, torch.Tensor) else value
        raise ArgumentError.of(name, received, "a function that gives one number")
    return value.reshape(())


def _projected(output: torch.Tensor) -> torch.Tensor:
    weights = as_tensor(projection(tuple(output.shape)), output.dtype, output.device)
    n_samples = output.shape[0] if output.dim() > 0 else 1
    return (output * weights).sum() / max(1, n_samples)


def _mse(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.mse_loss(output, _alike(output, target))


def _binary_cross_entropy(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    wanted = _alike(output, target)
    return functional.binary_cross_entropy_with_logits(output, wanted)


def _alike(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Give the target in the output's shape: (n,) and (n, 1) are the same."""
    if target.numel() != output.numel() or target.shape[:1] != output.shape[:1]:
        raise BatchError(_mismatch(output, target))
    return target.reshape(output.shape).to(output.dtype)


def _cross_entropy(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Read classes along the last axis, or along axis 1 as torch has it for maps."""
    if target.shape == output.shape:
        log_shares = functional.log_softmax(output, -1)
        return -(target.to(output.dtype) * log_shares).sum(-1).mean()
    if target.is_floating_point() and target.shape == output.shape[:-1]:
        target = target.long()
    if target.dim() == output.dim() and target.shape[-1:] == (1,):
        target = target.squeeze(-1)
    n_classes = output.shape[-1] if target.shape == output.shape[:-1] else 0
    if target.shape == (output.shape[0], *output.shape[2:]) and not n_classes:
        output = output.movedim(1, -1)
        n_classes = output.shape[-1]
    if not n_classes:
        raise BatchError(_mismatch(output, target))
    _require_classes(target, n_classes)
    return functional.cross_entropy(
        output.reshape(-1, n_classes), target.reshape(-1).long()
    )


def _require_classes(target: torch.Tensor, n_classes: int) -> None:
    if target.is_meta:
        return
    ignored = target == -100  # torch's own mark for "no target here"
    if bool(((target < 0) & ~ignored | (target >= n_classes)).any()):
        what = (
            f"The target holds classes from {int(target.min())} to "
            f"{int(target.max())}, but the output has {n_classes} classes: "
            f"0 to {n_classes - 1}."
        )
        raise BatchError(what)


def _mismatch(output: torch.Tensor, target: torch.Tensor) -> str:
    return (
        f"The output has shape {tuple(output.shape)}, and the target has shape "
        f"{tuple(target.shape)}: they do not fit."
    )


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "mse": _mse,
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
}
