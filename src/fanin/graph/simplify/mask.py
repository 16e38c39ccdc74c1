"""Masks on the scores of a softmax: entries that it leaves out, however it is written.

A mask is a constant added that is very negative (or −∞) where an entry is left out, a
choice between the entry and such a number, or a tensor of the batch in either place
that no parameter has touched. It may be put on a bias that is added to the scores of
many layers. It moves no number that has a share, so it is taken out, and the softmax
says what it leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.draft import Draft, Kind
from fanin.graph.simplify.fact import ACTIVATION, PARAMETER
from fanin.graph.simplify.pieces import live_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.graph.simplify.fact import Facts

OUT: Final = -1e3
"""A score below it has no share left beside any other."""

_MOVING = frozenset({Kind.RESHAPE, Kind.BROADCAST, Kind.PERMUTE, Kind.PICK})


@dataclass(frozen=True, kw_only=True)
class Mask:
    """What is left out of a value: the kind of the mask, and which entries it keeps.

    kept: booleans that broadcast to the value's shape; None where they are not known.
    """

    kind: str
    kept: np.ndarray | None = None


def with_masks(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], outputs: Sequence[int]
) -> list[Draft]:
    """Give the drafts without masks, each softmax with what its mask leaves."""
    if not any(draft.kind is Kind.SOFTMAX for draft in drafts):
        return list(drafts)
    live = live_values(drafts, facts, outputs)
    scores = _scores(drafts, live, outputs)
    taker = _Taker(drafts, facts)
    found = list(drafts)
    for draft in drafts:
        if draft.kind is Kind.SOFTMAX:
            settings = {**draft.settings, **_details(draft, taker.mask_of(draft))}
            found[draft.id] = replace(draft, settings=settings)
        elif draft.id in scores and facts[draft.id].nature == ACTIVATION:
            found[draft.id] = taker.take(draft)
    return found


def _scores(
    drafts: Sequence[Draft], live: frozenset[int], outputs: Sequence[int]
) -> set[int]:
    """Give the values that softmaxes alone read, moved, scaled or added at most."""
    n_readers = [0] * len(drafts)
    n_scoring = [0] * len(drafts)
    for output in outputs:
        n_readers[output] += 1
    found: set[int] = set()
    for draft in reversed(drafts):
        if draft.id not in live:
            continue
        is_kept = draft.kind in _MOVING | {Kind.POINTWISE}
        is_read_so = 0 < n_readers[draft.id] == n_scoring[draft.id]
        is_score = is_kept and is_read_so
        if is_score:
            found.add(draft.id)
        for value in draft.inputs:
            n_readers[value] += 1
            n_scoring[value] += is_score or draft.kind is Kind.SOFTMAX
    return found


class _Taker:
    """Takes masks out in order of execution, and remembers what they leave out."""

    def __init__(self, drafts: Sequence[Draft], facts: Mapping[int, Facts]) -> None:
        self.drafts = drafts
        self.facts = facts
        self.masks: dict[int, Mask] = {}
        self.free = _weightless(drafts, facts)

    def take(self, draft: Draft) -> Draft:
        """Give the primitive, as its scores alone if it puts a mask on them."""
        before = self.mask_of(draft)
        found = self._found(draft) if draft.kind is Kind.POINTWISE else None
        mask = before if found is None else _joined(before, found[1])
        if mask is not None:
            self.masks[draft.id] = mask
        if found is None:
            return draft
        scores = self.drafts[found[0]]
        first = len(draft.shape) - len(scores.shape)
        kind = Kind.RESHAPE if scores.shape == draft.shape else Kind.BROADCAST
        settings = {"axes": tuple(range(first, len(draft.shape)))}
        return Draft(
            id=draft.id,
            kind=kind,
            shape=draft.shape,
            inputs=(scores.id,),
            name=draft.name,
            place=draft.place,
            settings=settings,
        )

    def mask_of(self, draft: Draft) -> Mask | None:
        """Give what is left out of the values that a primitive reads, together."""
        mask: Mask | None = None
        for value in dict.fromkeys(draft.inputs):
            held = self.masks.get(value)
            if held is not None and draft.kind in _MOVING:
                held = _moved(held, self.drafts[value], draft)
            mask = mask if held is None else _joined(mask, held)
        return mask

    def _found(self, draft: Draft) -> tuple[int, Mask] | None:
        """Give the scores and the mask of a primitive that puts one on the other."""
        flowing = [i for i in draft.inputs if self.facts[i].nature == ACTIVATION]
        others = [i for i in draft.inputs if i not in flowing]
        tables = [i for i in others if self.facts[i].number is None]
        if len(flowing) == 1 and len(tables) == 1:
            mask = self._constant(draft, tables[0])
            return None if mask is None else (flowing[0], mask)
        bound = [i for i in flowing if i not in self.free]
        if len(flowing) != 2 or len(bound) != 1 or tables:
            return None
        free = next(i for i in flowing if i not in bound)
        is_mask = draft.rule == "add" or self._is_choice(draft, free)
        return (bound[0], Mask(kind="data")) if is_mask else None

    def _constant(self, draft: Draft, table: int) -> Mask | None:
        """Say which entries a constant keeps; None if it leaves none out."""
        if self.facts[table].nature == PARAMETER:
            return None
        numbers = self._numbers(table)
        if numbers is None:
            is_sum = draft.rule == "add"
            return Mask(kind="constant") if is_sum or not draft.rule else None
        kept = self._evaluated(draft, table, numbers) > OUT
        return None if kept.all() else Mask(kind="constant", kept=kept)

    def _is_choice(self, draft: Draft, free: int) -> bool:
        """Say whether one truth value of a tensor gives the scores, the other none."""
        given = self._evaluated(draft, free, np.array([0.0, 1.0]))
        return given.shape == (2,) and bool(given.min() <= OUT and given.max() == 0.0)

    def _evaluated(self, draft: Draft, table: int, numbers: np.ndarray) -> np.ndarray:
        """Give the primitive's result for scores of 0."""
        read = [
            numbers if i == table else np.array(self.facts[i].number or 0.0)
            for i in draft.inputs
        ]
        if draft.function is None:
            return np.zeros(())
        with np.errstate(all="ignore"):
            return np.asarray(draft.function(*read), np.float64)

    def _numbers(self, value: int) -> np.ndarray | None:
        """Give the numbers of a constant, seen through the copies made of it."""
        draft = self.drafts[value]
        while draft.value is None and draft.kind is Kind.BROADCAST:
            axes, rank = draft.settings["axes"], len(draft.shape)
            if tuple(axes) != tuple(range(rank - len(axes), rank)):
                return None
            draft = self.drafts[draft.inputs[0]]
        return None if draft.value is None else draft.value.astype(np.float64)


