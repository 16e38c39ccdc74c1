"""Write one file in the safetensors format from pieces, in bounded memory.

The format (https://huggingface.co/docs/safetensors): eight bytes with the length of the
header, the header as JSON, then the tensors' bytes one after another, little-endian and
row-major. The library's own writer takes whole tensors; this one takes pieces.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy as np

    from fanin.checkpoints.layout import Entry

NAMES: Final = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
"""The format's names of dtypes."""

ALIGNED: Final = 8


def header_of(entries: Iterable[Entry], metadata: Mapping[str, str]) -> bytes:
    r"""Give everything that stands before the first tensor's bytes.

    Args:
        entries: in the order of their bytes.
        metadata: text by name, kept in the header.

    >>> header_of([], {})
    b'\x18\x00\x00\x00\x00\x00\x00\x00{"__metadata__":{}}     '
    """
    table: dict[str, object] = {"__metadata__": dict(metadata)}
    start = 0
    for entry in entries:
        end = start + entry.n_bytes
        table[entry.name] = {
            "dtype": NAMES[entry.dtype],
            "shape": list(entry.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNED)
    return len(text).to_bytes(8, "little") + text


def write(
    path: Path,
    entries: Iterable[Entry],
    metadata: Mapping[str, str],
    pieces: Callable[[Entry], Iterator[np.ndarray]],
    on_bytes: Callable[[int], None],
) -> None:
    """Write a file, piece by piece.

    Args:
        path: a new file.
        entries: its tensors.
        metadata: as in `header_of`.
        pieces: a tensor's numbers in row-major order, in arrays that may share one
            buffer: each is written before the next is asked for.
        on_bytes: called with the bytes of each piece.

    Raises:
        OSError: if the disk is full, or the file cannot be written.
    """
    entries = tuple(entries)
    with path.open("wb") as file:
        file.write(header_of(entries, metadata))
        for entry in entries:
            for piece in pieces(entry):
                file.write(piece.reshape(-1).view("u1").data)
                on_bytes(piece.nbytes)


def is_whole(path: Path, entries: Iterable[Entry], metadata: Mapping[str, str]) -> bool:
    """Say whether a file has this header and all of its bytes."""
    entries = tuple(entries)
    header = header_of(entries, metadata)
    size = len(header) + sum(entry.n_bytes for entry in entries)
    if not path.is_file() or path.stat().st_size != size:
        return False
    with path.open("rb") as file:
        return file.read(len(header)) == header
