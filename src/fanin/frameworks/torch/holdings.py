"""What this process holds of a torch model's parameters, to be looked at."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.frameworks._aten.arrays import as_view
from fanin.frameworks.torch.parameters import (
    named_parameters,
    parameters,
    require_storage,
)
from fanin.frameworks.torch.sharded import pieces
from fanin.graph.holding import Holding
from fanin.graph.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator


def holdings(model: Any) -> dict[str, tuple[Holding, ...]]:
    """Give the boxes of each parameter that this process holds, by path.

    No other process is asked: of a parameter that is spread over processes
    (``fully_shard``, ``parallelize_module``) these are its own shards.

    Raises:
        NoStorageError: if one has no memory.

    >>> held = holdings(torch.nn.Linear(3, 2))
    >>> [(path, boxes[0].region.shape) for path, boxes in held.items()]
    [('weight', (2, 3)), ('bias', (2,))]
    """
    tensors = named_parameters(model)
    return {p.path: tuple(_held(p.path, tensors[p.path])) for p in parameters(model)}


def _held(path: str, tensor: torch.Tensor) -> Iterator[Holding]:
    require_storage(path, tensor)
    shape = tuple(tensor.shape)
    for piece in pieces(path, tensor):
        yield Holding(
            shape=shape,
            region=piece.region or Region.all(shape),
            dtype=str(tensor.dtype).removeprefix("torch."),
            take=partial(_taken, piece.memory),
        )


def _taken(memory: torch.Tensor, index: np.ndarray) -> np.ndarray:
    """Give some numbers of a tensor of any strides, on any device; no more move."""
    if memory.is_contiguous():
        where = torch.from_numpy(np.asarray(index, np.int64)).to(memory.device)
        return as_view(memory.view(-1)[where])
    places = np.unravel_index(index, tuple(memory.shape))
    return as_view(memory[tuple(torch.from_numpy(p).to(memory.device) for p in places)])
