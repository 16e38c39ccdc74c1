"""Sentences made from the measured numbers: what works, what fails, and by what sign.

No sentence here knows what the lesson says; each names its number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.report.page import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race import Estimate, Failure, Setting, Standing, Standings
    from fanin.race.standings import Contrast

TWINS = 1e-4  # a spread of units, relative to the weights moved, that rounding explains
GONE = 1e-6  # a root mean square that has vanished
SATURATED = 0.9  # root mean square of a function bounded by 1
BOUNDED = ("tanh", "sigmoid", "softsign", "hardtanh", "erf", "sin")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One sentence. kind: "good", "bad", "warning" or "note"."""

    kind: str
    text: str


def statements(standings: Standings, where: str | Setting) -> tuple[Statement, ...]:
    """Give what was found in one setting, the best first.

    Args:
        standings: what was measured.
        where: a setting, or an activation: then every setting with it, one by one.

    Raises:
        UnknownNameError: if the experiment has no such activation.
    """
    standings.of(where)
    return tuple(
        statement
        for setting in standings.experiment.settings
        if where in {setting, setting.activation}
        for statement in _in(standings, setting)
    )


def _in(standings: Standings, setting: Setting) -> tuple[Statement, ...]:
    rows = standings.of(setting)
    failed = [one for one in standings.failures if one.trial.setting == setting]
    raised = (_raised(standings, setting, failed),) if failed else ()
    if not rows:
        text = f"No scheme with {standings.names[setting]} was finished."
        return (Statement(kind="note", text=text), *raised)
    good = [row for row in rows if standings.verdict(row) == "works"]
    found = [_headline(standings, setting)]
    found += [
        _between(standings, contrast)
        for contrast in standings.contrasts
        if contrast.one in good and contrast.other in good
    ]
    found += [_behind(standings, row) for row in rows if row not in good]
    edges = [_edge(standings, row) for row in good if row.edge]
    return (*found, *edges, *raised)


def _headline(standings: Standings, setting: Setting) -> Statement:
    """Name what works and how far the failures get."""
    rows = standings.of(setting)
    kinds: dict[str, list[Standing]] = {"works": [], "lags": [], "fails": []}
    for row in rows:
        kinds[standings.verdict(row)].append(row)
    parts = []
    if kinds["works"]:
        names = _list(
            [f"{r.scheme} ({share(r.test_accuracy)})" for r in kinds["works"]]
        )
        parts.append(f"{names} {_verb(kinds['works'], 'train', 'trains')}")
    if kinds["lags"]:
        names = _list([f"{r.scheme} ({share(r.test_accuracy)})" for r in kinds["lags"]])
        parts.append(f"{names} {_verb(kinds['lags'], 'stay', 'stays')} behind")
    if kinds["fails"]:
        most = max(row.test_accuracy.mean for row in kinds["fails"])
        names = _list([row.scheme for row in kinds["fails"]])
        parts.append(
            f"{names} {_verb(kinds['fails'], 'do', 'does')} not get beyond "
            f"{most:.2f} (a guess gives {standings.chance:.2f})"
        )
    kind = "good" if kinds["works"] else "bad"
    words = f"With {standings.names[setting]}: {'; '.join(parts)}."
    return Statement(kind=kind, text=words)


def _between(standings: Standings, contrast: Contrast) -> Statement:
    """Compare two that work, seed by seed; say so where nothing can be said."""
    one, other, gap = contrast.one, contrast.other, contrast.difference
    name = standings.names[one.setting]
    words = f"{one.scheme} against {other.scheme} with {name}: "
    if gap.n < 2:
        text = f"{words}a difference of {signed(gap.mean)}, from a single seed."
        return Statement(kind="note", text=text)
    end = "." if contrast.is_clear else ": these seeds do not tell them apart."
    text = (
        f"{words}{signed(gap.mean)} ({interval(gap)} over {gap.n} seeds with the same "
        f"draws and batches; p {_p(contrast.p_corrected)}, Holm's correction for "
        f"{len(standings.contrasts)} comparisons){end}"
    )
    return Statement(kind="note", text=text)


def _p(value: float) -> str:
    return "< 0.001" if value < 1e-3 else f"= {value:.2g}"


def _raised(
    standings: Standings, setting: Setting, failed: Sequence[Failure]
) -> Statement:
    """Say how many trials raised, of which schemes, and what the first one said."""
    schemes = list(dict.fromkeys(one.trial.scheme for one in failed))
    text = (
        f"{len(failed)} trials of {_list(schemes)} with {standings.names[setting]} "
        f"raised an error and have no result. {failed[0].error}"
    )
    return Statement(kind="warning", text=text)


def _behind(standings: Standings, row: Standing) -> Statement:
    """Say by what sign a scheme that fails or lags does so."""
    verb = "fails" if standings.verdict(row) == "fails" else "lags"
    signs = (_stuck, _diverged, _twins, _vanished, _saturated)
    sign = next((text for text in (one(row) for one in signs) if text), _slow(row))
    text = f"{row.scheme} {verb} with {standings.names[row.setting]}: {sign}"
    return Statement(kind="bad" if verb == "fails" else "warning", text=text)


