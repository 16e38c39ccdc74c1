"""The draw of a law on its blocks, mirrored halves and parts, written box by box."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.draws import Computed, Draw, require_fit
from fanin.graph.region import Region
from fanin.graph.rounding import stored_as
from fanin.graph.unit_rows import units_of
from fanin.prescription.boxes import block_axis, boxes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.draws import Write
    from fanin.prescription.boxes import Box
    from fanin.prescription.prescription import Prescription
    from fanin.sampler import Law


class Structured(Draw):
    """The law of a prescription on its blocks, mirrored halves and parts.

    Args:
        prescription: of a law that the sampler draws.
        seed: of the numbers.
        law: on one block.

    Raises:
        ArgumentError: if the shape cannot be cut as the prescription says.
    """

    def __init__(self, prescription: Prescription, seed: int, law: Law) -> None:
        self.p = prescription
        self.seed = seed
        self.axis = block_axis(prescription)
        self.block = block_of(prescription)
        self.law = law
        self.is_plain = self.block == prescription.shape and not prescription.parts

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the shape of the whole parameter."""
        return self.p.shape

    @property
    def is_one_by_one(self) -> bool:
        """Say whether each number can be drawn without the others."""
        from fanin.sampler.law import MATRICES

        return self.law.kind not in MATRICES

    def __call__(self, index: np.ndarray | None) -> np.ndarray:
        """Draw all numbers, or those of some global indices."""
        if index is None and self.is_one_by_one:
            from fanin.sampler import dtype_of

            out = np.empty(self.p.shape, dtype=dtype_of(self.p.dtype))
            self.fill(out)
            return out
        return self._numbers(index)

    def _numbers(self, index: np.ndarray | None) -> np.ndarray:
        """Draw by way of arrays of that many numbers."""
        numbers = self._whole() if index is None else self._some(np.asarray(index))
        return with_parts(self.p, numbers, index)

    def prepared(self, out: np.ndarray, region: Region | None = None) -> Write:
        """Give what draws the numbers of a region where they are to stand."""
        box = Region.all(self.shape) if region is None else region
        require_fit(out, box, self.shape)
        is_fitting = self._fits(out)
        if is_fitting and self.is_plain:
            return self._filling(out, region)
        can_draw = is_fitting and self.is_one_by_one
        boxes = boxes_of(self.p, box) if can_draw else None
        if boxes is None:
            return Computed(self._numbers, self.shape).prepared(out, region)
        writes = [self._of_box(_part(out, each), each) for each in boxes]
        return writes[0] if len(writes) == 1 else partial(_run_all, writes)

    def _filling(self, out: np.ndarray, region: Region | None) -> Write:
        from fanin.sampler import filling

        path, seed = self.p.path, self.seed
        return filling(out, path, self.block, self.law, seed=seed, region=region)

    def _of_box(self, out: np.ndarray, box: Box) -> Write:
        from fanin.sampler import Law, filling

        is_set = box.value is not None
        return filling(
            out,
            self.p.path,
            self.block,
            Law("constant", value=box.value) if is_set else self.law,
            seed=self.seed,
            region=box.region,
            stream=box.stream,
            times=1.0 if is_set else box.times,
        )

    def _fits(self, out: np.ndarray) -> bool:
        """Say whether the sampler's rounding to that memory is the only one."""
        own = self.p.dtype
        stored = stored_as(out.dtype)
        return stored == own or (own == "float32" and stored in {"float16", "bfloat16"})

    def _drawn(self, stream: int, index: np.ndarray | None) -> np.ndarray:
        from fanin.sampler import draw

        return draw(
            self.p.path,
            self.block,
            self.law,
            seed=self.seed,
            dtype=wide(self.p.dtype) if self.p.parts else self.p.dtype,
            index=index,
            stream=stream,
        )

    def _whole(self) -> np.ndarray:
        blocks = [self._drawn(stream, None) for stream in range(self.p.n_blocks)]
        whole = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, self.axis)
        for axis in self.p.mirrored:
            whole = np.concatenate([whole, -whole], axis)
        return whole

    def _some(self, index: np.ndarray) -> np.ndarray:
        if self.block == self.p.shape:
            return self._drawn(0, index)
        places = list(np.unravel_index(index, self.p.shape))
        signs = np.ones(len(index), dtype=np.int8)
        for axis in self.p.mirrored:
            second, places[axis] = np.divmod(places[axis], self.p.shape[axis] // 2)
            signs = np.where(second == 1, -signs, signs)
        streams, places[self.axis] = np.divmod(places[self.axis], self.block[self.axis])
        within = np.ravel_multi_index(tuple(places), self.block)
        numbers = self._drawn(0, within)
        for stream in range(1, self.p.n_blocks):
            here = streams == stream
            numbers[here] = self._drawn(stream, within[here])
        signed: np.ndarray = numbers * signs.astype(numbers.dtype)
        return signed


def block_of(prescription: Prescription) -> tuple[int, ...]:
    """Give the shape that the law is drawn on.

    Raises:
        ArgumentError: if the shape cannot be cut so.
    """
    lengths = list(prescription.shape)
    for axis in prescription.mirrored:
        lengths[axis] = _divided(prescription, lengths[axis], 2)
    if prescription.n_blocks > 1:
        axis = block_axis(prescription)
        lengths[axis] = _divided(prescription, lengths[axis], prescription.n_blocks)
    return tuple(lengths)


def with_parts(
    p: Prescription, numbers: np.ndarray, index: np.ndarray | None
) -> np.ndarray:
    """Multiply or set the units that have something of their own, and round once.

    Args:
        p: its parts.
        numbers: of all entries, in shape, or of some.
        index: their global indices; None for all.
    """
    if not p.parts:
        return numbers
    from fanin.sampler import dtype_of

    where = np.arange(p.size) if index is None else np.asarray(index)
    found = numbers.astype(wide(p.dtype)).reshape(-1)
    units = units_of(p.shape, p.roles, where)
    for part in p.parts:
        place = units % part.period
        here = (part.start <= place) & (place < part.start + part.size)
        found[here] = found[here] * part.factor if part.value is None else part.value
    rounded = found.astype(dtype_of(p.dtype))
    return rounded.reshape(p.shape) if index is None else rounded


def wide(dtype: str) -> str:
    """Give the dtype in which numbers are worked on before they are rounded once."""
    return "float64" if dtype == "float64" else "float32"


def _part(out: np.ndarray, box: Box) -> np.ndarray:
    place: Any = (*box.place, ...)  # of a scalar too a view
    part: np.ndarray = out[place]
    return part


def _run_all(writes: Sequence[Write]) -> None:
    for write in writes:
        write()


def _divided(prescription: Prescription, length: int, n_parts: int) -> int:
    if length % n_parts:
        expected = (
            f"a shape whose cut axis {n_parts} divides, for {prescription.path!r}"
        )
        raise ArgumentError.of(
            argument="shape", received=prescription.shape, expected=expected
        )
    return length // n_parts
