"""One row of a tensor, followed through primitives that work along its last axes.

The axes in front (samples, heads, positions) are cut to length 1, so that a row of a
model of any size is as small as its last axis. What is not known (an angle that depends
on the position) is given generic numbers, the same wherever it is read.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.draft import Draft, Kind
from fanin.graph.projection import projection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.graph.simplify.fact import Facts

_ANGLES = np.array([0.3, 1.2, 2.5])


class CannotFollowError(Exception):
    """A primitive mixes a row with others."""


def is_turn(draft: Draft) -> bool:
    """Say whether a primitive is the cosine or the sine of one tensor."""
    if draft.kind is not Kind.POINTWISE or len(draft.inputs) != 1:
        return False
    if draft.function is None:
        return False
    with np.errstate(all="ignore"):
        found = np.asarray(draft.function(_ANGLES))
    return any(np.array_equal(found, f(_ANGLES)) for f in (np.cos, np.sin))


class Row:
    """Follows values back to those that are given, on their last axes alone."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        facts: Mapping[int, Facts],
        given: Mapping[int, np.ndarray],
    ) -> None:
        self.drafts = drafts
        self.facts = facts
        self.given = given
        self._known: dict[tuple[int, int], np.ndarray] = {}

    def follow(self, value: int, n_axes: int) -> np.ndarray:
        """Give one row of a value: its last ``n_axes`` axes, those in front cut off.

        Raises:
            CannotFollowError: where rows are mixed on the way.
        """
        n_axes = min(n_axes, len(self.drafts[value].shape))
        if (value, n_axes) not in self._known:
            self._known[value, n_axes] = self._row(self.drafts[value], n_axes)
        return self._known[value, n_axes]

    def _row(self, draft: Draft, n_axes: int) -> np.ndarray:
        tail = _tail(draft.shape, n_axes)
        number = self.facts[draft.id].number
        if draft.id in self.given:
            if n_axes != 1:
                raise CannotFollowError
            return self.given[draft.id]
        if number is not None:
            return np.full(tail, number)
        handlers: dict[Kind, Callable[[Draft, int], np.ndarray]] = {
            Kind.POINTWISE: self._pointwise,
            Kind.RESHAPE: self._reshaped,
            Kind.BROADCAST: self._broadcasted,
            Kind.PERMUTE: self._permuted,
            Kind.PICK: self._picked,
            Kind.CONCAT: self._joined,
        }
        handler = handlers.get(draft.kind)
        return self._generic(draft, tail) if handler is None else handler(draft, n_axes)

    def _generic(self, draft: Draft, tail: tuple[int, ...]) -> np.ndarray:
        """Give a known table's last row; else numbers that nothing else has."""
        size = prod(tail)
        if draft.value is not None and draft.value.size:
            return draft.value.reshape(-1)[-size:].reshape(tail).astype(np.float64)
        return 2.0 * projection((size + draft.id,))[-size:].reshape(tail)

    def _pointwise(self, draft: Draft, n_axes: int) -> np.ndarray:
        read = [self.follow(i, n_axes) for i in draft.inputs]
        if draft.function is None:
            raise CannotFollowError
        with np.errstate(all="ignore"):
            found = np.asarray(draft.function(*read), np.float64)
        return np.broadcast_to(found, _tail(draft.shape, n_axes))

    def _reshaped(self, draft: Draft, n_axes: int) -> np.ndarray:
        """Find as many last axes of the source as hold the same numbers."""
        tail, source = _tail(draft.shape, n_axes), self.drafts[draft.inputs[0]].shape
        for n_before in range(len(source) + 1):
            if prod(_tail(source, n_before)) == prod(tail):
                return self.follow(draft.inputs[0], n_before).reshape(tail)
        raise CannotFollowError

    def _broadcasted(self, draft: Draft, n_axes: int) -> np.ndarray:
        tail, rank = _tail(draft.shape, n_axes), len(draft.shape)
        axes = [axis for axis in draft.settings["axes"] if axis >= rank - n_axes]
        read = self.follow(draft.inputs[0], len(axes))
        lengths = [1] * n_axes
        for axis, length in zip(axes, read.shape, strict=True):
            lengths[axis - (rank - n_axes)] = length
        return np.broadcast_to(read.reshape(lengths), tail)

    def _permuted(self, draft: Draft, n_axes: int) -> np.ndarray:
        axes, rank = draft.settings["axes"], len(draft.shape)
        last = range(rank - n_axes, rank)
        if [axes[i] for i in last] != list(last):
            raise CannotFollowError
        return self.follow(draft.inputs[0], n_axes)

    def _picked(self, draft: Draft, n_axes: int) -> np.ndarray:
        axis, source = draft.settings["axis"], self.drafts[draft.inputs[0]].shape
        if axis is None:
            raise CannotFollowError
        own = axis - (len(source) - n_axes)
        if draft.settings["is_dropped"]:
            is_inside = axis >= len(draft.shape) - n_axes
            read = self.follow(draft.inputs[0], n_axes + is_inside)
            own = axis - (len(source) - read.ndim)
            start = int(draft.settings["start"])
            return np.asarray(read.take(start, own)) if is_inside else read
        read = self.follow(draft.inputs[0], n_axes)
        if own < 0:
            return read
        start, step = draft.settings["start"], draft.settings["step"]
        places = start + step * np.arange(draft.shape[axis])
        if places.size and not 0 <= places.min() <= places.max() < source[axis]:
            raise CannotFollowError
        return np.asarray(read.take(places, own))

    def _joined(self, draft: Draft, n_axes: int) -> np.ndarray:
        own = draft.settings["axis"] - (len(draft.shape) - n_axes)
        read = [self.follow(i, n_axes) for i in draft.inputs]
        return read[0] if own < 0 else np.concatenate(read, own)


def _tail(shape: Sequence[int], n_axes: int) -> tuple[int, ...]:
    return tuple(shape[len(shape) - n_axes :])
