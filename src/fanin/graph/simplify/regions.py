"""Normalization and softmax written out in primitives, recognized by what they do.

A region is the primitives between one tensor and a later one of the same shape, with a
mean, sum or maximum among them. It is evaluated on small arrays (``trial``)
and judged by the result (``verdict``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fanin.graph.draft import Draft, Kind
from fanin.graph.simplify.fact import ACTIVATION, PARAMETER
from fanin.graph.simplify.trial import Region, Trial
from fanin.graph.simplify.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fanin.graph.simplify.fact import Facts

INSIDE = frozenset({Kind.POINTWISE, Kind.REDUCE, Kind.BROADCAST, Kind.RESHAPE})
MOST_STEPS: Final = 40  # primitives in a region; Keras's longest has 14


def with_regions(drafts: Sequence[Draft], facts: Mapping[int, Facts]) -> list[Draft]:
    """Give the drafts with the end of each recognized region as one primitive."""
    found = list(drafts)
    distances = _distances(drafts)
    for draft in drafts:
        is_flowing = facts[draft.id].nature == ACTIVATION
        is_near = distances[draft.id] < MOST_STEPS
        if draft.kind is Kind.POINTWISE and is_flowing and is_near:
            found[draft.id] = _recognized(found, facts, draft)
    return found


def _distances(drafts: Sequence[Draft]) -> list[int]:
    """Give how many primitives a value lies behind the last reduction inside."""
    found: list[int] = []
    for draft in drafts:
        if draft.kind is Kind.REDUCE:
            found.append(0)
        elif draft.kind in INSIDE:
            read = (found[i] for i in draft.inputs)
            found.append(min(read, default=MOST_STEPS) + 1)
        else:
            found.append(MOST_STEPS)
    return found


def _recognized(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], end: Draft
) -> Draft:
    """Give the end as NORMALIZE or SOFTMAX if a region that ends there is one.

    A centred tensor over its standard deviation is an RMS normalization of the centred
    one too, and a softmax takes its maximum off first; the region that begins earliest
    says more.
    """
    best, inside = end, set[int]()
    for region in _regions(drafts, facts, end.id):
        found = verdict(Trial(drafts, facts, region))
        more = set(region.steps) - inside
        is_reduced = any(drafts[step].kind is Kind.REDUCE for step in more)
        if found is not None and (is_reduced or not _is_same(found, best)):
            inside = set(region.steps)
            best = replace(end, inputs=(region.entry,), function=None, **found)  # type: ignore[arg-type]
    return best


def _is_same(found: Mapping[str, object], best: Draft) -> bool:
    """Say whether a longer region is the same normalization, of an input scaled first.

    What comes before (a constant factor, a bias) is then no part of it.
    """
    if best.kind is not Kind.NORMALIZE or found["kind"] is not Kind.NORMALIZE:
        return False
    settings = found["settings"]
    if not isinstance(settings, dict):
        return False
    names = ("scale", "bias")
    is_read_alike = all(settings[name] == best.settings[name] for name in names)
    kinds = {settings["details"]["kind"], best.settings["details"]["kind"]}
    return is_read_alike and len(kinds) == 1


def _regions(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], end: int
) -> Iterator[Region]:
    """Yield the regions that end there, the shortest first."""
    frontier = {end}
    steps: list[int] = []
    axes: set[int] = set()
    while len(steps) < MOST_STEPS:
        last = max(frontier)
        draft = drafts[last]
        if draft.kind not in INSIDE:
            return
        steps.append(last)
        frontier.remove(last)
        frontier.update(i for i in draft.inputs if facts[i].nature == ACTIVATION)
        if draft.kind is Kind.REDUCE:
            axes.update(draft.settings["axes"])
        if len(frontier) != 1 or not axes:
            continue
        (entry,) = frontier
        if drafts[entry].shape == drafts[end].shape:
            read = {i for step in steps for i in drafts[step].inputs}
            held = (i for i in sorted(read) if facts[i].nature == PARAMETER)
            yield Region(
                entry=entry,
                end=end,
                steps=tuple(sorted(steps)),
                axes=tuple(sorted(axes)),
                parameters=tuple(held),
            )
