"""From a Prescription to its numbers: each a function of seed, path and index alone.

A shard asks for the numbers of its own indices and gets the bits of the whole. In this
order: the law is drawn for each block, the mirrored halves are laid beside it, and the
parts are multiplied or set. Block k takes the stream k of the parameter's name.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.errors import ArgumentError, ShapeError, UnknownParameterError
from fanin.graph.draws import Computed, Draw, Listed
from fanin.graph.rounding import rounded_to
from fanin.graph.unit_rows import entries_of, n_units
from fanin.prescription.prescription import OFFSET, VALUES, Prescription
from fanin.prescription.structured import Structured, block_of, with_parts
from fanin.prescription.write_down import matrix_gain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fanin.graph.fans import AxisRoles
    from fanin.sampler import Law


AT_ONCE: Final = 1 << 20
"""Entries of a weight that are summed at a time."""


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
        dtype = None if prescription.parts else prescription.dtype
        return _with_parts(prescription, Listed(rounded_to(entries, dtype)))
    own = seed if prescription.seed is None else prescription.seed
    shape = block_of(prescription)
    is_whole = shape == prescription.shape
    block = prescription if is_whole else replace(prescription, shape=shape)
    return Structured(prescription, own, law_of(block))


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
    from fanin.sampler.law import MATRICES

    if prescription.law == "constant":
        return Law("constant", value=prescription.value)
    if prescription.law in MATRICES:
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
        sums = _sums(source, weight.shape, roles, units)
        numbers = _cast(-bias.value * sums, bias.dtype)
        return numbers.reshape(bias.shape) if index is None else numbers

    return _with_parts(replace(bias, roles=None), Computed(draw, bias.shape))


def _sums(
    source: Draw, shape: tuple[int, ...], roles: AxisRoles, units: np.ndarray
) -> np.ndarray:
    """Sum the rows of some units in float64, a few at a time."""
    is_known = not (isinstance(source, Structured) and source.is_one_by_one)
    held = source(None).reshape(-1) if is_known else None
    several = max(1, AT_ONCE * max(1, len(units)) // max(1, prod(shape)))
    sums = np.empty(len(units), dtype=np.float64)
    for start in range(0, len(units), several):
        entries = entries_of(shape, roles, units[start : start + several])
        listed = entries.reshape(-1)
        rows = source(listed) if held is None else held[listed]
        wide_rows = rows.reshape(entries.shape).astype(np.float64)
        sums[start : start + several] = wide_rows.sum(axis=1)
    return sums


def _with_parts(prescription: Prescription, draw: Draw) -> Draw:
    """Multiply or set the units that have something of their own."""
    if not prescription.parts:
        return draw

    def changed(index: np.ndarray | None) -> np.ndarray:
        return with_parts(prescription, draw(index), index)

    return Computed(changed, prescription.shape)


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


def _cast(numbers: np.ndarray, dtype: str) -> np.ndarray:
    from fanin.sampler import dtype_of

    return numbers.astype(dtype_of(dtype))
