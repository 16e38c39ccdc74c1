"""The methods by which a module writes anew what no law draws, the surest first."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

METHODS: Final = (
    "reset_buffers",
    "reset_running_stats",
    "rope_init",
    "reset_parameters",
    "_reset_parameters",
    "init_weights",
)
"""What modules call it: a name for buffers alone; batch norm's; torchtune's; those that
write the parameters as well (FSDP's contract for the meta device); torchtitan's."""


def ways(around: Sequence[Any]) -> Iterator[tuple[Callable[[], object], Any]]:
    """Yield what may write a module's tensors, each with the module it is called on.

    Args:
        around: the module and those that hold it, the innermost first.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.BatchNorm1d(2))
    >>> [write.__name__ for write, _ in ways([net[0], net])]
    ['reset_running_stats', 'reset_parameters']
    """
    if any(map(_is_pretrained, around)):
        yield partial(_as_transformers_do, around), around[-1]
    for module in around:
        for name in METHODS:
            method = getattr(module, name, None)
            if callable(method) and _needs_nothing(method):
                yield method, module


def _needs_nothing(method: Callable[..., object]) -> bool:
    try:
        inspect.signature(method).bind()
    except (TypeError, ValueError):
        return False
    return True


def _as_transformers_do(around: Sequence[Any]) -> None:
    """Let a model of ``transformers`` write a module, then those that hold it.

    The outer ones have the last word: a table of positions is drawn as a table, and
    then written by the encoder that reads it.
    """
    from transformers import initialization

    with initialization.guard_torch_init_functions():
        for n, module in enumerate(around):
            owner = next(filter(_is_pretrained, around[n:]), None)
            if owner is not None:
                owner._init_weights(module)  # noqa: SLF001 (as its own loader does)


def _is_pretrained(module: Any) -> bool:
    names = ((kind.__module__, kind.__name__) for kind in type(module).__mro__)
    return ("transformers.modeling_utils", "PreTrainedModel") in names
