"""All published cases, in the order of their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cases import innocent, mutants, scale, stuck, symmetric, unwritten

if TYPE_CHECKING:
    from benchmarks.cases.case import Case

CASES: tuple[Case, ...] = (
    *stuck.CASES,
    *symmetric.CASES,
    *scale.CASES,
    *unwritten.CASES,
    *mutants.CASES,
    *innocent.CASES,
)
