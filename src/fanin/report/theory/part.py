"""What every format shows: parts with sentences, formulas and a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.derivation.records import Formula


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of words under a head; the first word names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One section. text: sentences, a paragraph each, behind formulas and table."""

    title: str
    formulas: tuple[Formula, ...] = ()
    table: Table | None = None
    text: tuple[str, ...] = ()
