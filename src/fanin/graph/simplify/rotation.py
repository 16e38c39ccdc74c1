"""Rotary positions: pairs of features turned by angles, recognized by what they do.

x·cos θ + turned(x)·sin θ keeps the length of every pair (x_i, x_j), so it moves numbers
and keeps second moments, whatever θ is. The primitives from x to the sum are evaluated
on one row with generic numbers: cos and sin of one angle stand for themselves, known
tables for their own numbers. What is linear and keeps lengths is a rotation, however
it was written: halves or neighbours as pairs, all features or the first of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.draft import Draft, Kind
from fanin.graph.projection import projection
from fanin.graph.simplify.fact import ACTIVATION
from fanin.graph.simplify.row import CannotFollowError, Row, is_turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.graph.simplify.fact import Facts

INSIDE = frozenset({Kind.POINTWISE, Kind.PICK, Kind.CONCAT, Kind.RESHAPE})
MOST_STEPS: Final = 28  # primitives of one rotation; neighbours as pairs take 17
CLOSE: Final = 1e-5  # tables that are known hold float32 numbers


def with_rotations(drafts: Sequence[Draft], facts: Mapping[int, Facts]) -> list[Draft]:
    """Give the drafts with the end of each rotation as one primitive."""
    tables = _tables(drafts, facts)
    mixed = _mixed(drafts, facts, tables)
    found = list(drafts)
    for end in sorted(mixed):
        entry = _entry(drafts, facts, tables, end)
        factor = None if entry is None else _factor(drafts, facts, entry, end)
        if entry is not None and factor is not None:
            axis = len(drafts[end].shape) - 1
            found[end] = Draft(
                id=end,
                kind=Kind.ROTATE,
                shape=drafts[end].shape,
                inputs=(entry,),
                name=drafts[end].name,
                place=drafts[end].place,
                settings={"axis": axis, "factor": factor},
            )
    return found


def _tables(drafts: Sequence[Draft], facts: Mapping[int, Facts]) -> frozenset[int]:
    """Give the values that are cosines and sines, moved, joined and scaled at most."""
    found: set[int] = set()
    moving = {Kind.RESHAPE, Kind.BROADCAST, Kind.PICK, Kind.PERMUTE, Kind.CONCAT}
    for draft in drafts:
        read = [i for i in draft.inputs if facts[i].number is None]
        is_made_of_them = bool(read) and all(i in found for i in read)
        is_moved = draft.kind in moving | {Kind.POINTWISE} and is_made_of_them
        is_known = draft.value is not None and draft.kind is Kind.CONSTANT
        is_table = is_known and facts[draft.id].number is None
        if is_moved or is_table or is_turn(draft):
            found.add(draft.id)
    return frozenset(found)


def _mixed(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], tables: frozenset[int]
) -> set[int]:
    """Give the sums of products with such tables, joined or laid out anew at most."""
    products: set[int] = set()
    mixed: set[int] = set()
    for draft in drafts:
        if facts[draft.id].nature != ACTIVATION or draft.id in tables:
            continue
        if draft.rule == "multiply" and any(i in tables for i in draft.inputs):
            products.add(draft.id)
        is_sum = draft.rule in {"add", "subtract"} and all(
            i in products for i in draft.inputs
        )
        is_joined = draft.kind is Kind.CONCAT and any(i in mixed for i in draft.inputs)
        is_laid_out = draft.kind is Kind.RESHAPE and draft.inputs[0] in mixed
        if is_sum or is_joined or is_laid_out:
            mixed.add(draft.id)
    return mixed


def _entry(
    drafts: Sequence[Draft],
    facts: Mapping[int, Facts],
    tables: frozenset[int],
    end: int,
) -> int | None:
    """Walk back to the one tensor of the same shape that everything comes from."""
    frontier = {end}
    for _ in range(MOST_STEPS):
        last = max(frontier)
        if drafts[last].kind not in INSIDE:
            return None
        frontier.remove(last)
        frontier.update(
            i
            for i in drafts[last].inputs
            if facts[i].nature == ACTIVATION and i not in tables
        )
        if len(frontier) != 1:
            continue
        (entry,) = frontier
        is_moved = drafts[last].kind is Kind.RESHAPE and last == end
        if drafts[entry].shape == drafts[end].shape:
            return None if is_moved else entry
    return None


def _factor(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], entry: int, end: int
) -> float | None:
    """Give by what lengths grow, if the way from entry to end is a scaled rotation."""
    width = drafts[entry].shape[-1] if drafts[entry].shape else 0
    if width < 2:
        return None
    first, second = np.split(projection((2 * width,)) + 0.1, 2)
    try:
        turned = [
            Row(drafts, facts, {entry: values}).follow(end, 1).ravel()
            for values in (first, second, first + 2.0 * second)
        ]
    except CannotFollowError:
        return None
    if not np.allclose(turned[2], turned[0] + 2.0 * turned[1], rtol=CLOSE, atol=CLOSE):
        return None
    given = (first, second, first + second)
    after = (turned[0], turned[1], turned[0] + turned[1])
    pairs = zip(given, after, strict=True)
    growths = [float(a @ a) / float(b @ b) for b, a in pairs]
    if not growths[0] > 0.0 or not np.allclose(growths, growths[0], rtol=CLOSE):
        return None
    factor = growths[0] ** 0.5
    return 1.0 if abs(factor - 1.0) < CLOSE else factor
