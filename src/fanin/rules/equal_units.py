"""Equal units: which units of a group have the same numbers, exactly or nearly."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fanin.graph.units import UnitGroup, UnitSlice

# Random bits of one drawn number: the digits of the float's significand.
BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
# Chance that some pair of independently drawn units is equal: below this a match is
# no accident.
LEAST_CHANCE = 1e-6
# Rounding differs between the columns of a matrix product; after a few steps twins
# agree to about 1e-6 of the largest entry in float32; units that part differ by the
# size of a step, a tenth of it.
SAME_AFTER_STEPS = 1e-3
# Entries of a slice that are looked at before whole rows are.
FEW = 8


def rows(
    slices: Iterable[UnitSlice], values: Mapping[str, np.ndarray], size: int
) -> np.ndarray:
    """Give one row for each unit of all its numbers in these slices, float64."""
    parts = [
        part.rows(np.asarray(values[part.path], dtype=np.float64), size)
        for part in slices
        if part.path in values
    ]
    return np.concatenate(parts, axis=1) if parts else np.zeros((size, 0))


def classes(table: np.ndarray) -> np.ndarray:
    """Give each row the number of its class; equal rows share a class.

    >>> classes(np.array([[1.0, 2.0], [0.0, 5.0], [1.0, 2.0]])).tolist()
    [1, 0, 1]
    """
    if table.shape[1] == 0:
        return np.zeros(len(table), dtype=np.int64)
    return np.unique(table, axis=0, return_inverse=True)[1].reshape(-1)


def n_alike(
    slices: Iterable[UnitSlice], values: Mapping[str, np.ndarray], size: int
) -> int:
    """Count the units that agree with another in a few entries of each slice.

    So many can be equal at most; in most layers none, and nothing need be copied.

    >>> from fanin.graph.units import UnitSlice
    >>> n_alike(
    ...     [UnitSlice(path="w", axis=0)], {"w": np.array([[1.0], [1.0], [2.0]])}, 3
    ... )
    2
    """
    parts = [
        _few(part, values[part.path], size) for part in slices if part.path in values
    ]
    table = np.concatenate(parts, axis=1) if parts else np.zeros((size, 0))
    return sum(len(members) for members in repeated(classes(table)))


def _few(part: UnitSlice, value: np.ndarray, size: int) -> np.ndarray:
    """Give a few of the entries that each unit owns: (size, few)."""
    first = np.moveaxis(value, part.axis, 0)
    others = first.shape[1:]
    n_others = prod(others)
    places = np.linspace(0, n_others - 1, min(n_others, FEW)).astype(np.int64)
    index = np.unravel_index(places, others) if others else ()
    owned = part.indices(size)[:, :FEW]
    chosen = first[(owned[..., None], *index)] if others else first[owned][..., None]
    return np.asarray(chosen, dtype=np.float64).reshape(size, -1)


def repeated(labels: np.ndarray) -> list[np.ndarray]:
    """Give the units of each class that has two or more, largest class first.

    >>> [members.tolist() for members in repeated(np.array([1, 0, 1]))]
    [[0, 2]]
    """
    found, counts = np.unique(labels, return_counts=True)
    groups = [np.flatnonzero(labels == label) for label in found[counts > 1]]
    return sorted(groups, key=len, reverse=True)


def spread(table: np.ndarray, members: np.ndarray) -> float:
    """Give the largest difference between these rows, over the table's largest entry.

    >>> spread(np.array([[4.0, 1.0], [4.0, 2.0]]), np.array([0, 1]))
    0.25
    """
    if table.shape[1] == 0:
        return 0.0
    largest = float(np.max(np.abs(table)))
    if largest == 0.0:
        return 0.0
    part = table[members]
    return float(np.max(part.max(axis=0) - part.min(axis=0))) / largest


def could_be_chance(table: np.ndarray, dtype: str) -> bool:
    """Say whether units so narrow could be equal by accident.

    Columns that are the same for all units say nothing; if every column is, the units
    were not drawn at all and their equality is no accident.
    """
    n_varied = int(np.count_nonzero(np.ptp(table, axis=0))) if table.size else 0
    if n_varied == 0:
        return False
    n_pairs = len(table) ** 2 / 2
    bits: int = BITS.get(dtype, 24) * n_varied
    return bool(n_pairs * 2.0**-bits > LEAST_CHANCE)


def trainable_paths(group: UnitGroup, trainable: Iterable[str]) -> tuple[str, ...]:
    """Give the group's paths that the optimizer steps, each once."""
    known = set(trainable)
    found = dict.fromkeys(p.path for p in group.slices if p.path in known)
    return tuple(found)
