"""A finding that somebody chose not to be told of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.rules.rule import Finding


@dataclass(frozen=True, kw_only=True)
class Suppressed:
    """A finding, who set it aside, and why.

    by: "comment" (on the constructing line), "config" (an ignore by parameter) or
    "baseline" (known when the baseline was written). reason: in words, may be empty.
    """

    finding: Finding
    by: str
    reason: str = ""
