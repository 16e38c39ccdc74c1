"""The policy "mup": the maximal update parametrization, from a base to a wider model.

What trains the base well trains the wide model well: the same learning rate, the same
schedule. Initial values are those that "auto" gives the base, with every std carried
over by its exponent (``widening/transfer.py``); the learning rates' multipliers stand
in the prescriptions, and ``plan.groups`` hands them to an optimizer.

Without a base the model is its own: all multipliers are 1. With ``width`` the base is
taken to be that wide, so that 1/n_in itself is the rule.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError
from fanin.graph.roles import RoleKind
from fanin.prescription.policies.auto import decide as auto
from fanin.prescription.prescription import Part
from fanin.prescription.widening.tied import reconciled, tie_warnings, ties
from fanin.prescription.widening.transfer import is_drawn, widened, zeroed
from fanin.prescription.widening.wide import attention_warnings, wide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.widening.wide import Wide

NAME = "mup"
SUMMARY = "Carried over from a smaller base, so that its learning rate fits any width."
SOURCE = "Yang, Hu et al. 2022, Tables 3 and 8 (arXiv 2203.03466)"
STARTS = ("normal", "zero")


def decide(
    desk: Desk,
    *,
    head: str = "normal",
    query: str = "normal",
    width: int | None = None,
) -> Mapping[str, Prescription]:
    """Decide every parameter by its growth over the base.

    Args:
        desk: of the model; ``desk.base`` is the base's Graph.
        head: "normal", or "zero": the output starts at its bias, at every width.
        query: "normal", or "zero": attention starts even, at every width.
        width: of the base, where none is given.

    Raises:
        ArgumentError: if an option is no such word, or the base does not fit.
        ContradictionError: if there is a base and a width.
    """
    require_starts(head=head, query=query)
    found = wide(desk, auto, width=require_whole("width", width))
    return started(found, carried(found), head, query)


def warnings(
    desk: Desk,
    *,
    head: str = "normal",
    query: str = "normal",
    width: int | None = None,
    is_deeper: bool = False,
) -> tuple[str, ...]:
    """Say what the model itself would have to do, and does not."""
    del head, query
    found = wide(desk, auto, width=width, is_deeper=is_deeper)
    return (*attention_warnings(found), *tie_warnings(found))


def carried(found: Wide) -> dict[str, Prescription]:
    """Carry every parameter over from the base."""
    done = {
        path: widened(
            own,
            found.before[path],
            found.stds[path],
            found.growths[path],
            found.factor(path),
        )
        for path, own in found.own.items()
    }
    for tie in ties(found):
        done |= reconciled(found, tie)
    return done


def started(
    found: Wide, done: Mapping[str, Prescription], head: str, query: str
) -> dict[str, Prescription]:
    """Let heads or queries start at zero, where that is wanted."""
    wanted = dict(done)
    for path, p in done.items():
        if not is_drawn(p):
            continue
        if head == "zero" and p.role == RoleKind.HEAD:
            reason = "Output head: starts at 0, so that every width starts alike."
            wanted[path] = zeroed(p, reason)
        elif query == "zero":
            wanted[path] = without_queries(p, found.desk.roles[path])
    return wanted


def without_queries(p: Prescription, role: Role) -> Prescription:
    """Let the units that are queries start at zero."""
    reason = "Queries start at 0, so that attention starts even at every width."
    if role.kind is RoleKind.QUERY:
        return zeroed(p, reason)
    cut = [part for part in role.slices if part.kind is RoleKind.QUERY]
    if not cut:
        return p
    parts = tuple(Part.of(part, factor=0.0) for part in cut)
    left = 1.0 - sum(part.size / part.period for part in cut)
    target = None if p.target is None else p.target * sqrt(left)
    return replace(
        p, parts=(*p.parts, *parts), target=target, reason=f"{p.reason} {reason}"
    )


def require_starts(**wanted: str) -> None:
    """Refuse a word that is none of `STARTS`.

    Raises:
        ArgumentError: if one is not.
    """
    for name, word in wanted.items():
        if word not in STARTS:
            argument, expected = f"mup({name}=…)", f"one of {', '.join(STARTS)}"
            raise ArgumentError.of(argument, word, expected)


def require_whole(name: str, number: object) -> int | None:
    """Give an option that is a whole number or None.

    Raises:
        ArgumentError: if it is neither.
    """
    if number is None or (isinstance(number, int) and not isinstance(number, bool)):
        return number
    expected = "a whole number of 1 or more"
    raise ArgumentError.of(name, received=number, expected=expected)
