"""From a Prescription to its numbers: each a function of seed, path and index alone.

A shard asks for the numbers of its own indices and gets the bits of the whole. In this
order: the law is drawn for each block, the mirrored halves are laid beside it, and the
parts are multiplied or set. Block k takes the stream k of the parameter's name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError, ShapeError, UnknownParameterError
from fanin.graph.draws import Computed, Draw, Listed
from fanin.graph.unit_rows import entries_of, n_units, units_of
from fanin.prescription.prescription import OFFSET, VALUES, Prescription
from fanin.prescription.write_down import matrix_gain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fanin.sampler import Law


def draws_of(
    prescriptions: Iterable[Prescription],
    seed: int,
    values: Mapping[str, np.ndarray],
) -> dict[str, Draw]:
    """Give the draw of each parameter that is not kept, by path.

    Args:
        prescriptions: of all parameters.
        seed: of those that have none of their own.
        values: present values by path, of kept weights that a bias follows.

    Raises:
        ArgumentError: if such values are missing.
        UnknownParameterError: if a bias follows a weight that is not there.
    """
    known = {p.path: p for p in prescriptions}
    drawn = {p.path: draw_of(p, seed) for p in known.values() if _is_free(p)}
    for p in known.values():
        if p.law == OFFSET:
            weight = known.get(p.weight or "")
            if weight is None:
                raise UnknownParameterError.of(p.weight or "", known)
            source = drawn.get(weight.path) or _present(weight, p, values)
            drawn[p.path] = offset_of(p, weight, source)
    return {path: drawn[path] for path, p in known.items() if not p.is_kept}


def draw_of(prescription: Prescription, seed: int) -> Draw:
    """Give the draw of one prescription of any law but "offset" and "keep"."""
    if prescription.law == VALUES:
        entries = np.array(prescription.values).reshape(prescription.shape)
        return _with_parts(prescription, Listed(entries))
    own = seed if prescription.seed is None else prescription.seed
    return _with_parts(
        prescription,
        Computed(_Structure(prescription, own).draw, prescription.shape),
    )


def without_centre(prescription: Prescription) -> Prescription:
    """Give the values without the part that fits only one draw of the weights."""
    p = prescription
    if not p.centre:
        return p
    values = tuple(v - c for v, c in zip(p.values, p.centre, strict=True))
    return replace(p, values=values, centre=(), value=sum(values) / len(values))


def law_of(prescription: Prescription) -> Law:
    """Give the sampler's law of a prescription that is drawn."""
    from fanin.sampler import Law

    if prescription.law == "constant":
        return Law("constant", value=prescription.value)
    if prescription.law in {"orthogonal", "identity"}:
        gain = matrix_gain(prescription)
        return Law(prescription.law, gain=gain, roles=prescription.roles)
    return Law(prescription.law, std=prescription.std)


def offset_of(bias: Prescription, weight: Prescription, source: Draw) -> Draw:
    """Give −value·(sum of the weight's row) of each unit, so that W(x − value) is made.

    The rows are summed in float64.

    Args:
        bias: of law "offset"; its ``roles`` are those of the weight's axes.
        weight: what it follows.
        source: the weight's numbers.

    Raises:
        ShapeError: if the bias has not one entry for each unit of the weight.
    """
    roles = bias.roles
    if roles is None or n_units(weight.shape, roles) != bias.size:
        units = 0 if roles is None else n_units(weight.shape, roles)
        raise ShapeError.of(bias.path, bias.shape, (units,))

    def draw(index: np.ndarray | None) -> np.ndarray:
        units = np.arange(bias.size) if index is None else np.asarray(index)
        entries = entries_of(weight.shape, roles, units)
        if index is None:
            rows = source(None).reshape(-1)[entries]
        else:
            rows = source(entries.reshape(-1)).reshape(entries.shape)
        sums = -bias.value * rows.astype(np.float64).sum(axis=1)
        numbers = _cast(sums, bias.dtype)
        return numbers.reshape(bias.shape) if index is None else numbers

    return _with_parts(replace(bias, roles=None), Computed(draw, bias.shape))


class _Structure:
    """The law of a prescription on its blocks and mirrored halves."""

    def __init__(self, prescription: Prescription, seed: int) -> None:
        self.p = prescription
        self.seed = seed
        roles = prescription.roles
        self.axis = roles.outputs[0] if roles is not None and roles.outputs else 0
        lengths = list(prescription.shape)
        for axis in prescription.mirrored:
            lengths[axis] = _divided(prescription, lengths[axis], 2)
        if prescription.n_blocks > 1:
            axis, n_blocks = self.axis, prescription.n_blocks
            lengths[axis] = _divided(prescription, lengths[axis], n_blocks)
        self.block = tuple(lengths)
        self.law = law_of(replace(prescription, shape=self.block))

    def draw(self, index: np.ndarray | None) -> np.ndarray:
        """Draw all numbers, or those of some global indices."""
        return self._whole() if index is None else self._some(np.asarray(index))

    def _drawn(self, stream: int, index: np.ndarray | None) -> np.ndarray:
        from fanin.sampler import draw

        return draw(
            self.p.path,
            self.block,
            self.law,
            seed=self.seed,
            dtype=_wide(self.p.dtype) if self.p.parts else self.p.dtype,
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


def _with_parts(prescription: Prescription, draw: Draw) -> Draw:
    """Multiply or set the units that have something of their own."""
    p = prescription
    if not p.parts:
        return draw

    def changed(index: np.ndarray | None) -> np.ndarray:
        where = np.arange(p.size) if index is None else np.asarray(index)
        numbers = draw(index).astype(_wide(p.dtype)).reshape(-1)
        units = units_of(p.shape, p.roles, where)
        for part in p.parts:
            place = units % part.period
            here = (part.start <= place) & (place < part.start + part.size)
            numbers[here] = (
                numbers[here] * part.factor if part.value is None else part.value
            )
        result = _cast(numbers, p.dtype)
        return result.reshape(p.shape) if index is None else result

    return Computed(changed, p.shape)


def _is_free(prescription: Prescription) -> bool:
    return not prescription.is_kept and prescription.law != OFFSET


def _present(
    weight: Prescription, bias: Prescription, values: Mapping[str, np.ndarray]
) -> Draw:
    """Give the present values of a kept weight as a draw."""
    if weight.path not in values:
        expected = (
            f"the present values of {weight.path!r}, which is kept and which the bias "
            f"{bias.path!r} follows"
        )
        raise ArgumentError.of(
            argument="values", received=sorted(values), expected=expected
        )
    return Listed(np.asarray(values[weight.path]))


def _wide(dtype: str) -> str:
    """Give the dtype in which numbers are worked on before they are rounded once."""
    return "float64" if dtype == "float64" else "float32"


def _cast(numbers: np.ndarray, dtype: str) -> np.ndarray:
    from fanin.sampler import dtype_of

    return numbers.astype(dtype_of(dtype))


def _divided(prescription: Prescription, length: int, n_parts: int) -> int:
    if length % n_parts:
        expected = (
            f"a shape whose cut axis {n_parts} divides, for {prescription.path!r}"
        )
        raise ArgumentError.of(
            argument="shape", received=prescription.shape, expected=expected
        )
    return length // n_parts
