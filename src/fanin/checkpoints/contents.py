"""What a checkpoint holds: the numbers of a plan, piece by piece, and a few buffers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.checkpoints.layout import N_BYTES, Entry
from fanin.errors import ArgumentError, NoStorageError
from fanin.graph.draws import Listed, as_draw
from fanin.graph.region import Region
from fanin.sampler.filling import pieces_of
from fanin.sampler.law import MATRICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.draws import Draw
    from fanin.prescription import Plan
    from fanin.prescription.prescription import Prescription

    Typed = tuple[np.ndarray, str]

FLOATS: Final = ("float32", "bfloat16", "float16", "float64")
BITS: Final = {"bfloat16": "uint16"}
"""What NumPy has no type for is written as its bits."""
PIECE: Final = 1 << 23
"""Numbers drawn at a time: 32 MB of float32."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A plan in the dtypes of the file, and the tensors that are not drawn.

    plan: every parameter decided, or kept. kept: the kept ones' values, by path.
    buffers: by name, each array with its dtype; bfloat16 as its bits, uint16. texts:
    of further files (``config.json``).
    """

    plan: Plan
    kept: Mapping[str, np.ndarray]
    buffers: Mapping[str, Typed]
    texts: Mapping[str, str]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """List the tensors: parameters in the model's order, then buffers."""
        drawn = [
            Entry(name=p.path, shape=p.shape, dtype=p.dtype)
            for p in self.plan.prescriptions
        ]
        kept = [
            Entry(name=name, shape=array.shape, dtype=dtype)
            for name, (array, dtype) in self.buffers.items()
        ]
        return (*drawn, *kept)

    @property
    def n_bytes(self) -> int:
        """Count the bytes of all tensors."""
        return sum(entry.n_bytes for entry in self.entries)

    @property
    def most_at_once(self) -> int:
        """Count the bytes of the largest piece that is drawn at a time."""
        return max((_at_once(p) for p in self.plan.prescriptions), default=0)

    @property
    def digest_of_kept(self) -> str:
        """Give 32 digits that say which values are kept and which buffers stored."""
        found = blake2b(digest_size=16)
        stored = {name: array for name, (array, _) in self.buffers.items()}
        for name, array in sorted({**self.kept, **stored}.items()):
            found.update(f"{name} {array.dtype} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).reshape(-1).view("u1").data)
        return found.hexdigest()

    def regions(self, entry: Entry) -> tuple[Region, ...]:
        """Give the boxes that a tensor is written in, in row-major order."""
        is_whole = entry.name in self.buffers or self.plan[entry.name].law in MATRICES
        if is_whole:
            return (Region.all(entry.shape),)
        return tuple(pieces_of(entry.shape, PIECE))

    def numbers(self, entry: Entry, region: Region) -> np.ndarray:
        """Give the numbers of one of these boxes, of its shape."""
        if entry.name in self.buffers:
            return np.ascontiguousarray(self.buffers[entry.name][0])
        numbers = np.empty(region.shape, dtype=BITS.get(entry.dtype, entry.dtype))
        self._draws[entry.name].fill(numbers, region)
        return numbers

    def pieces(self, entry: Entry) -> Iterator[np.ndarray]:
        """Yield a tensor's numbers in row-major order."""
        for region in self.regions(entry):
            yield self.numbers(entry, region)

    @cached_property
    def _draws(self) -> Mapping[str, Draw]:
        kept: dict[str, Draw] = {p: Listed(array) for p, array in self.kept.items()}
        drawn = self.plan.draws(self.kept)
        return kept | {path: as_draw(draw) for path, draw in drawn.items()}


def contents_of(
    plan: Plan,
    *,
    kept: Mapping[str, np.ndarray],
    buffers: Mapping[str, Typed],
    texts: Mapping[str, str],
    dtype: str | None = None,
) -> Contents:
    """Join a plan and what it does not decide; parameters are stored in ``dtype``.

    Args:
        plan: of the model.
        kept: values of the parameters that the plan keeps, by path.
        buffers: by name, as in `Contents`.
        texts: of further files, by name.
        dtype: "float32", "bfloat16", "float16" or "float64"; None for each
            parameter's own.

    Raises:
        ArgumentError: if the dtype is another, or a file has none for a tensor's.
        NoStorageError: if a parameter that the plan keeps has no values.
    """
    if dtype is not None and dtype not in FLOATS:
        expected = f"one of {', '.join(FLOATS)}"
        raise ArgumentError.of(argument="dtype", received=dtype, expected=expected)
    stored = [_stored(p, dtype) for p in plan.prescriptions]
    for p in stored:
        if p.is_kept and p.path not in kept:
            raise NoStorageError.of(p.path)
        if p.dtype not in N_BYTES:
            expected = f"one of {', '.join(N_BYTES)}"
            what = f"dtype of {p.path}"
            raise ArgumentError.of(what, p.dtype, expected)
    for name, (_, kind) in buffers.items():
        if kind not in N_BYTES:
            expected = f"one of {', '.join(N_BYTES)}"
            what = f"dtype of the buffer {name}"
            raise ArgumentError.of(what, kind, expected)
    return Contents(
        plan=replace(plan, prescriptions=tuple(stored)),
        kept=dict(kept),
        buffers=dict(buffers),
        texts=dict(texts),
    )


def _stored(p: Prescription, dtype: str | None) -> Prescription:
    return p if dtype is None or p.dtype not in FLOATS else replace(p, dtype=dtype)


def _at_once(p: Prescription) -> int:
    """Count the bytes that drawing a parameter takes beside the file."""
    if p.law in MATRICES:  # the matrix, and the numbers that it is made from
        return p.size * (N_BYTES[p.dtype] + 2 * 8)
    return min(p.size, PIECE) * N_BYTES[p.dtype]
