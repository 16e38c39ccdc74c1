"""The example batch: as arguments of the model, on its device, without NaN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.errors import BatchError
from fanin.frameworks.torch.structures import mapped, parts
from fanin.frameworks.torch.wrapped import bare

if TYPE_CHECKING:
    from fanin.graph import Task


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What the model is called with.

    call: in place of arguments, a function of the model that gives its output.
    """

    positional: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    call: Callable[[Any], Any] | None = None

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All tensors among the arguments, in order."""
        return tuple(tensor for _, tensor in tensors_in(self))

    @property
    def batch_size(self) -> int | None:
        """How many samples there are: length of the first tensor's first axis."""
        return next((len(t) for t in self.tensors if t.dim() > 0), None)

    def run(self, model: Any) -> Any:
        """Call the model; what wraps it runs only if the caller's function calls it."""
        if self.call is not None:
            return self.call(model)
        return bare(model)(*self.positional, **self.keywords)

    def copied(self) -> Arguments:
        """Give copies, so that a model that writes into its input changes nothing."""
        return self.map(lambda tensor: tensor.clone())

    def map(self, change: Callable[[Any], torch.Tensor]) -> Arguments:
        """Give the same arguments with every tensor changed."""
        return Arguments(
            positional=mapped(self.positional, change),
            keywords=mapped(dict(self.keywords), change),
            call=self.call,
        )

    def describe(self) -> str:
        """Say which shapes there are, for an error message."""
        found = [
            f"{name}: {tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
            for name, tensor in tensors_in(self)
        ]
        return ", ".join(found) or "no tensor"


def arguments_of(model: Any, task: Task) -> Arguments:
    """Turn a task's batch into arguments.

    Arrays become tensors on the model's device, floating ones in its type; tensors are
    taken as they are, but for the device.

    Raises:
        BatchError: if a tensor of the batch holds NaN or infinity, or there is none.
    """
    if task.objective is not None:
        return Arguments(call=task.objective)
    if callable(task.batch) and not isinstance(task.batch, torch.Tensor):
        return Arguments(call=task.batch)
    if task.batch is None:
        what = (
            "There is no batch. Give one (an array, a tuple, a dict of keywords or a "
            "function of the model), or an objective."
        )
        raise BatchError(what)
    like = next((p for p in model.parameters() if p.is_floating_point()), None)
    arguments = _placed(_given(task.batch), like)
    for name, tensor in tensors_in(arguments):
        _require_finite(name, tensor)
    return arguments


def _given(batch: Any) -> Arguments:
    if isinstance(batch, Mapping):
        return Arguments(keywords=dict(batch))
    if isinstance(batch, tuple | list):
        return Arguments(positional=tuple(batch))
    return Arguments(positional=(batch,))


def _placed(arguments: Arguments, like: torch.Tensor | None) -> Arguments:
    return arguments.map(lambda leaf: placed(leaf, like))


def placed(value: Any, like: torch.Tensor | None) -> Any:
    """Give an array or a tensor as a tensor beside ``like``; anything else as it is."""
    if isinstance(value, np.ndarray | np.generic):
        tensor = torch.from_numpy(np.array(value, copy=True))
        if like is not None and tensor.is_floating_point():
            tensor = tensor.to(like.dtype)
    elif isinstance(value, torch.Tensor):
        tensor = value.detach()
        if tensor.is_inference():
            tensor = tensor.clone()
    else:
        return value
    if like is not None and not like.is_meta and not tensor.is_meta:
        tensor = tensor.to(like.device)
    return tensor


def tensors_in(value: Any, name: str = "batch") -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every tensor inside a structure, with a name that says where it is."""
    if isinstance(value, Arguments):
        alone = len(value.positional) == 1 and not value.keywords
        yield from tensors_in(value.positional[0] if alone else value.positional, name)
        yield from tensors_in(value.keywords, name)
    elif isinstance(value, torch.Tensor):
        yield name, value
    else:
        for key, item in parts(value):
            yield from tensors_in(item, f"{name}{key}")


def _require_finite(name: str, tensor: torch.Tensor) -> None:
    if tensor.is_meta or not tensor.is_floating_point():
        return
    n_bad = int((~torch.isfinite(tensor)).sum())
    if n_bad:
        what = (
            f"{name} of shape {tuple(tensor.shape)} holds {n_bad} value(s) that are "
            "NaN or infinite. Give a batch of finite numbers."
        )
        raise BatchError(what)
