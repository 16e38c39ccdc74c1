"""Primitives that move numbers: dropped where nothing moves, folded where possible."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.graph.draft import Draft, Kind
from fanin.graph.graph import Op
from fanin.graph.simplify.fact import EVERY_AXIS, PARAMETER, USES
from fanin.graph.simplify.layout import BATCH, UNIT, axis_of, repeat_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.graph.simplify.fact import Facts
    from fanin.graph.simplify.pieces import Piece, Table

_LIKE_ITS_INPUT = frozenset({Kind.POINTWISE, Kind.NORMALIZE, Kind.NOISE})


def add_view(table: Table, draft: Draft) -> None:
    """Drop it, fold it into the node before it, or make it a REARRANGE."""
    source = draft.inputs[0]
    if _is_identity(table, draft):
        table.alias[draft.id] = table.resolve(source)
        return
    piece = table.piece(source)
    if piece is not None and table.has_one_reader(source):
        is_cropped = _crops_transposed(draft, piece)
        if piece.op is Op.LINEAR and (_keeps_units(table, draft) or is_cropped):
            table.extend(source, draft)
            return
        is_chain = piece.op is Op.REARRANGE and "axis" not in piece.details
        if is_chain and draft.kind is not Kind.PICK:
            before = piece.inputs[0]
            details = _details(table, draft, before)
            table.extend(source, draft, details=details)
            return
    before = table.need(source)
    details = _details(table, draft, before)
    table.put(draft, Op.REARRANGE, [before], details=details)


def _is_identity(table: Table, draft: Draft) -> bool:
    is_same = draft.shape == table.drafts[draft.inputs[0]].shape
    if draft.kind is Kind.PERMUTE:
        axes = draft.settings["axes"]
        return is_same and tuple(axes) == tuple(range(len(axes)))
    return is_same and draft.kind in {Kind.RESHAPE, Kind.BROADCAST, Kind.REDUCE}


def _crops_transposed(draft: Draft, piece: Piece) -> bool:
    """Say whether a slice takes border positions off a transposed convolution.

    Keras on torch crops so for "same" padding, and adds the bias behind it.
    """
    is_transposed = piece.details.get("kind") == "conv_transpose"
    is_slice = draft.kind is Kind.PICK and not draft.settings["is_dropped"]
    if not (is_transposed and is_slice and piece.bias is None):
        return False
    kept = {axis_of(piece.layout, UNIT), axis_of(piece.layout, BATCH), None}
    return draft.settings["axis"] not in kept


def _keeps_units(table: Table, draft: Draft) -> bool:
    """Say whether a reshape or a transposition leaves the unit axis whole and alone.

    Keras on torch transposes a convolution's output before it adds the bias.
    """
    if draft.kind not in {Kind.RESHAPE, Kind.PERMUTE}:
        return False
    new = table.facts[draft.id].layout
    axis = axis_of(new, UNIT)
    return axis is not None and repeat_of(new, axis) == 1


def _details(table: Table, draft: Draft, before: int) -> dict[str, object]:
    """Give ``repeat``, and for a part of one axis where it was cut."""
    old = table.pieces[before].layout if before in table.pieces else ()
    new = table.facts[draft.id].layout
    repeat_before = repeat_of(old, axis_of(old, UNIT))
    repeat = repeat_of(new, axis_of(new, UNIT))
    details: dict[str, object] = {"repeat": max(1, repeat // max(1, repeat_before))}
    if draft.kind is Kind.PICK and draft.settings["axis"] is not None:
        details |= {name: draft.settings[name] for name in ("axis", "start", "step")}
    return details


def with_direct_reading(
    drafts: Sequence[Draft], facts: Mapping[int, Facts]
) -> list[Draft]:
    """Let products with a parameter read what lies before a flattening of first axes.

    Only where nothing but the last axis is summed over, and the views leave that one
    alone: then the product is that of every row, whichever way rows are laid out. The
    views stay for whoever else reads them.
    """
    return [_reading_directly(drafts, facts, draft) for draft in drafts]


def _reading_directly(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], draft: Draft
) -> Draft:
    natures = [facts[i].nature for i in draft.inputs]
    if draft.kind is not Kind.CONTRACT or natures.count(PARAMETER) != 1:
        return draft
    place = 1 - natures.index(PARAMETER)
    terms, _, out = draft.settings["subscripts"].partition("->")
    letters = terms.split(",")[place]
    if letters[-1:] in out or any(letter not in out for letter in letters[:-1]):
        return draft
    source = drafts[draft.inputs[place]]
    while source.kind is Kind.RESHAPE:
        before = drafts[source.inputs[0]]
        if before.shape[-1:] != source.shape[-1:]:
            break
        source = before
    inputs = [draft.inputs[1 - place]]
    inputs.insert(place, source.id)
    return replace(draft, inputs=tuple(inputs))


def with_input_axes(drafts: Sequence[Draft]) -> list[Draft]:
    """Let the first reader of an input say where its features lie.

    A convolution says its channels, and so does pooling over all other axes;
    flattening makes a feature of every entry.
    """
    found = list(drafts)
    seen: set[int] = set()
    origins = _origins(drafts)
    for draft in drafts:
        if draft.kind not in USES | {Kind.RESHAPE, Kind.POOL, Kind.REDUCE}:
            continue
        for value in draft.inputs:
            origin = drafts[origins[value]]
            if origin.kind is not Kind.INPUT or origin.id in seen:
                continue
            axis = _axis_read(draft, origin)
            if axis is not None and origin.settings["unit_axis"] is None:
                seen.add(origin.id)
                settings = {**origin.settings, "unit_axis": axis}
                found[origin.id] = replace(origin, settings=settings)
    return found


def _origins(drafts: Sequence[Draft]) -> list[int]:
    """Look back from every value through primitives that change no shape."""
    found: list[int] = []
    for draft in drafts:
        same = [i for i in draft.inputs if drafts[i].shape == draft.shape]
        is_like = draft.kind in _LIKE_ITS_INPUT and bool(same)
        found.append(found[same[0]] if is_like else draft.id)
    return found


def _axis_read(draft: Draft, origin: Draft) -> int | str | None:
    if draft.kind is Kind.CONVOLVE:
        return int(draft.settings["channel_axis"])
    if draft.kind is Kind.CONTRACT:
        return len(origin.shape) - 1
    if draft.kind in {Kind.POOL, Kind.REDUCE}:
        return _axis_not_pooled(draft, origin)
    is_flat = draft.kind is Kind.RESHAPE and len(draft.shape) == 2
    if is_flat and len(origin.shape) > 2 and draft.shape[0] == origin.shape[0]:
        return EVERY_AXIS
    return None


def _axis_not_pooled(draft: Draft, origin: Draft) -> int | None:
    """Give the axis besides the samples that pooling over several others leaves."""
    axes = range(1, len(origin.shape))
    if draft.kind is Kind.REDUCE:
        left = [axis for axis in axes if axis not in draft.settings["axes"]]
    else:
        left = [axis for axis in axes if draft.shape[axis] == origin.shape[axis]]
    return left[0] if len(left) == 1 and len(origin.shape) > 3 else None
