"""Charts over what varies: the learning rate, and depth or width."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.race.setting import values_of
from fanin.report.comparison.figures import styles
from fanin.report.comparison.statements import share
from fanin.report.page import Section, figure, table
from fanin.report.svg import Frame, Line, line_chart

if TYPE_CHECKING:
    from fanin.race import Setting, Standing, Standings

LADDERS = {"depth": "layers", "width": "units"}
"""Factors that are numbers, and what they count."""


def by_rate(standings: Standings, setting: Setting) -> str:
    """Draw the score of every scheme at every learning rate of the grid."""
    look, name = styles(standings), standings.names[setting]
    rates = sorted(standings.experiment.learning_rates)
    lines = []
    for scheme, scores in scores_by_rate(standings, setting).items():
        kept = [rate for rate in rates if scores.get(rate)]
        lines.append(
            Line(
                label=scheme,
                x=kept,
                y=[sum(scores[rate]) / len(scores[rate]) for rate in kept],
                low=[min(scores[rate]) for rate in kept],
                high=[max(scores[rate]) for rate in kept],
                style=look[scheme],
                marks="all",
            )
        )
    part = "validation" if standings.n_valid else "test"
    frame = Frame(
        title=name,
        description=f"{part} {standings.metric} by learning rate with {name}.",
        x_label="learning rate",
        y_label=f"{part} {standings.metric}",
        x_is_log=True,
        y_range=_shown(standings),
        marked=(standings.chance, "a guess"),
        width=440,
        height=310,
    )
    return line_chart(lines, frame)


def scores_by_rate(
    standings: Standings, setting: Setting
) -> dict[str, dict[float, list[float]]]:
    """Give each scheme's scores over the seeds, where its rate is chosen, by rate."""
    found: dict[str, dict[float, list[float]]] = {}
    for one in standings.results:
        if one.trial.setting == setting:
            run = one.run
            score = run.valid_accuracy if standings.n_valid else run.test_accuracy
            by_scheme = found.setdefault(one.trial.scheme, {})
            by_scheme.setdefault(one.trial.learning_rate, []).append(score)
    return found


def rate_numbers(standings: Standings, setting: Setting) -> str:
    """Give what `by_rate` draws as a table."""
    rates = sorted(standings.experiment.learning_rates)
    rows = [
        [
            scheme,
            *(
                sum(scores[rate]) / len(scores[rate]) if scores.get(rate) else "–"
                for rate in rates
            ),
        ]
        for scheme, scores in scores_by_rate(standings, setting).items()
    ]
    caption = f"Score by learning rate with {standings.names[setting]}"
    return table(["scheme", *(f"{rate:g}" for rate in rates)], rows, caption=caption)


def factor_sections(standings: Standings) -> list[Section]:
    """Give a section for depth and for width, where an experiment has several."""
    sections = []
    for factor, unit in LADDERS.items():
        values = values_of(getattr(standings.experiment, factor), factor)
        if len(values) > 1:
            sections.append(_section(standings, factor, unit))
    return sections


def _section(standings: Standings, factor: str, unit: str) -> Section:
    panels = _panels(standings, factor)
    body = figure(
        *(_chart(standings, factor, unit, group) for group in panels),
        caption=_caption(standings, factor, panels),
        numbers="".join(_numbers(standings, factor, group) for group in panels),
    )
    return Section(title=f"By {factor}", body=body)


def _panels(standings: Standings, factor: str) -> list[tuple[Setting, ...]]:
    """Group settings that differ in one factor alone: a panel each."""
    groups: dict[Setting, list[Setting]] = {}
    for setting in standings.experiment.settings:
        rest = (
            replace(setting, depth=0)
            if factor == "depth"
            else replace(setting, width=0)
        )
        groups.setdefault(rest, []).append(setting)
    return [
        tuple(sorted(group, key=lambda one: float(getattr(one, factor))))
        for group in groups.values()
    ]


def _chart(
    standings: Standings, factor: str, unit: str, group: tuple[Setting, ...]
) -> str:
    look = styles(standings)
    lines = []
    for scheme in standings.experiment.schemes:
        rows = _rows(standings, scheme, group)
        lines.append(
            Line(
                label=scheme if rows else "",
                x=[float(getattr(row.setting, factor)) for row in rows],
                y=[row.test_accuracy.mean for row in rows],
                low=[min(row.accuracies) for row in rows],
                high=[max(row.accuracies) for row in rows],
                style=look[scheme],
                marks="all",
            )
        )
    name = _name(standings, factor, group)
    frame = Frame(
        title=name,
        description=f"Test {standings.metric} by {factor} with {name}.",
        x_label=f"{factor} ({unit})",
        y_label=f"test {standings.metric} at the chosen rate",
        x_is_log=True,
        y_range=_shown(standings),
        marked=(standings.chance, "a guess"),
        width=440,
        height=310,
    )
    return line_chart(lines, frame)


def _shown(standings: Standings) -> tuple[float, float]:
    """Give the scores that are shown; an R² may lie anywhere below 0."""
    return (-0.25, 1.0) if standings.task == "regression" else (0.0, 1.0)


def _rows(
    standings: Standings, scheme: str, group: tuple[Setting, ...]
) -> list[Standing]:
    return [
        row
        for setting in group
        for row in standings.of(setting)
        if row.scheme == scheme
    ]


def _name(standings: Standings, factor: str, group: tuple[Setting, ...]) -> str:
    """Name a panel by what its settings share."""
    words = standings.names[group[0]].split(", ")
    return ", ".join(word for word in words if not word.startswith(f"{factor} "))


def _caption(
    standings: Standings, factor: str, panels: list[tuple[Setting, ...]]
) -> str:
    """Say of every scheme how its score changes from the least value to the most."""
    parts = []
    for group in panels:
        ends = []
        for scheme in standings.experiment.schemes:
            rows = _rows(standings, scheme, group)
            if len(rows) > 1:
                first, last = rows[0].test_accuracy.mean, rows[-1].test_accuracy.mean
                ends.append(f"{scheme} {first:.2f} → {last:.2f}")
        if ends:
            parts.append(f"with {_name(standings, factor, group)} {', '.join(ends)}")
    lead = f"From the least {factor} to the greatest, each at its own learning rate"
    return f"{lead}: {'; '.join(parts)}. Bands: from the least seed to the greatest."


def _numbers(standings: Standings, factor: str, group: tuple[Setting, ...]) -> str:
    rows = [
        [
            scheme,
            *(share(row.test_accuracy) for row in _rows(standings, scheme, group)),
        ]
        for scheme in standings.experiment.schemes
        if len(_rows(standings, scheme, group)) == len(group)
    ]
    head = ["scheme", *(f"{factor} {getattr(one, factor)}" for one in group)]
    caption = f"Test {standings.metric} with {_name(standings, factor, group)}"
    return table(head, rows, caption=caption)
