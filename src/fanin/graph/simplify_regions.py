"""Normalization and softmax written out in primitives, recognized by what they do.

A region is the primitives between one tensor and a later one of the same shape, with a
mean, sum or maximum among them. It is evaluated on small arrays. If the result has mean
0 and mean square 1 whatever the input's mean and scale, it is a normalization, however
it was written; if it is eˣ over its sum, or the logarithm of that, a softmax. Every
formula for the same function is found, and nothing that only looks like one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.graph.draft import Draft, Kind
from fanin.graph.projection import projection
from fanin.graph.simplify_fact import ACTIVATION, PARAMETER
from fanin.graph.simplify_layout import BATCH, axis_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fanin.graph.simplify_fact import Facts

INSIDE = frozenset({Kind.POINTWISE, Kind.REDUCE, Kind.BROADCAST, Kind.RESHAPE})
MOST_STEPS: Final = 40  # primitives in a region; Keras's longest has 14
LARGE: Final = 1e4  # beside which any eps in use vanishes
CLOSE: Final = 1e-4
SHORTEST_AXES: Final = (4, 5)


@dataclass(frozen=True, kw_only=True)
class Region:
    """Primitives between ``entry`` and ``end``; axes: those reduced over."""

    entry: int
    end: int
    steps: tuple[int, ...]
    axes: tuple[int, ...]
    parameters: tuple[int, ...]


def with_regions(drafts: Sequence[Draft], facts: Mapping[int, Facts]) -> list[Draft]:
    """Give the drafts with the end of each recognized region as one primitive."""
    found = list(drafts)
    for draft in drafts:
        is_flowing = facts[draft.id].nature == ACTIVATION
        if draft.kind is Kind.POINTWISE and is_flowing:
            found[draft.id] = _recognized(found, facts, draft)
    return found


def _recognized(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], end: Draft
) -> Draft:
    """Give the end as NORMALIZE or SOFTMAX if a region that ends there is one.

    A centred tensor over its standard deviation is an RMS normalization of the centred
    one too, and a softmax takes its maximum off first; the region that begins earliest
    says more.
    """
    best = end
    for region in _regions(drafts, facts, end.id):
        found = _Trial(drafts, facts, region).verdict()
        if found is not None:
            best = replace(end, inputs=(region.entry,), function=None, **found)  # type: ignore[arg-type]
    return best


def _regions(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], end: int
) -> Iterator[Region]:
    """Yield the regions that end there, the shortest first."""
    frontier = {end}
    steps: list[int] = []
    while len(steps) < MOST_STEPS:
        last = max(frontier)
        draft = drafts[last]
        if draft.kind not in INSIDE:
            return
        steps.append(last)
        frontier.remove(last)
        frontier.update(i for i in draft.inputs if facts[i].nature == ACTIVATION)
        reduced = [drafts[i] for i in steps if drafts[i].kind is Kind.REDUCE]
        if len(frontier) != 1 or not reduced:
            continue
        (entry,) = frontier
        if drafts[entry].shape == drafts[end].shape:
            axes = {axis for d in reduced for axis in d.settings["axes"]}
            read = {i for step in steps for i in drafts[step].inputs}
            held = (i for i in sorted(read) if facts[i].nature == PARAMETER)
            yield Region(
                entry=entry,
                end=end,
                steps=tuple(sorted(steps)),
                axes=tuple(sorted(axes)),
                parameters=tuple(held),
            )


class _CannotEvaluateError(Exception):
    """The region holds something that small arrays cannot stand in for."""


class _Trial:
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

    def verdict(self) -> dict[str, object] | None:
        """Give the fields of the one primitive that the region is, if it is one."""
        try:
            if not self.region.parameters and self._is_softmax():
                settings = {"axis": self.region.axes[0]}
                return {"kind": Kind.SOFTMAX, "settings": settings}
            scale, bias = self._roles()
            return self._normalization(scale, bias)
        except _CannotEvaluateError:
            return None

    def _is_softmax(self) -> bool:
        if len(self.region.axes) != 1:
            return False
        axis = self.region.axes[0]
        found = self.evaluate(self.input)
        powers = np.exp(self.input)
        ratio = self.shape[axis] / self.input.shape[axis]
        expected = powers / powers.sum(axis, keepdims=True) / ratio
        return any(
            bool(np.allclose(shares, expected, rtol=CLOSE, atol=0.0))
            for shares in (found, np.exp(found))
        )

    def _roles(self) -> tuple[int | None, int | None]:
        """Tell the gain, without which nothing of the input is left, from the shift."""
        scales: list[int] = []
        biases: list[int] = []
        for parameter in self.region.parameters:
            without = {parameter: 0.0}
            first = self.evaluate(self.input, without)
            second = self.evaluate(self.input**2 - 1.0, without)
            alike = np.allclose(first, second, atol=1e-12)
            (scales if alike else biases).append(parameter)
        if len(scales) > 1 or len(biases) > 1:
            raise _CannotEvaluateError
        return (scales[0] if scales else None), (biases[0] if biases else None)

    def _normalization(
        self, scale: int | None, bias: int | None
    ) -> dict[str, object] | None:
        held = {} if bias is None else {bias: 0.0}
        axes = self.region.axes
        found = self.evaluate(self.input * LARGE, held)
        second_moment = np.mean(found**2, axis=axes)
        mean = np.mean(found, axis=axes)
        is_scaled = np.allclose(second_moment, 1.0, rtol=CLOSE)
        if not is_scaled or not np.all(np.isfinite(found)):
            return None
        is_centred = np.allclose(mean, 0.0, atol=CLOSE)
        moved = self.input * (2.0 * LARGE) + (LARGE if is_centred else 0.0)
        if not np.allclose(found, self.evaluate(moved, held), rtol=CLOSE, atol=CLOSE):
            return None
        details = {
            "kind": self._kind(is_centred=is_centred),
            "eps": self._eps(held, is_centred=is_centred),
            "axes": axes,
            "is_identity": False,
        }
        settings = {"details": details, "scale": scale, "bias": bias}
        return {"kind": Kind.NORMALIZE, "settings": settings}

    def _kind(self, *, is_centred: bool) -> str:
        if axis_of(self.facts[self.region.entry].layout, BATCH) in self.region.axes:
            return "batch"
        return "layer" if is_centred else "rms"

    def _eps(self, held: Mapping[int, float], *, is_centred: bool) -> float:
        """Solve r² = t²v/(t²v + eps) for eps, at a scale t where r² is not near 1."""
        axes = self.region.axes
        values = self.input - (
            self.input.mean(axes, keepdims=True) if is_centred else 0
        )
        power = np.mean(values**2, axis=axes)
        for exponent in range(21):
            small = 10.0 ** (-exponent / 2)
            found = self.evaluate(self.input * small, held)
            share = np.mean(found**2, axis=axes)
            if float(share.flat[0]) < 0.9:
                eps = small**2 * power * (1.0 / share - 1.0)
                return float(f"{float(eps.flat[0]):.3g}")
        return 0.0

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
            raise _CannotEvaluateError
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
            raise _CannotEvaluateError
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
        raise _CannotEvaluateError
    lengths = [1] * rank
    for axis, length in zip(axes, values.shape, strict=True):
        lengths[axis] = length
    return values.reshape(lengths)


def _squeezed(values: np.ndarray, old: Sequence[int], new: Sequence[int]) -> np.ndarray:
    """Follow a reshape that puts in or takes out axes of length 1, and no other."""
    if [n for n in old if n != 1] != [n for n in new if n != 1]:
        raise _CannotEvaluateError
    if values.ndim != len(old):
        raise _CannotEvaluateError
    pairs = zip(old, values.shape, strict=True)
    lengths = iter([length for n, length in pairs if n != 1])
    return values.reshape([1 if n == 1 else next(lengths) for n in new])
