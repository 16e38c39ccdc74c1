"""Padding laid beside a tensor before a window moves over it: part of the window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fanin.graph.draft import Draft, Kind
from fanin.graph.simplify.fact import ACTIVATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.graph.simplify.fact import Facts
    from fanin.graph.windows import WindowAxis

LOWEST: Final = -1e30
"""What lies below it is chosen by no maximum."""


def with_folded_padding(
    drafts: Sequence[Draft], facts: Mapping[int, Facts]
) -> list[Draft]:
    """Let convolutions and pooling read what lies before their padding.

    Zeros beside the input of a convolution or of a sum, and −∞ beside that of a
    maximum, are what a window that reaches over the border meets anyway. A mean counts
    the entries that it meets, so what is laid beside it stays.
    """
    return [_folded(drafts, facts, draft) for draft in drafts]


def _folded(drafts: Sequence[Draft], facts: Mapping[int, Facts], draft: Draft) -> Draft:
    is_pool = draft.kind is Kind.POOL and draft.settings["kind"] in {"max", "sum"}
    if draft.kind is not Kind.CONVOLVE and not is_pool:
        return draft
    is_maximum = draft.settings.get("kind") == "max"
    windows = {window.axis: window for window in draft.settings["windows"]}
    source = drafts[draft.inputs[0]]
    while source.kind is Kind.CONCAT:
        flowing = [i for i in source.inputs if facts[i].nature == ACTIVATION]
        window = windows.get(source.settings["axis"])
        if window is None or window.spread != 1 or len(flowing) != 1:
            break
        numbers = [facts[i].number for i in source.inputs if i not in flowing]
        if not all(_is_padding(number, is_maximum=is_maximum) for number in numbers):
            break
        windows[window.axis] = _widened(drafts, source, flowing[0], window)
        source = drafts[flowing[0]]
    if source.id == draft.inputs[0]:
        return draft
    settings = {**draft.settings, "windows": tuple(windows.values())}
    inputs = (source.id, *draft.inputs[1:])
    return replace(draft, inputs=inputs, settings=settings)


def _is_padding(number: float | None, *, is_maximum: bool) -> bool:
    if number is None:
        return False
    return number <= LOWEST if is_maximum else number == 0.0


def _widened(
    drafts: Sequence[Draft], joined: Draft, flowing: int, window: WindowAxis
) -> WindowAxis:
    """Give the window over the tensor alone: padded by what stood before it."""
    axis = window.axis
    before = joined.inputs[: joined.inputs.index(flowing)]
    low = sum(drafts[i].shape[axis] for i in before)
    return replace(window, n_in=drafts[flowing].shape[axis], low=window.low + low)
