"""All healthy bases, in two parts: two thirds to mend rules by, one third held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.faults import dense, elsewhere, images, library, sequences

if TYPE_CHECKING:
    from benchmarks.faults.subject import Base

BASES: tuple[Base, ...] = (
    *dense.BASES,
    *images.BASES,
    *sequences.BASES,
    *library.BASES,
    *elsewhere.BASES,
)


def is_held_out(base: Base) -> bool:
    """Say whether a base is one of every third, counted from the second.

    By place in the list, so that each kind of model has some in both parts.
    """
    return BASES.index(base) % 3 == 1
