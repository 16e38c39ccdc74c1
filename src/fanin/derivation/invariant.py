"""The smallest pattern of frozen and tied entries that no update leaves.

A point of the pattern has each frozen entry at its starting value and one symbol for
each class of tied entries. Colour refinement finds it: begin with everything frozen,
compute the gradient at a generic point, thaw what has a gradient, split classes whose
gradients differ, and repeat until the gradient respects the pattern. Then, by
induction, the pattern holds for ever: the start lies in it, and any deterministic
element-wise update (SGD, momentum, Adam) of a point in it lies in it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.notation import Entry
from fanin.derivation.trace import Trace, traced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.derivation.net import Net
    from fanin.derivation.start import Start


@dataclass(frozen=True, kw_only=True)
class Invariant:
    """A pattern that holds at the start and at every later step.

    frozen: entries whose gradient is 0 at every point of the pattern, so that they
    never move. classes: the others, in groups that stay equal. point: a generic point
    of the pattern. trace: the pass at that point, which is the induction step.
    """

    frozen: frozenset[Entry]
    classes: tuple[tuple[Entry, ...], ...]
    point: Mapping[Entry, Expr]
    trace: Trace

    def class_of(self, entry: Entry) -> tuple[Entry, ...]:
        """Give the entries that stay equal to this one (itself alone if frozen)."""
        for group in self.classes:
            if entry in group:
                return group
        return (entry,)

    def are_tied(self, one: Entry, other: Entry) -> bool:
        """Say whether two entries are equal at every step."""
        if one in self.frozen or other in self.frozen:
            both = one in self.frozen and other in self.frozen
            return both and bool(self.point[one] == self.point[other])
        return other in self.class_of(one)

    def twins(self, layer: int) -> tuple[tuple[int, ...], ...]:
        """Group the hidden units of a layer that are equal in all they have."""
        blocks: list[list[int]] = []
        for j in self.trace.net.units(layer):
            home = next((b for b in blocks if self._same(layer, b[0], j)), None)
            if home is None:
                blocks.append([j])
            else:
                home.append(j)
        return tuple(tuple(block) for block in blocks)

    def _same(self, layer: int, one: int, other: int) -> bool:
        mine, theirs = unit_entries(self.trace.net, layer, one, other)
        return all(self.are_tied(p, q) for p, q in zip(mine, theirs, strict=True))


def unit_entries(
    net: Net, layer: int, one: int, other: int
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Give the incoming weights, bias and outgoing weights of two units, in pairs."""

    def of(unit: int) -> tuple[Entry, ...]:
        before = [Entry(layer, i, unit) for i in (*net.units(layer - 1), 0)]
        after = [Entry(layer + 1, unit, k) for k in net.units(layer + 1)]
        return (*before, *after)

    return of(one), of(other)


def refine(net: Net, start: Start) -> Invariant:
    """Find the pattern of this start."""
    colours: dict[Entry, tuple[Expr, ...]] = dict.fromkeys(net.entries, ("frozen",))
    while True:
        point = generic_point(net, start, colours)
        trace = traced(net, point)
        refined = {
            entry: _recoloured(colours[entry], start[entry], trace, entry)
            for entry in net.entries
        }
        if _groups(refined) == _groups(colours):
            break
        colours = refined
    frozen = frozenset(e for e in net.entries if colours[e] == ("frozen",))
    return Invariant(
        frozen=frozen,
        classes=tuple(group for group in _groups(colours) if group[0] not in frozen),
        point=point,
        trace=trace,
    )


def _recoloured(
    colour: tuple[Expr, ...], value: Expr, trace: Trace, entry: Entry
) -> tuple[Expr, ...]:
    gradient = sympy.expand(trace.gradient[entry])
    if colour == ("frozen",):
        return colour if gradient == 0 else ("thawed", value, gradient)
    return (*colour, gradient)


def _groups(colours: Mapping[Entry, tuple[Expr, ...]]) -> list[tuple[Entry, ...]]:
    groups: dict[tuple[Expr, ...], list[Entry]] = {}
    for entry, colour in colours.items():
        groups.setdefault(colour, []).append(entry)
    return [tuple(group) for group in groups.values()]


def generic_point(
    net: Net, start: Start, colours: Mapping[Entry, tuple[Expr, ...]]
) -> dict[Entry, Expr]:
    """Give each frozen entry its start, each class its first entry's symbol."""
    first: dict[tuple[Expr, ...], Entry] = {}
    for entry in net.entries:
        first.setdefault(colours[entry], entry)
    return {
        entry: start[entry]
        if colours[entry] == ("frozen",)
        else first[colours[entry]].symbol
        for entry in net.entries
    }


def first_moves(net: Net, start: Start, pattern: Invariant) -> dict[Entry, int | None]:
    """Give the first step at which each entry can move; None for never.

    Before step k the entries that have moved are at any value that the pattern allows
    and the others still at their start: a zero gradient there is zero at every run's
    step k. That an entry does move at its step is for a witness to show.
    """
    moves: dict[Entry, int | None] = dict.fromkeys(net.entries)
    point = dict(start)
    for step in range(1, len(net.entries) + 1):
        trace = traced(net, point)
        new = [e for e in net.entries if moves[e] is None and not trace.is_zero(e)]
        if not new:
            break
        moves |= dict.fromkeys(new, step)
        point |= {entry: pattern.point[entry] for entry in new}
    return moves
