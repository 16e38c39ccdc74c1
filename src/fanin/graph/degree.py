"""How a value that is computed from parameters alone grows with one of them."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.draft import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.graph.draft import Draft

Degrees = dict[str, "float | None"]
"""By path of each parameter behind a value: d where the value is multiplied by cᵈ when
the parameter is multiplied by c > 0; None where it is no such power, or not known."""

USES: Final = frozenset({Kind.CONTRACT, Kind.CONVOLVE, Kind.LOOKUP})
"""Operations in which parameters act as a weight."""
SUMMED: Final = frozenset({"sum", "mean", "max", "min"})
"""Reductions of numbers times c that give their result times c, for c > 0."""

_POINTS: Final = np.concatenate([np.geomspace(1e-3, 1e3, 13), -np.geomspace(0.1, 9, 7)])
_NEAR: Final = 1e-9


class DegreesOf:
    """Finds degrees over a list of drafts that may still grow, each of them once.

    >>> from fanin.graph import Parameter
    >>> from fanin.graph.builder import GraphBuilder
    >>> held = [Parameter(path=p, shape=(2, 2), dtype="float32") for p in "gv"]
    >>> builder = GraphBuilder(framework="torch", parameters=held, batch_size=None)
    >>> g, v = builder.parameter("g"), builder.parameter("v")
    >>> square = builder.pointwise("square", (v,), np.square)
    >>> total = builder.reduce("sum", square, (0, 1), kind="sum")
    >>> length = builder.pointwise("sqrt", (total,), np.sqrt)
    >>> unit = builder.pointwise("div", (v, length), np.divide, rule="divide")
    >>> weight = builder.pointwise("mul", (g, unit), np.multiply, rule="multiply")
    >>> degrees = DegreesOf(builder.drafts).of(weight)
    >>> degrees["g"], degrees["v"]
    (1.0, 0.0)
    """

    def __init__(self, drafts: Sequence[Draft]) -> None:
        self._drafts = drafts
        self._found: dict[int, Degrees | None] = {}

    def of(self, value: int) -> Degrees | None:
        """Give the degree in each parameter behind a value.

        None if it depends on anything else too: the batch, or chance.
        """
        waiting = [value]
        while waiting:
            draft = self._drafts[waiting[-1]]
            missing = [i for i in draft.inputs if i not in self._found]
            if missing and draft.id not in self._found:
                waiting += missing
                continue
            waiting.pop()
            if draft.id not in self._found:
                self._found[draft.id] = self._degrees(draft)
        return self._found[value]

    def weight_in(self, draft: Draft) -> Degrees | None:
        """Give the degrees of a product in the parameters that its weight is made of.

        None where both operands, or neither, are made of parameters alone. A constant
        counts as a parameter: what it is multiplied with is no layer's output.
        """
        found = [self.of(value) for value in draft.inputs]
        if draft.kind is Kind.LOOKUP:
            return found[0] or None
        made = [degrees for degrees in found if degrees is not None]
        return (made[0] or None) if len(made) == 1 and len(found) == 2 else None

    def made_since(self, value: int, n_before: int) -> Degrees | None:
        """Give the degrees of a value that is a product made by the latest drafts.

        n_before: of the drafts that were there before. The product may have been moved
        or reshaped since.
        """
        draft = self._drafts[value]
        while draft.id >= n_before and draft.kind not in USES and draft.inputs:
            draft = self._drafts[draft.inputs[0]]
        is_product = draft.id >= n_before and draft.kind in USES
        return self.weight_in(draft) if is_product else None

    def _degrees(self, draft: Draft) -> Degrees | None:
        if draft.kind is Kind.PARAMETER:
            return {draft.name: 1.0}
        if draft.kind is Kind.CONSTANT:
            return {}
        if draft.kind in {Kind.INPUT, Kind.RANDOM, Kind.NOISE, Kind.LOOKUP}:
            return None
        read = [self._found[i] for i in draft.inputs]
        given = [degrees for degrees in read if degrees is not None]
        if len(given) < len(read):
            return None
        rule = _RULES.get(draft.kind, _unknown)
        paths = {path for degrees in given for path in degrees}
        return {path: rule(draft, [d.get(path, 0.0) for d in given]) for path in paths}


def _moved(draft: Draft, degrees: list[float | None]) -> float | None:
    del draft
    return degrees[0]


def _product(draft: Draft, degrees: list[float | None]) -> float | None:
    del draft
    known = [degree for degree in degrees if degree is not None]
    return sum(known) if len(known) == len(degrees) else None


def _joined(draft: Draft, degrees: list[float | None]) -> float | None:
    """A sum or a row of values: of a degree if all are of that one."""
    del draft
    return degrees[0] if len(set(degrees)) == 1 else None


def _reduced(draft: Draft, degrees: list[float | None]) -> float | None:
    degree = degrees[0]
    if draft.settings["kind"] in SUMMED or degree is None:
        return degree
    return 2.0 * degree if draft.settings["kind"] == "var" else None


def _pointwise(draft: Draft, degrees: list[float | None]) -> float | None:
    if draft.rule == "multiply":
        return _product(draft, degrees)
    if draft.rule == "divide":
        over, under = degrees
        return None if over is None or under is None else over - under
    if draft.rule:
        return _joined(draft, degrees)
    if all(degree == 0.0 for degree in degrees):
        return 0.0
    if len(degrees) != 1 or degrees[0] is None or draft.function is None:
        return None
    power = power_of(draft.function)
    return None if power is None else power * degrees[0]


def power_of(function: Callable[[np.ndarray], np.ndarray]) -> float | None:
    """Give p if f(2x) = 2ᵖ·f(x) wherever the function is tried, else None.

    >>> power_of(np.sqrt), power_of(np.square), power_of(lambda x: -x), power_of(np.exp)
    (0.5, 2.0, 1.0, None)
    """
    with np.errstate(all="ignore"):
        once, twice = np.asarray(function(_POINTS)), np.asarray(function(2.0 * _POINTS))
        usable = np.isfinite(once) & np.isfinite(twice) & (once != 0.0)
        ratios = (twice / once)[usable]
    if not len(ratios) or ratios[0] <= 0.0:
        return None
    is_power = bool(np.all(np.abs(ratios - ratios[0]) <= _NEAR * ratios[0]))
    return round(log2(ratios[0]), 9) if is_power else None


def _unknown(draft: Draft, degrees: list[float | None]) -> float | None:
    """Any other operation: what does not depend on a parameter has degree 0."""
    del draft
    return 0.0 if all(degree == 0.0 for degree in degrees) else None


_RULES: Mapping[Kind, Callable[[Draft, list[float | None]], float | None]] = {
    **dict.fromkeys((Kind.PERMUTE, Kind.RESHAPE, Kind.BROADCAST, Kind.PICK), _moved),
    **dict.fromkeys((Kind.CONTRACT, Kind.CONVOLVE), _product),
    Kind.CONCAT: _joined,
    Kind.REDUCE: _reduced,
    Kind.POINTWISE: _pointwise,
}
