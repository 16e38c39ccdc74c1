"""Signs of the forward pass and of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.rules import Severity
from fanin.rules.fan202_input_forgotten import SMALL
from fanin.rules.words import count, listing, number
from fanin.watching.watched import finding_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules import Finding
    from fanin.watching.watched import Watched

LEAST_SITES: Final = 3
GROWTH: Final = 2.0
"""A loss that ends this many times higher than it began is no noise of batches."""
LEAST_LOSSES: Final = 10


def silent(watched: Watched) -> Iterator[Finding]:
    """Yield modules whose output was exactly 0 at every step.

    Where a weight is all zero and stays so, that is the deeper cause, and named by the
    signs of what does not move.
    """
    rms = watched.trace.rms
    if len(rms) < 2 or _has_zero_weight(watched):
        return
    seen = ~np.isnan(rms)
    is_silent = np.all(~seen | (rms == 0.0), axis=0) & (seen.sum(axis=0) > 1)
    sites = tuple(np.array(watched.trace.sites, dtype=object)[is_silent])
    if sites:
        yield finding_of(
            "FAN402",
            severity=Severity.WARNING,
            where=listing(sites),
            message=f"The output of {count(len(sites), 'module')} was 0 for every "
            f"sample at each of {count(watched.n_steps, 'step')}.",
            measured="root mean square 0",
            expected="more than 0",
            why="What is 0 for every sample passes nothing on, forward or backward.",
            fix="Draw the weights before it with the gain of its activation: "
            "fanin.init(model).",
        )


def _has_zero_weight(watched: Watched) -> bool:
    trace = watched.trace
    return any(
        len(shape) > 1 and not np.any(np.nan_to_num(watched.column(trace.weight, path)))
        for path, shape in trace.shapes.items()
        if path in trace.paths and len(watched.column(trace.weight, path))
    )


def forgotten(watched: Watched) -> Iterator[Finding]:
    """Yield if what the last module reads was the same for all samples, all along.

    The measure is the share of the second moment that differs between samples, as of
    FAN202; the first module's own share allows for batches of nearly equal samples.
    """
    trace = watched.trace
    if len(trace.sites) < LEAST_SITES or not trace.n_steps:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (trace.spread / trace.rms) ** 2
        relative = share[:, -2] / share[:, 0]
    known = relative[np.isfinite(relative)]
    if len(known) and np.all(known < SMALL):
        site = trace.sites[-2]
        worst = float(known[-1])
        yield finding_of(
            "FAN202",
            severity=Severity.WARNING,
            where=site,
            message="What the last module reads was almost the same for all samples "
            f"at each of {count(len(known), 'step')}.",
            measured=f"×{number(worst)} of the share that differs after the first "
            "module, at the last step",
            expected=f"more than ×{number(SMALL)}",
            why="The output cannot depend on what the network has forgotten.",
            fix="Give each weight the scale of its activation: fanin.init(model).",
            value=worst,
            interval=(SMALL, float("inf")),
        )


def rising(watched: Watched) -> Iterator[Finding]:
    """Yield if the loss went up and stayed up."""
    loss = watched.trace.loss[np.isfinite(watched.trace.loss)]
    if len(loss) < LEAST_LOSSES:
        return
    tenth = max(1, len(loss) // 10)
    start, end = float(loss[:tenth].mean()), float(np.median(loss[-3 * tenth :]))
    if start > 0.0 and end > GROWTH * start:
        yield finding_of(
            "FAN306",
            where="the loss",
            message=f"The loss rose from {number(start)} to {number(end)} in "
            f"{count(watched.n_steps, 'step')}.",
            measured=f"×{number(end / start)}",
            expected="a loss that falls",
            why="Steps that are too large climb instead of descending.",
            fix="Lower the learning rate, or warm it up.",
            value=end / start,
            interval=(0.0, GROWTH),
            mends=(),
        )
