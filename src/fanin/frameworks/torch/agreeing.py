"""Where the processes that share a model must agree: one of them says, all take it.

Drawing needs no agreement: a number depends on the seed, the path and the index alone.
The seed itself must be one, and so must what was measured on a batch.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fanin.frameworks._aten.arrays import as_view
from fanin.frameworks.torch.sharded import is_sharded
from fanin.frameworks.torch.structures import parts
from fanin.frameworks.torch.wrapped import held_by

if TYPE_CHECKING:
    from collections.abc import Iterator


def agreed(model: Any, said: Any) -> Any:
    """Give what the first process that shares the model said, on all of them.

    Args:
        model: spread by DTensor placements or by DistributedDataParallel; of any other
            nothing is asked.
        said: anything that can be pickled.

    >>> agreed(torch.nn.Linear(1, 1), 7)
    7
    """
    for group, device in _groups(model):
        said = _broadcast(said, group, device)
    return said


def is_unanimous(model: Any, said: str) -> bool:
    """Say, on all processes that share the model alike, whether all say the same."""
    first = agreed(model, said)
    dissent = said != first
    for group, device in _groups(model):
        dissent = _any(dissent, group, device)
    return not dissent


def shares_batch(model: Any, batch: Any) -> bool:
    """Say whether all processes that share the model were given the same batch.

    Of a batch that is a function nothing can be told: True.
    """
    return is_unanimous(model, "" if callable(batch) else fingerprint(batch))


def fingerprint(batch: Any) -> str:
    """Give a text that differs where the numbers in a structure differ.

    >>> fingerprint({"x": np.ones(2)}) == fingerprint({"x": np.zeros(2)})
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    for leaf in _leaves(batch):
        array = _numbers(leaf)
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _numbers(leaf: Any) -> np.ndarray:
    if not isinstance(leaf, torch.Tensor):
        return np.asarray(leaf)
    return np.empty(0) if leaf.is_meta else as_view(leaf)


def _leaves(value: Any) -> Iterator[Any]:
    inner = parts(value)
    for _, item in inner:
        yield from _leaves(item)
    if not inner and isinstance(value, np.ndarray | np.generic | torch.Tensor):
        yield value


def _groups(model: Any) -> Iterator[tuple[Any, str]]:
    """Yield the process groups along each axis of each mesh, each once, and its device.

    What the first process says goes along one axis after the other, and so to all.
    """
    seen: list[Any] = []
    for parameter in model.parameters():
        if is_sharded(parameter) and parameter.device_mesh not in seen:
            seen.append(parameter.device_mesh)
    for mesh in sorted(seen, key=lambda mesh: -mesh.size()):
        if mesh.get_coordinate() is not None:
            for axis in range(mesh.ndim):
                yield mesh.get_group(axis), mesh.device_type
    for module in model.modules():
        if type(module).__name__ == "DistributedDataParallel" and held_by(module):
            device = next(module.parameters()).device.type
            yield module.process_group, device


def _broadcast(said: Any, group: Any, device: str) -> Any:
    distributed: Any = sys.modules["torch.distributed"]
    box = [said]
    first = distributed.get_global_rank(group, 0)
    distributed.broadcast_object_list(box, src=first, group=group, device=_of(device))
    return box[0]


def _any(claim: bool, group: Any, device: str) -> bool:  # noqa: FBT001 (what is asked)
    distributed = sys.modules["torch.distributed"]
    count = torch.tensor([int(claim)], device=_of(device))
    distributed.all_reduce(count, group=group)
    return bool(count.item())


def _of(device: str) -> Any:
    return torch.empty(0, device=device).device  # with the number of this process's
