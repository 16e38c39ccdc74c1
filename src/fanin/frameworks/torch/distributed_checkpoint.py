"""Write numbers that are drawn piece by piece with torch.distributed.checkpoint."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch.distributed.checkpoint.default_planner import DefaultSavePlanner
from torch.distributed.checkpoint.filesystem import FileSystemWriter
from torch.distributed.checkpoint.metadata import (
    ChunkStorageMetadata,
    MetadataIndex,
    TensorProperties,
)
from torch.distributed.checkpoint.planner import (
    SavePlan,
    TensorWriteData,
    WriteItem,
    WriteItemType,
)
from torch.distributed.checkpoint.state_dict_saver import save

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from fanin.graph.region import Region

    Tensors = Mapping[str, tuple[tuple[int, ...], str]]
    Cut = Callable[[str], Sequence[Region]]
    Give = Callable[[str, Region], np.ndarray]


def write(folder: Path, tensors: Tensors, cut: Cut, give: Give) -> None:
    """Write a checkpoint that ``torch.distributed.checkpoint.load`` reads.

    Each region is a file of its own, so that no more than one is in memory at a time.

    Args:
        folder: a new one; ``.metadata`` is its last file.
        tensors: name → (shape, dtype).
        cut: name → the regions that it is written in.
        give: name, region → its numbers; bfloat16 as 16-bit words.
    """
    planner = _Drawn(tensors, cut, give)
    writer = FileSystemWriter(folder, single_file_per_rank=False, thread_count=1)
    with warnings.catch_warnings():  # one process writes, and that is what is wanted
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        save({}, storage_writer=writer, planner=planner, no_dist=True)


class _Drawn(DefaultSavePlanner):
    """Plans one item a region, and draws it when it is written."""

    def __init__(self, tensors: Tensors, cut: Cut, give: Give) -> None:
        super().__init__()
        self.tensors = tensors
        self.cut = cut
        self.give = give
        self.regions: dict[MetadataIndex, Region] = {}

    def create_local_plan(self) -> SavePlan:
        items = []
        for name, (shape, dtype) in self.tensors.items():
            for number, region in enumerate(self.cut(name)):
                index = MetadataIndex(name, torch.Size(region.start), number)
                self.regions[index] = region
                items.append(_item(index, region, shape, getattr(torch, dtype)))
        self.plan = SavePlan(items, planner_data={n: (n,) for n in self.tensors})
        return self.plan

    def resolve_data(self, write_item: WriteItem) -> Any:
        region = self.regions[write_item.index]
        name = write_item.index.fqn
        dtype = getattr(torch, self.tensors[name][1])
        array = self.give(name, region)
        if dtype == torch.bfloat16:
            return torch.from_numpy(array.view("i2")).view(dtype)
        return torch.from_numpy(array)


def _item(
    index: MetadataIndex, region: Region, shape: tuple[int, ...], dtype: torch.dtype
) -> WriteItem:
    chunk = ChunkStorageMetadata(
        offsets=torch.Size(region.start), sizes=torch.Size(region.shape)
    )
    return WriteItem(
        index=index,
        type=WriteItemType.SHARD,
        tensor_data=TensorWriteData(
            chunk=chunk,
            properties=TensorProperties(dtype=dtype),
            size=torch.Size(shape),
        ),
    )
