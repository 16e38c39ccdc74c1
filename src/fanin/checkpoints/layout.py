"""Which tensor stands in which file of a checkpoint, and at which place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

N_BYTES: Final = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
}
"""Bytes of one number, by the dtypes that a checkpoint may hold."""

UNITS: Final = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One tensor of a checkpoint. name: as in the state_dict. dtype: a key of N_BYTES.

    >>> Entry(name="0.weight", shape=(4, 3), dtype="bfloat16").n_bytes
    24
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Count its numbers."""
        return prod(self.shape)

    @property
    def n_bytes(self) -> int:
        """Count its bytes on disk."""
        return self.size * N_BYTES[self.dtype]


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One file of a checkpoint: its name, and its tensors in the order of their bytes.

    >>> Shard(file="model.safetensors", entries=()).n_bytes
    0
    """

    file: str
    entries: tuple[Entry, ...]

    @property
    def n_bytes(self) -> int:
        """Count the bytes of its tensors."""
        return sum(entry.n_bytes for entry in self.entries)


def shards_of(entries: Iterable[Entry], most_bytes: int) -> tuple[Shard, ...]:
    """Lay tensors, in their order, into files of at most so many bytes each.

    A tensor that is larger than a file may be has a file of its own. The names are
    those that ``transformers`` gives.

    >>> pair = [Entry(name=n, shape=(8,), dtype="float32") for n in "ab"]
    >>> [shard.file for shard in shards_of(pair, 32)]
    ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
    >>> [shard.file for shard in shards_of(pair, 64)]
    ['model.safetensors']
    """
    groups: list[list[Entry]] = [[]]
    filled = 0
    for entry in entries:
        if groups[-1] and filled + entry.n_bytes > most_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(entry)
        filled += entry.n_bytes
    total = len(groups)
    return tuple(
        Shard(file=_file_name(number, total), entries=_aligned(group))
        for number, group in enumerate(groups, 1)
    )


def _aligned(entries: list[Entry]) -> tuple[Entry, ...]:
    """Put the widest numbers first: every tensor then starts at a multiple of one."""
    return tuple(sorted(entries, key=lambda entry: -N_BYTES[entry.dtype]))


def _file_name(number: int, total: int) -> str:
    if total == 1:
        return "model.safetensors"
    return f"model-{number:05d}-of-{total:05d}.safetensors"


def bytes_of(text: str) -> int:
    """Read a size: "5GB", "500 MB", or a number of bytes.

    Raises:
        ArgumentError: if it is none.

    >>> bytes_of("5GB"), bytes_of("1.5 mb"), bytes_of("4096")
    (5000000000, 1500000, 4096)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?b)?\s*", text.lower())
    size = 0 if found is None else int(float(found[1]) * UNITS[_unit(found[2])])
    if size < 1:
        expected = "a size above 0, as in 5GB, 500MB or a number of bytes"
        raise ArgumentError.of(argument="shard_size", received=text, expected=expected)
    return size


def _unit(text: str | None) -> str:
    return "" if text in {None, "b"} else str(text)


def in_words(n_bytes: float) -> str:
    """Give a size as a person says it.

    >>> in_words(141_107_412_992), in_words(24), in_words(999_999)
    ('141.1 GB', '24 bytes', '1.0 MB')
    """
    for unit in ("TB", "GB", "MB", "kB"):
        size = n_bytes / UNITS[unit.lower()]
        if size >= 0.99995 or (unit == "kB" and size >= 1):
            return f"{size:.1f} {unit}"
    return f"{n_bytes:.0f} bytes"
