"""The ground of a chart: where it lies, its rules, ticks and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.report.svg.element import FONT, line, text, width_of

if TYPE_CHECKING:
    from fanin.report.svg.scale import Scale

SMALL = 12


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a chart is and how it is laid out; each kind of chart uses what it needs.

    title: stands above it; description: what it shows, for who cannot see it.
    x_label, y_label: names of the axes, with units. is_log, x_is_log: logarithmic y, x.
    x_range, y_range: what is shown, in the axis's unit; found from the data if None.
    marked: a value with a name, drawn as a rule across (chance, say).
    width, height: of the view box; on a page a chart is as wide as its place.
    """

    title: str
    description: str
    x_label: str = ""
    y_label: str = ""
    is_log: bool = False
    x_is_log: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    marked: tuple[float, str] | None = None
    width: float = 440.0
    height: float = 300.0


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Two scales and their names. The upright scale starts at the bottom.

    lift: how far above the plot the upright scale's name stands.
    """

    x: Scale
    y: Scale
    x_label: str
    y_label: str
    lift: float = 16.0

    def draw(self) -> str:
        """Give rules, ticks and names; the upright name stands above, unturned."""
        left, right = self.x.start, self.x.end
        bottom, top = self.y.start, self.y.end
        parts = [
            text(
                self.y_label, 0, top - self.lift, fill="var(--quiet)", font_size=SMALL
            ),
            text(
                self.x_label, right, bottom + 36,
                text_anchor="end", fill="var(--quiet)", font_size=SMALL,
            ),
        ]  # fmt: skip
        for value, words in self.y.ticks:
            place = self.y(value)
            parts += [
                line(left, place, right, place),
                text(
                    words, left - 8, place + 4,
                    text_anchor="end", fill="var(--quiet)", font_size=SMALL,
                ),
            ]  # fmt: skip
        for value, words in self.x.ticks:
            place = self.x(value)
            parts += [
                line(place, bottom, place, bottom + 4, stroke="var(--quiet)"),
                text(
                    words, place, bottom + 18,
                    text_anchor="middle", fill="var(--quiet)", font_size=SMALL,
                ),
            ]  # fmt: skip
        parts.append(line(left, bottom, right, bottom, stroke="var(--quiet)"))
        return "".join(parts)


def left_margin(y: Scale) -> float:
    """Give the room that the upright scale's tick labels need."""
    return 12 + max((width_of(words, SMALL) for _, words in y.ticks), default=0.0)


def spread(places: list[float], gap: float, low: float, high: float) -> list[float]:
    """Move places apart to at least ``gap``, as little as need be, within a range.

    Args:
        places: wanted places, in any order.
        gap: least distance between two.
        low: the least place; kept as long as there is room.
        high: the greatest place; kept as long as there is room.

    Returns:
        New places, in the order given.

    >>> spread([10.0, 11.0, 40.0], 10.0, 0.0, 100.0)
    [5.5, 15.5, 40.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    groups = [[places[i], 1.0] for i in order]  # centre and size of each cluster
    merged: list[list[float]] = []
    for centre, size in groups:
        merged.append([centre, size])
        while len(merged) > 1 and _touch(merged[-2], merged[-1], gap):
            (c1, n1), (c2, n2) = merged[-2:]
            merged[-2:] = [[(c1 * n1 + c2 * n2) / (n1 + n2), n1 + n2]]
        merged[-1][0] = _within(merged[-1][0], (merged[-1][1] - 1) * gap / 2, low, high)
    moved = [
        centre + (k - (size - 1) / 2) * gap
        for centre, size in merged
        for k in range(int(size))
    ]
    for k in range(1, len(moved)):  # bounds may have pushed clusters together again
        moved[k] = max(moved[k], moved[k - 1] + gap)
    over = moved[-1] - high if moved else 0.0
    if over > 0:
        moved[-1] = high
        for k in range(len(moved) - 2, -1, -1):
            moved[k] = min(moved[k], moved[k + 1] - gap)
    result = [0.0] * len(places)
    for i, place in zip(order, moved, strict=True):
        result[i] = place
    return result


def _touch(one: list[float], two: list[float], gap: float) -> bool:
    return two[0] - one[0] < gap * (one[1] + two[1]) / 2


def _within(centre: float, half: float, low: float, high: float) -> float:
    return min(max(centre, low + half), max(high - half, low + half))


LINE_HEIGHT = FONT + 3
