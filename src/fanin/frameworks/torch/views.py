"""The values of a torch model to look at, without a copy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fanin.frameworks._aten.arrays import as_view
from fanin.frameworks.torch.parameters import (
    named_parameters,
    parameters,
    require_storage,
)
from fanin.frameworks.views import Views

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


def view(model: Any) -> Mapping[str, np.ndarray]:
    """Give the parameters' values by path, over the model's own memory and locked.

    Raises:
        NoStorageError: if one has no memory.

    >>> import torch
    >>> net = torch.nn.Linear(2, 1, bias=False)
    >>> seen = view(net)["weight"]
    >>> _ = torch.nn.init.constant_(net.weight, 3.0)
    >>> seen, seen.flags.writeable
    (array([[3., 3.]], dtype=float32), False)
    """
    tensors = named_parameters(model)
    held = {p.path: tensors[p.path] for p in parameters(model)}
    for path, tensor in held.items():
        require_storage(path, tensor)
    return Views({path: partial(as_view, tensor) for path, tensor in held.items()})
