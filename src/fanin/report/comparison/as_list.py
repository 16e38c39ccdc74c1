"""Runs that are kept, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.race.setting import values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race.experiment import Experiment
    from fanin.race.store import Run


def as_list(runs: Sequence[Run]) -> str:
    """Give the runs for a terminal, the oldest first; one line where there are none."""
    if not runs:
        return "No run is kept yet: `fanin compare` makes one.\n"
    lines = [("run", "begun (UTC)", "trials", "what")]
    lines += [
        (
            str(run.id),
            f"{run.created:%Y-%m-%d %H:%M}",
            _progress(run),
            _what(run.experiment),
        )
        for run in runs
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "".join(f"{row.rstrip()}\n" for row in rows)


def _progress(run: Run) -> str:
    failed = f", {run.n_failed} failed" if run.n_failed else ""
    if run.is_done:
        return f"{run.n_trials}{failed}"
    return f"{run.n_done} of {run.n_trials}{failed}"


def _what(experiment: Experiment) -> str:
    """Give what is compared, and in what, in few words."""
    factors = ("depth", "width", "optimizer", "normalization")
    shown = [
        f"{name} {', '.join(map(str, values_of(getattr(experiment, name), name)))}"
        for name in factors
        if getattr(experiment, name) != "none"
    ]
    return (
        f"{', '.join(experiment.schemes)} with {', '.join(experiment.activations)} on "
        f"{experiment.data}, {experiment.net}, {', '.join(shown)}, "
        f"{len(experiment.seeds)} seeds"
    )
