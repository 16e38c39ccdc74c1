"""Run a borrowed model on a task, and say what went wrong if it does."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fanin.errors import BatchError, FaninError, ModelError, NothingToTrainError
from fanin.frameworks._aten.arrays import as_view
from fanin.frameworks.torch.parameters import parameters
from fanin.frameworks.torch.place import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import torch

    from fanin.frameworks.framework import Keep
    from fanin.frameworks.torch.batch import Arguments
    from fanin.frameworks.torch.loan import Substitutes

_SHAPE_WORDS = ("shape", "size", "dimension", "channels", "broadcast", "out of range")


@contextmanager
def told(model: Any, arguments: Arguments) -> Iterator[None]:
    """Turn an error of the model into a ModelError that names shapes; keep it as cause.

    Raises:
        BatchError: if the model's error speaks of shapes.
        ModelError: if it speaks of anything else.
    """
    try:
        yield
    except FaninError:
        raise
    except Exception as why:
        name = type(model).__name__
        given = arguments.describe()
        line = line_of(why)
        where = f" at {line}" if line else ""
        what = f"{name} raised {type(why).__name__}{where} on {given}: {why}"
        if _asks_for_numbers(arguments, why):
            raise ModelError(_without_numbers(name, where, why)) from why
        is_about_shapes = any(word in str(why).lower() for word in _SHAPE_WORDS)
        if isinstance(why, RuntimeError | ValueError | IndexError) and is_about_shapes:
            raise BatchError(what) from why
        raise ModelError(what) from why


def _asks_for_numbers(arguments: Arguments, why: Exception) -> bool:
    """Say whether a run on shapes alone ended where the model looked at a number."""
    is_meta = any(tensor.is_meta for tensor in arguments.tensors)
    is_refused = isinstance(why, NotImplementedError) or "meta tensor" in str(why)
    return is_meta and is_refused


def _without_numbers(name: str, where: str, why: Exception) -> str:
    reason = str(why).partition("\n")[0].partition(". ")[0]
    return (
        f"{name} looks at the numbers of a tensor{where}, and on the meta device there "
        f"are none ({reason}). Build the model on a device with memory, "
        "or let the line depend on shapes alone."
    )


def require_trainable(model: Any) -> None:
    """Refuse a model in which nothing can learn.

    Raises:
        NothingToTrainError: if no parameter requires a gradient.
    """
    if not any(tensor.requires_grad for tensor in model.parameters()):
        raise NothingToTrainError.of(len(parameters(model)))


def gradients_of(
    scalar: torch.Tensor, substitutes: Substitutes, keep: Keep | None = None
) -> dict[str, np.ndarray | None]:
    """Give d(scalar)/d(parameter) by path; None where it does not depend on it.

    Args:
        scalar: made from the substitutes.
        substitutes: leaves made for this run; their gradients are taken off again.
        keep: what is kept of each gradient as it arrives; None for all of it.
    """
    wanted = {p: t for p, t in substitutes.items() if t.requires_grad}
    found: dict[str, np.ndarray | None] = dict.fromkeys(substitutes)

    def catch(path: str, tensor: torch.Tensor) -> None:
        gradient, tensor.grad = tensor.grad, None
        if gradient is not None:
            array = as_view(gradient)
            found[path] = array if keep is None else keep(path, array)

    if not (scalar.requires_grad and wanted):
        return found
    hooks = [
        tensor.register_post_accumulate_grad_hook(partial(catch, path))  # type: ignore[no-untyped-call]
        for path, tensor in wanted.items()
    ]
    try:
        scalar.backward(inputs=list(wanted.values()))  # type: ignore[no-untyped-call]
    finally:
        for hook in hooks:
            hook.remove()
    return found
