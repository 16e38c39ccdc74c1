"""The mask in front of a softmax: entries that it leaves out, however it is written.

A mask is a constant added that is very negative (or −∞) where an entry is left out, a
choice between the entry and such a number, or a tensor of the batch that is added and
that no parameter has touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.draft import Kind
from fanin.graph.graph import Op
from fanin.graph.simplify_fact import ACTIVATION

if TYPE_CHECKING:
    from fanin.graph.draft import Draft
    from fanin.graph.simplify_pieces import Piece, Table

OUT: Final = -1e3
"""A score below it has no share left beside any other."""

Details = dict[str, object]


def add_softmax(table: Table, draft: Draft) -> None:
    """Make a SOFTMAX; masks right before it are part of it."""
    axis = draft.settings["axis"]
    details: Details = {"axis": axis, "mask": "none"}
    if draft.shape:
        details["n_unmasked"] = float(draft.shape[axis])
    source, names = table.resolve(draft.inputs[0]), [draft.name]
    while (found := _masked(table, draft, source)) is not None:
        names[:0] = table.pieces[source].names
        source, mask = found
        details = _joined(details, mask)
    reads = [table.need(source)]
    table.put(draft, Op.SOFTMAX, reads, names=tuple(names), details=details)


def _joined(details: Details, mask: Details) -> Details:
    """Put a further mask to those found; how many two leave together is not known."""
    is_first = details["mask"] == "none"
    kinds = {str(details["mask"]), str(mask["mask"])} - {"none"}
    kind = "data" if "data" in kinds else "constant"
    left = {name: n for name, n in details.items() if name != "n_unmasked"}
    return left | (mask if is_first else {}) | {"mask": kind}


def _masked(table: Table, draft: Draft, source: int) -> tuple[int, Details] | None:
    """Give what the mask that gave ``source`` was put on, and what it is."""
    piece = table.pieces.get(source)
    if piece is None or len(piece.inputs) != 2 or not table.has_one_reader(source):
        return None
    if piece.op not in {Op.ADD, Op.OPAQUE}:
        return None
    constants = [i for i in piece.inputs if table.pieces[i].op is Op.CONSTANT]
    if len(constants) == 1:
        scores = next(i for i in piece.inputs if i not in constants)
        mask = _constant(table, draft, source, constants[0])
        return None if mask is None else (scores, mask)
    return _of_batch(table, piece)


def _of_batch(table: Table, piece: Piece) -> tuple[int, Details] | None:
    """A sum of scores, which depend on parameters, and of something that does not."""
    free = [i for i in piece.inputs if i in table.weightless]
    bound = [i for i in piece.inputs if i not in table.weightless]
    if len(free) != 1 or len(bound) != 1 or piece.shape != table.drafts[bound[0]].shape:
        return None
    return bound[0], {"mask": "data"}


def _constant(table: Table, draft: Draft, source: int, constant: int) -> Details | None:
    """Say how many entries a constant leaves; None if it leaves none out."""
    details: Details = {"mask": "constant"}
    values = table.drafts[constant].value
    kept = None if values is None else _kept(table, table.drafts[source])
    if kept is None:
        is_sum = table.pieces[source].op is Op.ADD
        return details if values is None or is_sum is False else None
    if kept.all():
        return None
    axis = draft.settings["axis"] - len(draft.shape) + kept.ndim
    length = draft.shape[draft.settings["axis"]]
    if axis < 0:
        return details
    share = kept.mean(axis=axis)
    return details | {"n_unmasked": float(share.mean() * length)}


def _kept(table: Table, masking: Draft) -> np.ndarray | None:
    """Say which entries a primitive keeps: those that it gives as they were, near 0."""
    if masking.function is None:
        return None
    read = []
    for i in masking.inputs:
        facts = table.facts[i]
        if facts.nature == ACTIVATION:
            read.append(np.array(0.0))
        elif facts.number is not None:
            read.append(np.array(facts.number))
        else:
            value = _value_of(table, i)
            if value is None:
                return None
            read.append(value)
    with np.errstate(all="ignore"):
        given = np.asarray(masking.function(*read), np.float64)
    is_out = ~(given > OUT)
    if not is_out.any() and np.any(given):
        return None  # a bias that moves scores, as ALiBi's
    return ~is_out


def _value_of(table: Table, value: int) -> np.ndarray | None:
    """Give the numbers of a constant, seen through the copies made of it."""
    draft = table.drafts[value]
    while draft.value is None and draft.kind is Kind.BROADCAST:
        draft = table.drafts[draft.inputs[0]]
    return None if draft.value is None else draft.value.astype(np.float64)
