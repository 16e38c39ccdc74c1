"""Read checkpoints where they lie: safetensors files, entry by entry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.checkpoints.folder import PLAN
from fanin.checkpoints.layout import N_BYTES
from fanin.checkpoints.safetensors_file import NAMES
from fanin.checkpoints.writing import INDEX
from fanin.errors import ModelError
from fanin.graph.holding import Holding
from fanin.graph.region import Region

if TYPE_CHECKING:
    from collections.abc import Mapping

DTYPES: Final = {short: name for name, short in NAMES.items()}
LARGEST_HEADER: Final = 100_000_000
"""Bytes: the library refuses longer ones too."""
BROKEN: Final = (OSError, ValueError, LookupError, TypeError, AttributeError)
"""What reading JSON of another kind than was expected raises."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A checkpoint on disk.

    tensors: by name, where they lie. plan: the file of the plan beside them, None if
    there is none.
    """

    tensors: Mapping[str, tuple[Holding, ...]]
    plan: Path | None


def is_checkpoint(path: str | Path) -> bool:
    """Say whether a path names a safetensors file, an index, or a folder with either.

    >>> is_checkpoint("no/such/folder")
    False
    """
    place = Path(path)
    if place.is_dir():
        return bool(_files(place))
    return place.is_file() and place.name.endswith((".safetensors", INDEX))


def read_checkpoint(path: str | Path) -> Stored:
    """Read the headers of all files; numbers stay on the disk until they are asked for.

    Args:
        path: a folder, one of its files, or its index.

    Raises:
        ModelError: if a file is missing, cut short, or no safetensors file.
    """
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    files = [place] if place.name.endswith(".safetensors") else _files(folder)
    tensors: dict[str, tuple[Holding, ...]] = {}
    for file in files:
        tensors |= _read(file)
    plan = folder / PLAN
    return Stored(tensors=tensors, plan=plan if plan.is_file() else None)


def _files(folder: Path) -> list[Path]:
    """Give the files that the index names, or all safetensors files of a folder.

    Raises:
        ModelError: if the index cannot be read, or names a file that is not there.
    """
    index = folder / INDEX
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except BROKEN as error:
        message = f"{str(index)!r} is no index of a checkpoint: {error!r}"
        raise ModelError(message) from error
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        message = f"The checkpoint {str(folder)!r} lacks {', '.join(missing)}."
        raise ModelError(message)
    return [folder / name for name in names]


def _read(file: Path) -> dict[str, tuple[Holding, ...]]:
    """Read a file's header: which tensors it holds, and where.

    Raises:
        ModelError: if it is cut short, or no safetensors file.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if length > min(size, LARGEST_HEADER):
                _refuse(file, "its header is longer than the file")
            header = json.loads(opened.read(length))
        header.pop("__metadata__", None)
        memory = np.memmap(file, dtype=np.uint8, mode="r")[8 + length :]
        return {name: (_holding(file, name, e, memory),) for name, e in header.items()}
    except BROKEN as error:
        message = f"{str(file)!r} is no safetensors file: {error!r}"
        raise ModelError(message) from error


def _holding(
    file: Path, name: str, entry: Mapping[str, Any], memory: np.ndarray
) -> Holding:
    shape = tuple(int(n) for n in entry["shape"])
    dtype = DTYPES.get(entry["dtype"], str(entry["dtype"]))
    first, last = entry["data_offsets"]
    if last > len(memory):
        _refuse(file, f"it ends before the last bytes of {name!r}")
    if dtype in N_BYTES and last - first != prod(shape) * N_BYTES[dtype]:
        _refuse(file, f"the bytes of {name!r} do not fit its shape")
    return Holding(
        shape=shape,
        region=Region.all(shape),
        dtype=dtype,
        take=partial(_taken, memory[first:last], dtype),
    )


def _taken(part: np.ndarray, dtype: str, index: np.ndarray) -> np.ndarray:
    """Give some numbers of a tensor; bfloat16 as float32."""
    if dtype == "bfloat16":
        bits = part.view(np.uint16)[index].astype(np.uint32) << np.uint32(16)
        narrow: np.ndarray = bits.view(np.float32)
        return narrow
    some: np.ndarray = part.view(dtype)[index]
    return np.array(some)


def _refuse(file: Path, what: str) -> None:
    message = f"{str(file)!r} cannot be read: {what}."
    raise ModelError(message)