def _joined(first: Mask | None, second: Mask) -> Mask:
    if first is None:
        return second
    kind = "data" if "data" in {first.kind, second.kind} else "constant"
    if first.kept is None or second.kept is None:
        return Mask(kind=kind)
    return Mask(kind=kind, kept=np.logical_and(first.kept, second.kept))


def _moved(mask: Mask, before: Draft, after: Draft) -> Mask:
    """Follow a mask of the last two axes through views that leave those alone."""
    kept = mask.kept
    if kept is None or after.kind not in {Kind.RESHAPE, Kind.BROADCAST}:
        return Mask(kind=mask.kind)
    last = kept.shape[-2:]
    is_plain = kept.size == int(np.prod(last)) and len(last) == 2
    if not is_plain or before.shape[-2:] != after.shape[-2:]:
        return Mask(kind=mask.kind)
    return Mask(kind=mask.kind, kept=kept.reshape(last))


def _details(draft: Draft, mask: Mask | None) -> dict[str, object]:
    """Say over how many entries the shares of a row are spread."""
    axis = draft.settings["axis"]
    length = draft.shape[axis] if draft.shape else 1
    if mask is None:
        counts = np.array([length])
    else:
        kept = mask.kept
        own = axis if kept is None else axis - len(draft.shape) + kept.ndim
        if kept is None or own < 0:
            return {"mask": mask.kind}
        counts = kept.sum(axis=own) * (length // kept.shape[own])
    read = counts[counts > 0]
    if not read.size:
        return {"mask": "none" if mask is None else mask.kind}
    return {
        "mask": "none" if mask is None else mask.kind,
        "n_unmasked": float(read.mean()),
        "mean_share": float((1.0 / read).mean()),
    }


def _weightless(drafts: Sequence[Draft], facts: Mapping[int, Facts]) -> frozenset[int]:
    """Give the values of the batch that no parameter has touched."""
    found: set[int] = set()
    for draft in drafts:
        read = [i for i in draft.inputs if facts[i].nature >= PARAMETER]
        is_free = draft.kind is Kind.INPUT or (bool(read) and found.issuperset(read))
        if is_free and facts[draft.id].nature == ACTIVATION:
            found.add(draft.id)
    return frozenset(found)