def _stuck(row: Standing) -> str:
    if not row.is_stuck:
        return ""
    return (
        "no weight moved in any run, at any learning rate: the largest change is "
        "exactly 0. Only the output bias learns."
    )


def _diverged(row: Standing) -> str:
    if row.n_diverged < len(row.runs):
        return ""
    last = _typical([run.start.rms[-2] for run in row.runs])
    return (
        "every run ended in NaN or infinity, at every learning rate. Before the first "
        f"step the last hidden layer's values have a root mean square of {number(last)}"
        f", and the loss is {number(row.first_loss)}."
    )


def _twins(row: Standing) -> str:
    scale = max((c for c in row.weight_change if math.isfinite(c)), default=0.0)
    if not row.unit_spread <= TWINS * max(scale, 1e-30):
        return ""
    size = "exactly 0" if row.unit_spread == 0 else number(row.unit_spread)
    return (
        "weights move, but all units of a layer stay equal to one another: the largest "
        f"difference between two is {size}. Every layer acts as a single unit."
    )


def _vanished(row: Standing) -> str:
    last = _typical([run.start.rms[-2] for run in row.runs])
    first = _typical([run.start.gradient_rms[0] for run in row.runs])
    if min(last, first) > GONE:
        return ""
    return (
        "the signal vanishes. Before the first step the last hidden layer's values "
        f"have a root mean square of {number(last)}, and the gradient at the first "
        f"layer is {number(first)}."
    )


def _saturated(row: Standing) -> str:
    last = _typical([run.start.rms[-2] for run in row.runs])
    if row.activation not in BOUNDED or last < SATURATED:
        return ""
    out = _typical([run.start.gradient_rms[-1] for run in row.runs])
    first = _typical([run.start.gradient_rms[0] for run in row.runs])
    return (
        f"its units are saturated (root mean square {number(last)} of at most 1), and "
        f"on the way back to the first layer the gradient grows {number(first / out)} "
        "times."
    )


def _slow(row: Standing) -> str:
    first = _typical([run.start.gradient_rms[0] for run in row.runs])
    factor = _typical([_growth(run.start.rms[1:-1].tolist()) for run in row.runs])
    return (
        f"after training the loss is {number(row.final_loss)} (at first "
        f"{number(row.first_loss)}). Before the first step its values change by "
        f"{number(factor)} times a layer, and the gradient at the first layer is "
        f"{number(first)}."
    )


def _growth(values: Sequence[float]) -> float:
    """Give the factor from one layer to the next, typical of all layers."""
    if len(values) < 2 or min(values[0], values[-1]) <= 0:
        return 1.0 if len(values) < 2 else 0.0
    return float((values[-1] / values[0]) ** (1 / (len(values) - 1)))


def _edge(standings: Standings, row: Standing) -> Statement:
    text = (
        f"The best learning rate of {row.scheme} with {standings.names[row.setting]}, "
        f"{row.learning_rate:g}, is the {row.edge} of the grid: a wider grid might do "
        "better."
    )
    return Statement(kind="warning", text=text)


def share(estimate: Estimate) -> str:
    """Give an accuracy as mean ± standard deviation over seeds."""
    if estimate.n < 2:
        return fixed(estimate.mean)
    return f"{fixed(estimate.mean)} ± {estimate.sd:.3f}"


def interval(estimate: Estimate, *, least: float | None = None) -> str:
    """Give the 95 % interval; a score's is cut at the least that it can be, and at 1.

    Args:
        estimate: of a score or a difference.
        least: of the score: 0 of an accuracy, −∞ of R²; None for a difference.
    """
    if estimate.n < 2:
        return "one seed"
    low, high = estimate.low, estimate.high
    if least is not None:
        return f"{fixed(max(low, least))} to {fixed(min(high, 1.0))}"
    return f"95 % interval {signed(low)} to {signed(high)}"


def fixed(value: float) -> str:
    """Give a score with three digits, and a true minus sign where there is one.

    >>> fixed(0.9512), fixed(-1.5), fixed(-1e-9)
    ('0.951', '−1.500', '0.000')
    """
    return f"{value:z.3f}".replace("-", "−")


def signed(value: float) -> str:
    """Give a difference with its sign.

    >>> signed(-0.0131), signed(0.02)
    ('−0.013', '+0.020')
    """
    return f"{value:+.3f}".replace("-", "−")


def _typical(values: Sequence[float]) -> float:
    """Give the middle one of the seeds' values."""
    ordered = sorted(map(float, values))
    return ordered[len(ordered) // 2]


def _list(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _verb(rows: Sequence[Standing], many: str, one: str) -> str:
    return one if len(rows) == 1 else many
