"""A comparison as one page: findings, table, and charts that state what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.report.comparison import figures
from fanin.report.comparison.as_json import as_json
from fanin.report.comparison.as_text import (
    NOTES,
    cells,
    either,
    head,
    net_words,
    setting_words,
)
from fanin.report.comparison.by_factor import (
    by_rate,
    factor_sections,
    rate_numbers,
)
from fanin.report.comparison.captions import CAPTIONS
from fanin.report.comparison.statements import statements
from fanin.report.page import (
    Html,
    Section,
    figure,
    fragment,
    inline,
    notice,
    number,
    page,
    remarks,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.race import Setting, Standings

TITLE = "Initial weights compared"


def as_page(standings: Standings) -> str:
    """Give one self-contained HTML file."""
    return page(
        title=TITLE,
        lead=f'<p class="lead">{inline(_lead(standings))}</p>',
        sections=sections_of(standings),
        footer=f"<p>{inline(setting_words(standings))}</p>",
        data=as_json(standings, has_curves=False),
    )


def sections_of(standings: Standings) -> list[Section]:
    """Give the page's sections, to stand in another page too."""
    return [
        Section(title="What was found", body=_findings(standings)),
        Section(title="Standings", body=_table(standings)),
        *factor_sections(standings),
        *_charts(standings),
        Section(title="How it was done", body=_method(standings)),
    ]


def as_fragment(standings: Standings) -> str:
    """Give findings and table for a notebook cell."""
    return fragment(_findings(standings) + _table(standings))


def _lead(standings: Standings) -> str:
    experiment = standings.experiment
    return (
        "The same net, the same data, the same batches, the same grid of learning "
        f"rates: only the initial weights differ. Nets of {net_words(experiment)} "
        f"learn {standings.data}, from {len(experiment.schemes)} kinds of initial "
        f"weights and {len(experiment.seeds)} seeds each."
    )


def _findings(standings: Standings) -> str:
    parts = []
    if standings.is_partial:
        done = len(standings.results) + len(standings.failures)
        total = standings.experiment.n_trials
        words = f"Stopped early: {done} of {total} nets were trained."
        parts.append(notice("warning", words))
    for setting, name in standings.names.items():
        found = statements(standings, setting)
        parts.append(f"<h3>{inline(name)}</h3>")
        parts += [notice(one.kind, one.text) for one in found[:1]]
        parts.append(remarks([(one.kind, one.text) for one in found[1:]]))
    return "".join(parts)


def _table(standings: Standings) -> str:
    titles = head(standings)
    columns = [titles[1], "verdict", *titles[3:]]
    parts = []
    for setting, name in standings.names.items():
        rows = [cells(standings, row)[1:] for row in standings.of(setting)]
        shown = [[row[0], *map(_number, row[1:])] for row in rows]
        parts.append(table(columns, shown, caption=f"Standings with {name}"))
    return f'{"".join(parts)}<p class="quiet">{inline(NOTES)}</p>'


def _number(words: str) -> Html:
    return Html(f'<span class="number">{inline(words)}</span>')


def _charts(standings: Standings) -> list[Section]:
    """Give the sections of figures, in the order in which a reader asks."""
    drawn: tuple[
        tuple[str, Callable[[Setting], str], Callable[[Setting], str]], ...
    ] = (
        (
            "Does it learn?",
            lambda a: figures.accuracy_bars(standings, a),
            lambda a: _accuracy_numbers(standings, a),
        ),
        (
            "Which learning rate",
            lambda a: by_rate(standings, a),
            lambda a: rate_numbers(standings, a),
        ),
        (
            "How the loss falls",
            lambda a: figures.loss_curves(standings, a),
            lambda a: _loss_numbers(standings, a),
        ),
        *(
            (
                title,
                lambda a, what=what: figures.by_layer(standings, a, what),
                lambda a, what=what: _layer_numbers(standings, a, what),
            )
            for title, what in BY_LAYER
        ),
        (
            "What the units put out",
            lambda a: figures.histograms(standings, a),
            lambda a: _quantiles(standings, a),
        ),
    )
    has_hidden = any(row.runs[0].start.samples for row in standings.rows)
    shown = drawn if has_hidden else drawn[:-1]  # a net of one layer has no units
    return [_section(standings, *one) for one in shown]


BY_LAYER = (
    ("How large the signal is", "rms"),
    ("How well inputs are told apart", "between"),
    ("How large the gradient is", "gradient_rms"),
)


