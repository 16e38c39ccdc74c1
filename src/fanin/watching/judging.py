"""From what was watched to a Report: ask every sign, and keep the causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.rules import Coverage, Report
from fanin.rules.judge import split
from fanin.rules.report import verdict_of
from fanin.watching import movement, signal, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fanin.rules import Finding
    from fanin.watching.watched import Watched

SIGNS: Final[tuple[Callable[[Watched], Iterator[Finding]], ...]] = (
    steps.broken,
    movement.never_moved,
    movement.unstepped,
    movement.still_twins,
    steps.too_large,
    steps.adam_floor,
    signal.silent,
    signal.forgotten,
    signal.rising,
)


def judged(watched: Watched, start: Report | None = None) -> Report:
    """Give one report of the start and of the steps, worst first.

    Args:
        watched: the steps.
        start: what a check said before the first one. Where it has said the same of
            the same parameters, the steps add nothing.

    >>> from fanin.graph.trace import trace_of
    >>> from fanin.watching.watched import Watched
    >>> print(judged(Watched(trace=trace_of([], paths=("w",)))))
    No optimizer step was seen.
    not checked: nothing found in 1 parameter, 0 sites, 9 rules.
    """
    before = () if start is None else start.findings
    seen = [f for sign in SIGNS for f in sign(watched) if not _is_told(f, before)]
    causes, consequences = split([*before, *seen])
    findings = tuple(sorted(causes, key=lambda f: (f.severity.rank, f.code)))
    notes = [] if start is None else list(start.notes)
    notes += watched.trace.remarks
    if not watched.n_steps:
        notes.append("No optimizer step was seen.")
    trace = watched.trace
    moved = np.nansum(np.abs(trace.update), axis=0) > 0.0
    return Report(
        verdict=verdict_of(findings, has_run=watched.n_steps > 0),
        findings=findings,
        consequences=tuple(consequences),
        coverage=Coverage(
            n_parameters=len(trace.paths),
            n_trainable=len(trace.paths),
            n_reached=int(np.any(~np.isnan(trace.gradient), axis=0).sum()),
            n_moving=int(moved.sum()),
            n_nodes=len(trace.sites),
            n_sites=len(trace.sites),
            n_rules=len(SIGNS),
        ),
        notes=tuple(notes),
        framework="" if start is None else start.framework,
        profile=None if start is None else start.profile,
    )


def _is_told(finding: Finding, before: tuple[Finding, ...]) -> bool:
    return any(
        finding.code == told.code and set(finding.paths) <= set(told.paths)
        for told in before
        if told.paths
    )
