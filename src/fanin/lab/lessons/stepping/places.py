"""Where units and labels stand, in the picture's own units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.derivation.notation import Entry

COLUMN, ROW, SIDE, TOP, BOTTOM = 320.0, 164.0, 84.0, 84.0, 92.0
ALONG, ALONG_FAR = 0.37, 0.24
"""Where on its edge a label stands; nearer to its source on a steep edge."""


@dataclass(frozen=True)
class Places:
    """The layout of a net. widths: units by layer, the inputs first.

    >>> Places((2, 2, 1)).unit(2, 1)
    (724.0, 166.0)
    """

    widths: tuple[int, ...]

    @property
    def width(self) -> float:
        """Give the picture's width."""
        return (len(self.widths) - 1) * COLUMN + 2 * SIDE

    @property
    def height(self) -> float:
        """Give the picture's height."""
        return (max(self.widths) - 1) * ROW + TOP + BOTTOM

    def unit(self, layer: int, j: int) -> tuple[float, float]:
        """Give the centre of unit j (from 1) of a layer (0 the inputs)."""
        n_units = self.widths[layer]
        middle = TOP + (max(self.widths) - 1) * ROW / 2
        return SIDE + layer * COLUMN, middle + (j - (n_units + 1) / 2) * ROW

    def ends(self, entry: Entry) -> tuple[float, float, float, float]:
        """Give both ends of a weight's edge."""
        return (
            *self.unit(entry.layer - 1, entry.i),
            *self.unit(entry.layer, entry.j),
        )

    def label(self, entry: Entry) -> tuple[float, float]:
        """Give the middle of a weight's label."""
        x1, y1, x2, y2 = self.ends(entry)
        along = ALONG if abs(y2 - y1) < 1.2 * ROW else ALONG_FAR
        return x1 + along * (x2 - x1), y1 + along * (y2 - y1)