def _section(
    standings: Standings,
    title: str,
    draw: Callable[[Setting], str],
    numbers: Callable[[Setting], str],
) -> Section:
    settings = figures.drawn(standings)
    n_left_out = len(standings.experiment.settings) - len(settings)
    note = (
        f" Of {len(standings.experiment.settings)} settings the first {len(settings)} "
        "that are done are drawn."
        if n_left_out
        else ""
    )
    body = figure(
        *(draw(setting) for setting in settings),
        caption=CAPTIONS[title](standings) + note,
        numbers="".join(numbers(setting) for setting in settings),
    )
    return Section(title=title, body=body)


def _layer_numbers(standings: Standings, setting: Setting, what: str) -> str:
    rows = standings.of(setting)
    head = [figures.LAYERS[what], *(row.scheme for row in rows)]
    typical = [figures.measured(row, what).mean(axis=0).tolist() for row in rows]
    places = figures.layers(rows[0], what)
    lines = [[layer, *column] for layer, *column in zip(places, *typical, strict=True)]
    name = standings.names[setting]
    caption = f"{figures.NAMES[what].capitalize()} with {name}, mean over seeds"
    return table(head, lines, caption=caption)


def _accuracy_numbers(standings: Standings, setting: Setting) -> str:
    seeds = standings.experiment.seeds
    head = ["scheme", *(f"seed {seed}" for seed in seeds)]
    rows = [[row.scheme, *row.accuracies] for row in standings.of(setting)]
    return table(
        head,
        rows,
        caption=f"Test {standings.metric} by seed with {standings.names[setting]}",
    )


def _quantiles(standings: Standings, setting: Setting) -> str:
    shares = (0.05, 0.5, 0.95)
    first = standings.of(setting)[0]
    chosen = figures.shown_layers(len(first.runs[0].start.samples))
    head = ["scheme", *(f"layer {i}: 5 %, 50 %, 95 %" for i in chosen)]
    rows = []
    for row in standings.of(setting):
        samples = row.runs[0].start.samples
        values = [np.quantile(samples[i - 1], shares).tolist() for i in chosen]
        rows.append([row.scheme, *(", ".join(map(number, three)) for three in values)])
    return table(
        head, rows, caption=f"Quantiles of the values with {standings.names[setting]}"
    )


def _loss_numbers(standings: Standings, setting: Setting) -> str:
    rows = standings.of(setting)
    n_steps = standings.experiment.n_steps
    chosen = sorted({round(i * (n_steps - 1) / 10) for i in range(11)})
    head = ["step", *(row.scheme for row in rows)]
    lines = [
        [step, *(_mean([float(run.losses[step]) for run in row.runs]) for row in rows)]
        for step in chosen
    ]
    return table(
        head, lines, caption=f"Loss of the batch with {standings.names[setting]}"
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


COMMON_NUMBERS = (
    "A seed fixes the random numbers behind the weights, which each scheme only "
    "scales, and the order of the batches; so two schemes are compared on the same "
    "draws."
)
CHOICE = (
    "For each scheme in each setting the learning rate is chosen from the one grid by "
    "the score on a validation part, which no net trains on, mean over the seeds; of "
    "equal scores the one with the least loss there. The test set has no part in it."
)
CHOICE_WITHOUT = (
    "For each scheme in each setting the learning rate with the least loss on the "
    "training set is chosen, mean over the seeds, from the one grid. The test set has "
    "no part in it."
)
INTERVALS = (
    "Intervals are Student's, 95 %, over the seeds: they hold what changes with "
    "initial weights and batches, not what another test set would change. p-values "
    "are of Student's paired test, seed by seed, with Holm's correction over every "
    "pair of schemes in every setting."
)
LIMITS = (
    "Longer training, another optimizer, or normalization layers can make a net learn "
    "that does not learn here."
)
NAN = (
    "A net that reaches NaN or infinity stops there and counts as a guess. Subnormal "
    "numbers are taken as 0."
)


def _method(standings: Standings) -> str:
    experiment = standings.experiment
    choice = CHOICE if standings.n_valid else CHOICE_WITHOUT
    counts = (
        f"Every scheme meets every setting with {len(experiment.learning_rates)} "
        f"learning rates and {len(experiment.seeds)} seeds: {experiment.n_trials} nets "
        "in all."
    )
    limits = (
        f"All this is with {either(experiment.optimizer)} and {experiment.n_steps} "
        "steps."
    )
    parts = (f"{counts} {COMMON_NUMBERS}", choice, INTERVALS, f"{limits} {LIMITS}", NAN)
    items = "".join(f"<p>{inline(part)}</p>" for part in parts)
    return f"{items}<p>{inline(setting_words(standings))}</p>"
