"""Numbers of constants, followed through the primitives that only constants enter."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.draft import Draft, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST: Final = 1 << 20
"""Entries up to which a constant is followed."""


def with_known_numbers(drafts: Sequence[Draft]) -> list[Draft]:
    """Give the drafts, those that only known constants enter with their numbers.

    A causal mask made by comparing positions, or a table of sines, is then known as
    if it had been stored.
    """
    found = list(drafts)
    known = {
        d.id: d.value
        for d in drafts
        if d.kind is Kind.CONSTANT and d.value is not None and _is_numeric(d.value)
    }
    for draft in drafts:
        is_made = bool(draft.inputs) and all(i in known for i in draft.inputs)
        if not is_made or prod(draft.shape) > MOST:
            continue
        value = _value(draft, [known[i] for i in draft.inputs])
        if value is not None and value.shape == draft.shape:
            known[draft.id] = value
            found[draft.id] = replace(draft, value=value)
    return found


def _is_numeric(value: np.ndarray) -> bool:
    return value.dtype.kind in "fiub"


def _value(draft: Draft, read: list[np.ndarray]) -> np.ndarray | None:
    """Do on numbers what the primitive does; None for what is not followed."""
    source = read[0]
    if draft.kind is Kind.POINTWISE and draft.function is not None:
        with np.errstate(all="ignore"):
            found = draft.function(*(np.asarray(v, np.float64) for v in read))
        return np.broadcast_to(np.asarray(found), draft.shape)
    if draft.kind is Kind.RESHAPE:
        return source.reshape(draft.shape)
    if draft.kind is Kind.PERMUTE:
        return source.transpose(draft.settings["axes"])
    if draft.kind is Kind.BROADCAST:
        lengths = [1] * len(draft.shape)
        for axis, length in zip(draft.settings["axes"], source.shape, strict=True):
            lengths[axis] = length
        return np.broadcast_to(source.reshape(lengths), draft.shape)
    if draft.kind is Kind.CONCAT:
        return np.concatenate(read, draft.settings["axis"])
    return _picked(draft, source) if draft.kind is Kind.PICK else None


def _picked(draft: Draft, source: np.ndarray) -> np.ndarray | None:
    axis, start = draft.settings["axis"], draft.settings["start"]
    if axis is None:
        return None
    if draft.settings["is_dropped"]:
        return np.asarray(source.take(start, axis))
    places = start + draft.settings["step"] * np.arange(draft.shape[axis])
    length = source.shape[axis]
    is_inside = not places.size or 0 <= places.min() <= places.max() < length
    return np.asarray(source.take(places, axis)) if is_inside else None
