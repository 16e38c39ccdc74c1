"""A region of primitives evaluated on small arrays, whatever the model's sizes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.graph.draft import Draft, Kind
from fanin.graph.projection import projection
from fanin.graph.simplify.fact import PARAMETER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.graph.simplify.fact import Facts

SHORTEST_AXES: Final = (4, 5)


@dataclass(frozen=True, kw_only=True)
class Region:
    """Primitives between ``entry`` and ``end``; axes: those reduced over."""

    entry: int
    end: int
    steps: tuple[int, ...]
    axes: tuple[int, ...]
    parameters: tuple[int, ...]


class CannotEvaluateError(Exception):
    """The region holds something that small arrays cannot stand in for."""


class Trial:
    """Evaluates a region on small arrays.

    Axes are shortened, parameters are single numbers, and a sum is the mean times the
    true count, so that division by that count still gives the mean.
    """

    def __init__(
        self, drafts: Sequence[Draft], facts: Mapping[int, Facts], region: Region
    ) -> None:
        self.drafts = drafts
        self.facts = facts
        self.region = region
        self.shape = drafts[region.entry].shape
        lengths = (min(n, SHORTEST_AXES[i % 2]) for i, n in enumerate(self.shape))
        self.input = projection(tuple(lengths)) + 0.3

    @property
    def n_normalized(self) -> int:
        """Entries of the tensor that are reduced into one: a count."""
        return prod(self.shape[axis] for axis in self.region.axes)

    def evaluate(
        self, values: np.ndarray, held: Mapping[int, float] | None = None
    ) -> np.ndarray:
        """Give the region's result; parameters are 1 unless ``held`` says otherwise."""
        known: dict[int, np.ndarray] = {self.region.entry: values}
        with np.errstate(all="ignore"):
            for step in self.region.steps:
                draft = self.drafts[step]
                read = [self._read(i, known, held or {}) for i in draft.inputs]
                known[step] = self._step(draft, read)
        return np.broadcast_to(known[self.region.end], values.shape)

    def _read(
        self, value: int, known: Mapping[int, np.ndarray], held: Mapping[int, float]
    ) -> np.ndarray:
        if value in known:
            return known[value]
        facts = self.facts[value]
        if facts.nature == PARAMETER:
            return np.array(held.get(value, 1.0))
        if facts.number is None:
            raise CannotEvaluateError
        return np.array(facts.number)

    def _step(self, draft: Draft, read: list[np.ndarray]) -> np.ndarray:
        if draft.kind is Kind.POINTWISE and draft.function is not None:
            return np.asarray(draft.function(*read))
        if draft.kind is Kind.REDUCE:
            return self._reduce(draft, read[0])
        source = self.drafts[draft.inputs[0]].shape
        if draft.kind is Kind.BROADCAST:
            return _spread(read[0], draft.settings["axes"], len(draft.shape))
        return _squeezed(read[0], source, draft.shape)

    def _reduce(self, draft: Draft, values: np.ndarray) -> np.ndarray:
        axes, is_kept = draft.settings["axes"], draft.settings["is_kept"]
        source = self.drafts[draft.inputs[0]].shape
        if len(source) != len(self.shape) or values.ndim != len(source):
            raise CannotEvaluateError
        kind = draft.settings["kind"]
        if kind == "sum":
            count = prod(source[axis] for axis in axes)
            return np.asarray(np.mean(values, axis=axes, keepdims=is_kept) * count)
        functions: dict[str, Callable[..., Any]] = {
            "mean": np.mean,
            "max": np.max,
            "min": np.min,
            "var": np.var,
        }
        return np.asarray(functions[kind](values, axis=axes, keepdims=is_kept))


def _spread(values: np.ndarray, axes: Sequence[int], rank: int) -> np.ndarray:
    """Put axes of length 1 in where a broadcast adds axes; NumPy does the rest."""
    if values.ndim != len(axes):
        raise CannotEvaluateError
    lengths = [1] * rank
    for axis, length in zip(axes, values.shape, strict=True):
        lengths[axis] = length
    return values.reshape(lengths)


def _squeezed(values: np.ndarray, old: Sequence[int], new: Sequence[int]) -> np.ndarray:
    """Follow a reshape that puts in or takes out axes of length 1, and no other."""
    if [n for n in old if n != 1] != [n for n in new if n != 1]:
        raise CannotEvaluateError
    if values.ndim != len(old):
        raise CannotEvaluateError
    pairs = zip(old, values.shape, strict=True)
    lengths = iter([length for n, length in pairs if n != 1])
    return values.reshape([1 if n == 1 else next(lengths) for n in new])
