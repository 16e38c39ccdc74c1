"""Layouts: what the axes of a value are made of, followed through every reshape.

An axis is a row of atoms. An atom is a run of positions with one meaning: samples
(``BATCH``), units (``UNIT``), an axis of a parameter (its number), or nothing (``""``).
Flattening puts atoms side by side, splitting heads cuts one in two, and a transposition
moves them: so after any of these it is still known where the units and samples lie.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BATCH = "batch"
UNIT = "unit"


class Atom(NamedTuple):
    """A run of positions along an axis: how many, and what they are."""

    size: int
    tag: str | int = ""


Axis = tuple[Atom, ...]
Layout = tuple[Axis, ...]


def plain(shape: Sequence[int]) -> Layout:
    """Give a layout of axes without a meaning."""
    return tuple((Atom(length),) for length in shape)


def of_parameter(shape: Sequence[int]) -> Layout:
    """Give the layout of a parameter: every axis is its own."""
    return tuple((Atom(length, axis),) for axis, length in enumerate(shape))


def tagged(layout: Layout, axis: int, tag: str) -> Layout:
    """Give the layout with one axis that has this meaning and no other."""
    size = prod(atom.size for atom in layout[axis])
    return (*layout[:axis], (Atom(size, tag),), *layout[axis + 1 :])


def without(layout: Layout, tag: str) -> Layout:
    """Give the layout with that meaning taken away."""
    return tuple(
        tuple(Atom(a.size) if a.tag == tag else a for a in axis) for axis in layout
    )


def only(layout: Layout, tags: Iterable[str]) -> Layout:
    """Give the layout with all other meanings taken away."""
    kept = set(tags)
    return tuple(
        tuple(a if a.tag in kept else Atom(a.size) for a in axis) for axis in layout
    )


def resized(axis: Axis, length: int) -> Axis:
    """Give the axis at another length: its meaning stays if it has only one."""
    if prod(atom.size for atom in axis) == length:
        return axis
    tags = {atom.tag for atom in axis if atom.size > 1} or {atom.tag for atom in axis}
    for tag in (UNIT, BATCH):
        if tag in tags:
            return (Atom(length, tag),)
    return (Atom(length, tags.pop() if len(tags) == 1 else ""),)


def regrouped(layout: Layout, old: Sequence[int], new: Sequence[int]) -> Layout:
    """Follow a reshape in row-major order.

    >>> image = ((Atom(8, BATCH),), (Atom(4, UNIT),), (Atom(9),))
    >>> regrouped(image, (8, 4, 9), (8, 36))[1]
    (Atom(size=4, tag='unit'), Atom(size=9, tag=''))
    >>> regrouped(((Atom(6, UNIT),),), (6,), (2, 3))
    ((Atom(size=2, tag='unit'),), (Atom(size=3, tag='unit'),))
    """
    first = _n_equal(old, new)
    last = _n_equal(old[first:][::-1], new[first:][::-1])
    middle = [a for axis in layout[first : len(old) - last] for a in axis if a.size > 1]
    grouped = _grouped(middle, new[first : len(new) - last])
    return (*layout[:first], *grouped, *layout[len(old) - last :])


def _n_equal(old: Sequence[int], new: Sequence[int]) -> int:
    pairs = zip(old, new, strict=False)
    return next(
        (i for i, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new))
    )


def _grouped(atoms: list[Atom], lengths: Sequence[int]) -> Layout:
    """Deal the atoms out to axes of these lengths, cutting where an axis ends."""
    waiting = list(atoms)
    axes: list[Axis] = []
    for length in lengths:
        axis: list[Atom] = []
        missing = length
        while missing > 1:
            atom = waiting.pop(0)
            taken = min(atom.size, missing)
            if missing % taken or atom.size % taken:
                return plain(lengths)
            axis.append(Atom(taken, atom.tag))
            missing //= taken
            if atom.size > taken:
                waiting.insert(0, Atom(atom.size // taken, atom.tag))
        axes.append(tuple(axis) or (Atom(length),))
    return tuple(axes)


def axis_of(layout: Layout, tag: str) -> int | None:
    """Give the one axis with atoms of that meaning; None if there is none, or more."""
    all_axes = [i for i, axis in enumerate(layout) if any(a.tag == tag for a in axis)]
    long = [i for i in all_axes if any(a.tag == tag and a.size > 1 for a in layout[i])]
    found = long or all_axes
    return found[0] if len(found) == 1 else None


def repeat_of(layout: Layout, axis: int | None) -> int:
    """Give how many positions of one unit lie side by side along the unit axis."""
    if axis is None:
        return 1
    return prod(atom.size for atom in layout[axis] if atom.tag != UNIT)


def parameter_axes(axes: Iterable[Axis]) -> tuple[int, ...]:
    """Give the parameter's own axes that lie along some axes of a view of it."""
    found = {a.tag for axis in axes for a in axis if isinstance(a.tag, int)}
    return tuple(sorted(found))
