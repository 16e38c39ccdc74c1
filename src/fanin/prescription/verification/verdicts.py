"""What can be found of one parameter."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What was found of one parameter."""

    SAME = "same"
    """Every number looked at has the plan's bits."""
    ROUNDED = "rounded"
    """The plan's numbers in another dtype: cast once."""
    CLOSE = "close"
    """The plan's matrix, but for the rounding of a matrix product."""
    DIFFERS = "differs"
    MISSING = "missing"
    """The model has no such parameter."""
    SKIPPED = "skipped"
    """There was nothing to compare; ``reason`` says why."""


BAD: Final = frozenset({Verdict.DIFFERS, Verdict.MISSING})
