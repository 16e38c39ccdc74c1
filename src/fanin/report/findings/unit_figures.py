"""Dead, saturated and equal units as pictures: a row a layer, a pixel a unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.report.page import Html, figure, inline, table
from fanin.report.svg import Frame, UnitRow, unit_picture
from fanin.report.svg.heat_map import colour
from fanin.rules.profile import ALWAYS_OFF, ALWAYS_ON, WORKING
from fanin.rules.words import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.rules.profile import Profile, Row, TwinUnits

Colour = tuple[int, int, int]
WIDTH: Final = 520
LOOKS: Final[Mapping[object, tuple[Colour, str]]] = {
    ALWAYS_OFF: ((20, 22, 27), "off for every sample"),
    WORKING: ((148, 156, 168), "on for some, off for others"),
    ALWAYS_ON: ((246, 247, 249), "on for every sample"),
}
FLAT, STEEP = "flat", "steep"
PARTS: Final[Mapping[object, tuple[Colour, str]]] = {
    FLAT: ((213, 94, 0), "in a flat part of the activation"),
    STEEP: ((148, 156, 168), "where it is steep"),
}
N_PARTS: Final = 200


def unit_figures(profile: Profile) -> str:
    """Give the pictures that have something to show."""
    return "".join(
        (_dead(profile.rows), _saturated(profile.rows), _twins(profile.twins))
    )


def _dead(rows: Sequence[Row]) -> str:
    """Draw which units of rectifiers are off, or on, for the whole batch."""
    known = [row for row in rows if row.units and row.dead is not None]
    if not known:
        return ""
    worst = max(known, key=lambda row: row.dead or 0.0)
    caption = (
        f"Of {count(len(known), 'layer')} with a rectifier, {worst.name} has the most "
        f"units that are off for every sample: {_percent(worst.dead)}."
    )
    drawn = unit_picture(
        [
            UnitRow(name=r.name, marks=r.units, note=f"{_percent(r.dead)} off")
            for r in known
        ],
        {mark: look for mark, (look, _) in LOOKS.items()},
        Frame(title="Units of each layer", description=caption, width=WIDTH),
    )
    used = {mark for row in known for mark in row.units}
    numbers = table(
        ("layer", "units", "off for every sample"),
        [(row.name, row.n_units, _percent(row.dead)) for row in known],
    )
    shown = [look for mark, look in LOOKS.items() if mark in used]
    return f"<h3>Dead units</h3>{_key(shown)}" + figure(
        drawn, caption=caption, numbers=numbers
    )


def _saturated(rows: Sequence[Row]) -> str:
    """Draw how much of what enters tanh, sigmoid and the like meets a flat part."""
    known = [row for row in rows if row.saturated is not None]
    if not known:
        return ""
    worst = max(known, key=lambda row: row.saturated or 0.0)
    caption = (
        f"Of {count(len(known), 'layer')} with a saturating activation, {worst.name} "
        f"has the most values in its flat parts: {_percent(worst.saturated)}."
    )
    drawn = unit_picture(
        [
            UnitRow(
                name=row.name,
                marks=_bar(row.saturated or 0.0),
                note=f"{_percent(row.saturated)} flat",
            )
            for row in known
        ],
        {mark: look for mark, (look, _) in PARTS.items()},
        Frame(title="Pre-activations of each layer", description=caption, width=WIDTH),
    )
    numbers = table(
        ("layer", "units", "in a flat part"),
        [(row.name, row.n_units, _percent(row.saturated)) for row in known],
    )
    return f"<h3>Saturation</h3>{_key(list(PARTS.values()))}" + figure(
        drawn, caption=caption, numbers=numbers
    )


def _bar(share: float) -> list[str]:
    n_flat = round(share * N_PARTS)
    return [FLAT] * n_flat + [STEEP] * (N_PARTS - n_flat)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _key(entries: Sequence[tuple[Colour, str]]) -> str:
    items = "".join(
        f'<li><span class="swatch" style="background:rgb{look}"></span>{words}</li>'
        for look, words in entries
    )
    return f'<ul class="key">{items}</ul>'


def _twins(groups: Sequence[TwinUnits]) -> str:
    """Draw equal units in one tint."""
    if not groups:
        return ""
    n_labels = 1 + max(label for group in groups for label in group.labels)
    tints: dict[object, Colour] = {
        label: colour(label / max(n_labels - 1, 1)) for label in range(n_labels)
    }
    worst = min(groups, key=lambda group: group.n_different / group.size)
    caption = (
        f"Units of one tint are equal in every number. {worst.name} has "
        f"{count(worst.size, 'unit')}, {worst.n_different} of them different."
    )
    drawn = unit_picture(
        [
            UnitRow(
                name=group.name,
                marks=group.labels,
                note=f"{group.n_different} of {group.size}",
            )
            for group in groups
        ],
        tints,
        Frame(title="Equal units", description=caption, width=WIDTH),
    )
    numbers = table(
        ("layer", "units", "different ones"),
        [(group.name, group.size, group.n_different) for group in groups],
    )
    shown = figure(drawn, caption=Html(inline(caption)), numbers=numbers)
    return f"<h3>Twin units</h3>{shown}"
