"""The gain of a normalization that is a parameter's number, shifted or scaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.draft import Kind
from fanin.graph.simplify.affine import affine_of
from fanin.graph.simplify.fact import PARAMETER, VIEWS

if TYPE_CHECKING:
    from fanin.graph.simplify.pieces import Table


def gain_details(table: Table, value: int) -> dict[str, object] | None:
    """Give ``gain_offset`` and ``gain_factor`` of a value factor·parameter + offset.

    Empty for the parameter itself, None where it is another function of it.
    """
    facts = table.facts[value]
    if facts.is_view:
        return {}
    if len(facts.sources) != 1:
        return None
    line = affine_of(lambda numbers: _replayed(table, value, numbers))
    if line is None or line[0] == 0.0:
        return None
    details: dict[str, object] = {"gain_offset": line[1]}
    return details if line[0] == 1.0 else details | {"gain_factor": line[0]}


def _replayed(table: Table, value: int, numbers: np.ndarray) -> np.ndarray:
    """Do with numbers what was done entry by entry with the parameter; NaN if not."""
    draft, facts = table.drafts[value], table.facts[value]
    if facts.nature != PARAMETER:
        return np.asarray(np.nan if facts.number is None else facts.number)
    if facts.is_view:
        return numbers
    if draft.kind in VIEWS:
        return _replayed(table, draft.inputs[0], numbers)
    if draft.kind is not Kind.POINTWISE or draft.function is None:
        return np.full_like(numbers, np.nan)
    read = [_replayed(table, i, numbers) for i in draft.inputs]
    return np.broadcast_to(draft.function(*read), numbers.shape)
