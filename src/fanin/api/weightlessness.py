"""fanin.weightless: build a model of any size; its parameters take no memory."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from fanin.errors import MissingDependencyError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any


def weightless() -> AbstractContextManager[Any]:
    """Let the parameters of PyTorch models that are built inside take no memory.

    They go to the meta device as soon as a module has them. Buffers (running
    statistics, rotary frequencies) are real and hold what their constructors compute,
    which under ``torch.device("meta")`` they do not. Such a model is planned as any
    other; `fanin.seed_checkpoint` writes its weights to disk.

    Raises:
        MissingDependencyError: if torch is not installed.

    >>> import fanin, torch
    >>> with fanin.weightless():
    ...     net = torch.nn.BatchNorm1d(3)
    >>> net.weight.is_meta, net.running_var.tolist()
    (True, [1.0, 1.0, 1.0])
    """
    if importlib.util.find_spec("torch") is None:
        name, purpose = "torch", "A model whose parameters take no memory"
        raise MissingDependencyError.of(name, purpose, "torch")
    from fanin.frameworks.torch.weightless import weightless as entered

    return entered()
