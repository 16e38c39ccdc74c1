"""Signs of what did not move, or moved as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.rules import Severity
from fanin.rules.fan304_lost_update import MOST_LOST
from fanin.rules.words import count, listing
from fanin.watching.watched import finding_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules import Finding
    from fanin.watching.watched import Watched

MANY_STEPS: Final = 10
"""After so many a gradient of 0 is an error: no zero layers wait that long in turn."""
LEAST_STEPS: Final = 2
"""What waits behind a zero layer moves at the second step (FAN102): no fault."""


def never_moved(watched: Watched) -> Iterator[Finding]:
    """Yield what no step has changed, by the reason that its gradients give."""
    n_steps = watched.was_stepped.sum(axis=0)
    still = [
        path
        for place, path in enumerate(watched.trace.paths)
        if n_steps[place] > LEAST_STEPS
        and not np.any(watched.column(watched.trace.update, path))
    ]
    gradients = {p: watched.column(watched.trace.gradient, p) for p in still}
    without = tuple(p for p, g in gradients.items() if np.all(np.isnan(g)))
    at_zero = tuple(p for p, g in gradients.items() if np.nansum(g) == 0.0)
    at_zero = tuple(p for p in at_zero if p not in without)
    lost = tuple(p for p in still if p not in without + at_zero)
    yield from _without_gradient(watched, without)
    yield from _at_zero(watched, at_zero)
    yield from _rounded_away(watched, lost)


def _without_gradient(watched: Watched, paths: tuple[str, ...]) -> Iterator[Finding]:
    if paths:
        yield finding_of(
            "FAN001",
            where=listing(paths),
            message=f"{count(len(paths), 'parameter')} got no gradient in "
            f"{count(watched.n_steps, 'step')}.",
            measured="no gradient",
            expected="a gradient for every parameter that the optimizer holds",
            why="What the objective does not use keeps its initial values.",
            fix="Use the layer in the forward pass, remove it, or freeze it.",
            paths=paths,
            mends=(),
        )


def _at_zero(watched: Watched, paths: tuple[str, ...]) -> Iterator[Finding]:
    if paths:
        yield finding_of(
            "FAN106",
            severity=Severity.ERROR
            if watched.n_steps >= MANY_STEPS
            else Severity.WARNING,
            where=listing(paths),
            message=f"{count(len(paths), 'parameter')} did not move in "
            f"{count(watched.n_steps, 'step')}: the gradient was exactly 0 each time.",
            measured="gradient 0 at every step",
            expected="a gradient other than 0 at some step",
            why="A factor of it is zero: a zero layer, or units that are off.",
            fix="Run fanin.check on a batch: it names the zeros. fanin.init(model) "
            "draws them anew.",
            paths=paths,
        )


def _rounded_away(watched: Watched, paths: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what has gradients, and (nearly) no entry of which a step changes."""
    nearly = tuple(
        path
        for path in watched.trace.paths
        if path not in paths and _is_lost(watched.column(watched.trace.lost, path))
    )
    if paths or nearly:
        both = paths + nearly
        yield finding_of(
            "FAN304",
            severity=Severity.ERROR if paths else Severity.WARNING,
            where=listing(both),
            message=f"Updates of {count(len(both), 'parameter')} were rounded away.",
            measured=f"{len(paths)} never moved; in {len(nearly)} more than "
            f"{MOST_LOST:.0%} of the entries stayed as they were at every step",
            expected="steps of more than half a unit in the weight's last place",
            why="What is rounded away at every step is never learned.",
            fix="Keep the weights in float32 (autocast), or raise the learning rate.",
            paths=both,
            mends=(),
        )


def _is_lost(share: np.ndarray) -> bool:
    known = share[~np.isnan(share)]
    return len(known) > LEAST_STEPS and bool(np.all(known > MOST_LOST))


def unstepped(watched: Watched) -> Iterator[Finding]:
    """Yield what can be trained and is in no group of the optimizer."""
    paths = watched.trace.unstepped
    if paths:
        yield finding_of(
            "FAN001",
            severity=Severity.WARNING,
            where=listing(paths),
            message=f"{count(len(paths), 'trainable parameter')} in no group of the "
            "optimizer.",
            measured="never stepped",
            expected="every trainable parameter in a group",
            why="It gets gradients, and no step follows from them.",
            fix="Give it to the optimizer, or freeze it.",
            paths=paths,
            mends=(),
        )


def still_twins(watched: Watched) -> Iterator[Finding]:
    """Yield weights of hidden layers whose rows have moved and are still equal."""
    for path, twins in watched.trace.twins.items():
        if path in watched.trace.head or twins.n_left < 2:
            continue
        yield finding_of(
            "FAN103",
            where=path,
            message=f"{twins.n_left} of {twins.n_units} units moved as one in "
            f"{count(watched.n_steps, 'step')}.",
            measured=f"{twins.n_equal} rows equal at the start, {twins.n_left} of them "
            "moved and still equal to another",
            expected="units that part",
            why="Equal units get equal gradients: they stay one unit for ever.",
            fix="Draw the incoming weights from a random law: fanin.init(model).",
            paths=(path,),
            value=float(twins.n_left),
            interval=(0.0, 1.0),
        )
