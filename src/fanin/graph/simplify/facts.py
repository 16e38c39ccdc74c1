"""Facts of a value that need no look ahead: what it depends on, and its layout."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.draft import Draft, Kind
from fanin.graph.simplify.axes import (
    broadcasted,
    concatenated,
    contracted,
    convolved,
    looked_up,
    permuted,
    picked,
    reduced,
)
from fanin.graph.simplify.fact import (
    ACTIVATION,
    CONSTANT,
    EVERY_AXIS,
    PARAMETER,
    RANDOM,
    USES,
    VIEWS,
    Facts,
)
from fanin.graph.simplify.layout import (
    BATCH,
    UNIT,
    Atom,
    Layout,
    of_parameter,
    only,
    plain,
    regrouped,
    resized,
    tagged,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def facts_of(drafts: Sequence[Draft], batch_size: int | None) -> dict[int, Facts]:
    """Give the facts of every value, in order of execution."""
    found: dict[int, Facts] = {}
    for draft in drafts:
        found[draft.id] = _Finder(drafts, found, batch_size).find(draft)
    return found


class _Finder:
    """Finds the facts of one draft from those of its inputs."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        found: Mapping[int, Facts],
        batch_size: int | None,
    ) -> None:
        self.drafts = drafts
        self.found = found
        self.batch_size = batch_size

    def find(self, draft: Draft) -> Facts:
        if draft.kind in {Kind.INPUT, Kind.CONSTANT, Kind.RANDOM, Kind.PARAMETER}:
            return self._given(draft)
        read = [self.found[i] for i in draft.inputs]
        nature = max((facts.nature for facts in read), default=CONSTANT)
        natures = {facts.nature for facts in read}
        if draft.kind in USES and nature == PARAMETER and natures != {PARAMETER}:
            nature = ACTIVATION
        layout = self._layout(draft, read, nature)
        if nature != PARAMETER:
            if nature == ACTIVATION:
                layout = only(layout, (BATCH, UNIT))
            return Facts(nature=nature, layout=layout, number=_number(draft, read))
        held = [facts for facts in read if facts.origin]
        largest = max(held, key=_parameter_size)
        return Facts(
            nature=nature,
            layout=layout,
            number=_number(draft, read),
            origin=largest.origin,
            sources=frozenset().union(*(facts.sources for facts in held)),
            is_view=draft.kind in VIEWS and largest.is_view,
        )

    def _given(self, draft: Draft) -> Facts:
        number = _one_number(draft.value)
        if draft.kind is Kind.PARAMETER:
            return Facts(
                nature=PARAMETER,
                layout=of_parameter(draft.shape),
                number=number,
                origin=draft.name,
                sources=frozenset({draft.name}),
                is_view=True,
            )
        if draft.kind is Kind.INPUT:
            return Facts(nature=ACTIVATION, layout=self._input_layout(draft))
        nature = RANDOM if draft.kind is Kind.RANDOM else CONSTANT
        return Facts(nature=nature, layout=plain(draft.shape), number=number)

    def _input_layout(self, draft: Draft) -> Layout:
        layout = plain(draft.shape)
        if draft.shape and draft.shape[0] == self.batch_size:
            layout = tagged(layout, 0, BATCH)
        axis = draft.settings.get("unit_axis")
        if axis == EVERY_AXIS:
            return (layout[0], *(((Atom(n, UNIT),)) for n in draft.shape[1:]))
        if axis is None and len(draft.shape) > 1:
            axis = len(draft.shape) - 1
        if axis is not None and not draft.settings.get("is_index"):
            layout = tagged(layout, axis % len(draft.shape), UNIT)
        return layout

    def _layout(self, draft: Draft, read: list[Facts], nature: int) -> Layout:
        handlers: dict[Kind, Callable[[Draft, list[Facts]], Layout]] = {
            Kind.CONTRACT: contracted,
            Kind.CONVOLVE: convolved,
            Kind.LOOKUP: looked_up,
            Kind.PERMUTE: permuted,
            Kind.RESHAPE: self._reshaped,
            Kind.BROADCAST: broadcasted,
            Kind.PICK: picked,
            Kind.CONCAT: concatenated,
            Kind.REDUCE: reduced,
            Kind.OPAQUE: self._guessed,
        }
        if draft.kind is Kind.POINTWISE:
            return self._pointwise(draft, nature)
        handler = handlers.get(draft.kind)
        if handler is not None:
            return handler(draft, read)
        source = read[0].layout
        pairs = zip(source, draft.shape, strict=True)
        return tuple(resized(axis, length) for axis, length in pairs)

    def _pointwise(self, draft: Draft, nature: int) -> Layout:
        """Take each axis from an operand that has its full length and a meaning."""
        rank = len(draft.shape)
        operands = [i for i in draft.inputs if self.found[i].nature == nature]
        if nature == PARAMETER:
            operands.sort(key=lambda i: -_parameter_size(self.found[i]))
        axes = list(plain(draft.shape))
        for operand in reversed(operands):
            layout = self.found[operand].layout
            for axis, atoms in enumerate(layout, start=rank - len(layout)):
                size = prod(atom.size for atom in atoms)
                has_meaning = any(atom.tag != "" for atom in atoms)
                if size == draft.shape[axis] and has_meaning:
                    axes[axis] = atoms
        return tuple(axes)

    def _reshaped(self, draft: Draft, read: list[Facts]) -> Layout:
        old = self.drafts[draft.inputs[0]].shape
        return regrouped(read[0].layout, old, draft.shape)

    def _guessed(self, draft: Draft, read: list[Facts]) -> Layout:
        """Take over the first input's axes as long as lengths agree, from the left."""
        layout = list(plain(draft.shape))
        strongest = max((facts.nature for facts in read), default=CONSTANT)
        sources = [facts.layout for facts in read if facts.nature == strongest]
        for axis, atoms in enumerate(sources[0] if sources else ()):
            size = prod(atom.size for atom in atoms)
            if axis >= len(layout) or size != draft.shape[axis]:
                break
            layout[axis] = atoms
        return tuple(layout)


def _parameter_size(facts: Facts) -> int:
    return prod(a.size for axis in facts.layout for a in axis if a.tag != "")


def _one_number(value: np.ndarray | None) -> float | None:
    if value is None or value.size == 0 or value.dtype.kind not in "fiub":
        return None
    first = float(value.flat[0])
    return first if bool(np.all(value == value.flat[0])) else None


def _number(draft: Draft, read: list[Facts]) -> float | None:
    """Follow a value whose entries are all one number; not worth it for activations."""
    numbers = [facts.number for facts in read]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return None
    if draft.kind is Kind.POINTWISE and draft.function is not None:
        with np.errstate(all="ignore"):
            return float(draft.function(*(np.asarray(n) for n in known)))
    if draft.kind in VIEWS and draft.name not in PADDING:
        return known[0]
    return None


PADDING = frozenset({"aten.constant_pad_nd", "pad"})
"""Picks that put in other numbers than those that they read."""
