"""Build a model whose parameters take no memory, while its buffers are real."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.weak import WeakIdKeyDictionary

from fanin.frameworks.torch.parameters import buffers, is_lazy
from fanin.frameworks.torch.wrapped import without_wrappers

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


@contextmanager
def weightless() -> Iterator[None]:
    """Let every parameter go to the meta device as soon as a module has it.

    ``torch.device("meta")`` would take the buffers along, and with them the numbers
    that a constructor computes (running statistics, rotary frequencies).

    >>> with weightless():
    ...     net = torch.nn.BatchNorm1d(3)
    >>> net.weight.is_meta, net.running_var.tolist()
    (True, [1.0, 1.0, 1.0])
    """
    original = torch.nn.Module.register_parameter
    emptied = WeakIdKeyDictionary()  # one for each: what is tied stays tied

    def register(
        self: torch.nn.Module, name: str, param: torch.nn.Parameter | None
    ) -> None:
        original(self, name, param)
        if param is None or param.is_meta or is_lazy(param):
            return
        if param not in emptied:
            emptied[param] = _emptied(param)
        self._parameters[name] = emptied[param]

    torch.nn.Module.register_parameter = register  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.nn.Module.register_parameter = original  # type: ignore[method-assign]


def _emptied(parameter: torch.nn.Parameter) -> torch.nn.Parameter:
    return torch.nn.Parameter(
        parameter.detach().to("meta"), requires_grad=parameter.requires_grad
    )


def stored_buffers(model: Any) -> dict[str, np.ndarray]:
    """Copy out the buffers that a state_dict holds, by name.

    >>> sorted(stored_buffers(torch.nn.BatchNorm1d(3)))
    ['num_batches_tracked', 'running_mean', 'running_var']
    """
    state = dict(model.state_dict())
    kept = {path for _, path in without_wrappers(model, state)}
    return {name: array for name, array in buffers(model).items() if name in kept}
