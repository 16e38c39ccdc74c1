"""Where units and labels stand, in the picture's own units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.derivation.notation import Entry

COLUMN, ROW, SIDE, TOP, BOTTOM = 320.0, 184.0, 84.0, 84.0, 96.0
ALONG = (0.37, 0.34, 0.42, 0.47, 0.52, 0.3, 0.57, 0.62, 0.26, 0.67)
"""Where on its edge a label may stand, the best place first."""
WIDE = 130.0
"""Of a label's two lines."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Places:
    """The layout of a net. widths: units by layer, the inputs first.

    >>> Places((2, 2, 1)).unit(2, 1)
    (724.0, 176.0)
    """

    widths: tuple[int, ...]

    @property
    def column(self) -> float:
        """Give the distance between layers; steep edges need more room."""
        return COLUMN if max(self.widths) < 3 else 1.35 * COLUMN

    @property
    def width(self) -> float:
        """Give the picture's width."""
        return (len(self.widths) - 1) * self.column + 2 * SIDE

    @property
    def height(self) -> float:
        """Give the picture's height."""
        return (max(self.widths) - 1) * ROW + TOP + BOTTOM

    def unit(self, layer: int, j: int) -> tuple[float, float]:
        """Give the centre of unit j (from 1) of a layer (0 the inputs)."""
        n_units = self.widths[layer]
        middle = TOP + (max(self.widths) - 1) * ROW / 2
        return SIDE + layer * self.column, middle + (j - (n_units + 1) / 2) * ROW

    def ends(self, entry: Entry) -> tuple[float, float, float, float]:
        """Give both ends of a weight's edge."""
        return (
            *self.unit(entry.layer - 1, entry.i),
            *self.unit(entry.layer, entry.j),
        )

    def labels(self, entries: Sequence[Entry]) -> dict[Entry, tuple[float, float]]:
        """Give the middle of each weight's label, none over another where it can be.

        Each takes the place along its edge that is most free, the best of equals.
        """
        taken = [self._around(layer, j) for layer, j in self._units()]
        found: dict[Entry, tuple[float, float]] = {}
        for entry in entries:
            middles = [self._along(entry, along) for along in ALONG]
            found[entry] = min(middles, key=lambda at: _covered(_box(*at), taken))
            taken.append(_box(*found[entry]))
        return found

    def _units(self) -> list[tuple[int, int]]:
        return [
            (layer, j)
            for layer, n_units in enumerate(self.widths)
            for j in range(1, n_units + 1)
        ]

    def _around(self, layer: int, j: int) -> Box:
        x, y = self.unit(layer, j)
        if layer == 0:
            return (x - 40, y - 60, x + 40, y + 40)
        return (x - 70, y - 72, x + 70, y + 76)

    def _along(self, entry: Entry, along: float) -> tuple[float, float]:
        x1, y1, x2, y2 = self.ends(entry)
        return x1 + along * (x2 - x1), y1 + along * (y2 - y1)


def _box(x: float, y: float) -> Box:
    return (x - WIDE / 2, y - 22, x + WIDE / 2, y + 22)


def _covered(box: Box, others: Sequence[Box]) -> float:
    """Give the area of a box that lies on others."""
    left, top, right, bottom = box
    total = 0.0
    for x1, y1, x2, y2 in others:
        wide = min(right, x2) - max(left, x1)
        high = min(bottom, y2) - max(top, y1)
        total += max(wide, 0.0) * max(high, 0.0)
    return total
