"""Where each axis of a primitive's output comes from, kind by kind."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from fanin.graph.simplify.fact import ACTIVATION, PARAMETER, Facts
from fanin.graph.simplify.layout import (
    BATCH,
    UNIT,
    Atom,
    Layout,
    axis_of,
    plain,
    resized,
    tagged,
    without,
)

if TYPE_CHECKING:
    from fanin.graph.draft import Draft


def contracted(draft: Draft, read: list[Facts]) -> Layout:
    """Give each letter's axis; new units are those of the weight, or of the values."""
    terms, _, out = draft.settings["subscripts"].partition("->")
    left, right = terms.split(",")
    by_letter: dict[str, tuple[Atom, ...]] = {}
    is_weighted = any(facts.nature == PARAMETER for facts in read)
    for letters, facts in ((left, read[0]), (right, read[1])):
        layout = facts.layout
        if is_weighted and facts.nature != PARAMETER:
            layout = without(layout, UNIT)
        elif is_weighted and not all(f.nature == PARAMETER for f in read):
            layout = _as_units(layout)
        for letter, atoms in zip(letters, layout, strict=True):
            is_better = any(a.tag in {BATCH, UNIT} for a in atoms)
            if letter not in by_letter or is_better:
                by_letter[letter] = atoms
    layout = tuple(by_letter[letter] for letter in out)
    free = (letter for letter in out if (letter in left) != (letter in right))
    has_units = any(a.tag == UNIT for letter in free for a in by_letter[letter])
    if is_weighted or has_units:
        return layout
    return without(layout, UNIT)


def _as_units(layout: Layout) -> Layout:
    """Turn the axes of a weight into axes of units."""
    return tuple(
        tuple(Atom(a.size, UNIT if a.tag != "" else "") for a in axis)
        for axis in layout
    )


def convolved(draft: Draft, read: list[Facts]) -> Layout:
    """Give samples and channels; positions have no meaning of their own."""
    layout = list(plain(draft.shape))
    layout[0] = read[0].layout[0]
    axis = draft.settings["channel_axis"]
    return tagged(tuple(layout), axis, UNIT)


def looked_up(draft: Draft, read: list[Facts]) -> Layout:
    """Give the axes of the indices, then the width of the table as units."""
    table, indices = read
    rows = table.layout
    axis = draft.settings["axis"]
    rest = (*rows[:axis], *rows[axis + 1 :])
    if table.nature == PARAMETER:
        rest = _as_units(rest)
    return (*without(indices.layout, UNIT), *rest)


def permuted(draft: Draft, read: list[Facts]) -> Layout:
    """Give the axes in their new order."""
    return tuple(read[0].layout[axis] for axis in draft.settings["axes"])


def broadcasted(draft: Draft, read: list[Facts]) -> Layout:
    """Give the axes that are not repeated their meaning."""
    axes = list(plain(draft.shape))
    for axis, atoms in zip(draft.settings["axes"], read[0].layout, strict=True):
        if prod(atom.size for atom in atoms) == draft.shape[axis]:
            axes[axis] = atoms
    return tuple(axes)


def picked(draft: Draft, read: list[Facts]) -> Layout:
    """Give the axes, the cut one at its new length."""
    layout = read[0].layout
    axis = draft.settings["axis"]
    if draft.settings["is_dropped"] and axis is not None:
        layout = (*layout[:axis], *layout[axis + 1 :])
    if len(layout) != len(draft.shape):
        return plain(draft.shape)
    pairs = zip(layout, draft.shape, strict=True)
    return tuple(resized(atoms, length) for atoms, length in pairs)


def concatenated(draft: Draft, read: list[Facts]) -> Layout:
    """Give the axes, the joined one at its new length."""
    axis = draft.settings["axis"]
    layouts = [f.layout for f in read if f.nature == ACTIVATION] or [read[0].layout]
    chosen = next((x for x in layouts if axis_of(x, UNIT) is not None), layouts[0])
    merged = list(chosen)
    merged[axis] = resized(merged[axis], draft.shape[axis])
    return tuple(
        atoms if prod(a.size for a in atoms) == length else (Atom(length),)
        for atoms, length in zip(merged, draft.shape, strict=True)
    )


def reduced(draft: Draft, read: list[Facts]) -> Layout:
    """Give the axes that are left."""
    axes, is_kept = draft.settings["axes"], draft.settings["is_kept"]
    layout = enumerate(read[0].layout)
    if is_kept:
        return tuple((Atom(1),) if i in axes else atoms for i, atoms in layout)
    return tuple(atoms for i, atoms in layout if i not in axes)
