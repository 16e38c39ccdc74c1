"""Which unit an entry of a weight belongs to, and which entries a unit sums.

Units are counted over all groups, as the output of the layer lists them.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.fans import AxisRoles


def n_units(shape: tuple[int, ...], roles: AxisRoles) -> int:
    """Give how many units a weight of that shape writes: a count."""
    n_outputs = prod(shape[axis] for axis in roles.outputs)
    return n_outputs * roles.groups if _is_by_input(roles) else n_outputs


def units_of(
    shape: tuple[int, ...], roles: AxisRoles | None, index: np.ndarray
) -> np.ndarray:
    """Give the unit of each entry: int64, as many as indices.

    Args:
        shape: of the stored weight.
        roles: what its axes stand for; None where each entry is a unit (a bias).
        index: global row-major indices.

    >>> from fanin.graph.layouts import torch_linear
    >>> units_of((2, 3), torch_linear(), np.arange(6)).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    if roles is None:
        return np.asarray(index, dtype=np.int64)
    places = np.unravel_index(index, shape)
    units = _flat(places, shape, roles.outputs)
    if _is_by_input(roles):
        n_inputs = prod(shape[axis] for axis in roles.inputs)
        group = _flat(places, shape, roles.inputs) // (n_inputs // roles.groups)
        units = group * prod(shape[axis] for axis in roles.outputs) + units
    return units


def entries_of(
    shape: tuple[int, ...], roles: AxisRoles, units: np.ndarray
) -> np.ndarray:
    """Give the indices of the entries that each unit sums: "n_units n_terms", int64.

    >>> from fanin.graph.layouts import keras_dense
    >>> entries_of((2, 3), keras_dense(), np.array([0, 2])).tolist()
    [[0, 3], [2, 5]]
    """
    starts = _offsets(shape, roles.outputs)
    terms = _offsets(shape, (*roles.inputs, *roles.kernel))
    group, unit = np.divmod(units, len(starts))
    by_group = terms.reshape(roles.groups if _is_by_input(roles) else 1, -1)
    entries: np.ndarray = starts[unit][:, None] + by_group[group]
    return entries


def _is_by_input(roles: AxisRoles) -> bool:
    """Say whether the input axes, not the output axes, count over all groups."""
    return roles.is_transposed and not roles.has_all_outputs


def _flat(
    places: tuple[np.ndarray, ...], shape: tuple[int, ...], axes: tuple[int, ...]
) -> np.ndarray:
    flat = np.zeros(len(places[0]), dtype=np.int64)
    for axis in axes:
        flat = flat * shape[axis] + places[axis]
    return flat


def _offsets(shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    """Give the index of each place on some axes, at place 0 of all others."""
    offsets = np.zeros(1, dtype=np.int64)
    for axis in axes:
        step = prod(shape[axis + 1 :])
        offsets = (offsets[:, None] + np.arange(shape[axis]) * step).ravel()
    return offsets
