"""Signs of steps that are too large or too small, and of numbers that break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.optimizer import DIVIDING, PROPORTIONAL
from fanin.rules import Severity
from fanin.rules.fan305_adam_floor import TIMES_EPS
from fanin.rules.fan306_first_step_too_large import ALL_IN_LINE, REPLACED
from fanin.rules.words import count, listing, number
from fanin.watching.watched import finding_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules import Finding
    from fanin.watching.watched import Watched


def broken(watched: Watched) -> Iterator[Finding]:
    """Yield where a number was first NaN or infinite: the step, and the place."""
    if not watched.broken:
        return
    first = watched.broken[0]
    is_weight = first.what in {"weight", "gradient", "update"}
    same = [b for b in watched.broken if b.what == first.what]
    more = f" and in {len(same) - 1} more" if len(same) > 1 else ""
    yield finding_of(
        "FAN801" if is_weight else "FAN204",
        severity=Severity.ERROR,
        where=first.path,
        message=f"The {first.what} was NaN or infinite at step {first.step}, first in "
        f"{first.path}{more}.",
        measured="a number that is not finite",
        expected="finite numbers",
        why="It spreads to every weight that is stepped with it.",
        fix="Lower the learning rate or warm it up, and check the scale of the weights "
        "on a batch: fanin.check(model, batch).",
        paths=tuple(b.path for b in same) if is_weight else (),
        mends=(),
    )


def too_large(watched: Watched) -> Iterator[Finding]:
    """Yield the first step that is too large for the weights that it changes."""
    trace = watched.trace
    if not watched.is_paced or not trace.n_steps:
        return
    first = int(np.argmax(trace.rate != 0.0))
    weights = [
        (place, path)
        for place, path in enumerate(trace.paths)
        if len(trace.shapes.get(path, ())) > 1 and trace.weight[first, place] > 0.0
    ]
    ratios = {p: 10.0 ** trace.ratio[first, place] for place, p in weights}
    ratios = {p: ratio for p, ratio in ratios.items() if np.isfinite(ratio)}
    replaced = tuple(p for p, ratio in ratios.items() if ratio > REPLACED)
    if replaced:
        worst = max(replaced, key=lambda path: ratios[path])
        yield _too_large(watched, first, replaced, ratios[worst], REPLACED)
    elif ratios and trace.family not in PROPORTIONAL:
        sizes = [np.prod(trace.shapes[p]) for p in ratios]
        places = [trace.paths.index(p) for p in ratios]
        moved = np.sqrt(np.dot(sizes, trace.update[first, places] ** 2))
        size = np.sqrt(np.dot(sizes, trace.weight[first, places] ** 2))
        if moved > ALL_IN_LINE * size:
            yield _too_large(watched, first, tuple(ratios), moved / size, ALL_IN_LINE)


def _too_large(
    watched: Watched, step: int, paths: tuple[str, ...], ratio: float, most: float
) -> Finding:
    rate = float(watched.trace.rate[step])
    told = "" if np.isnan(rate) else f" at a learning rate of {number(rate)}"
    return finding_of(
        "FAN306",
        where=listing(paths),
        message=f"Step {step} was ×{number(ratio)} of the weights{told}.",
        measured=f"size of the step over size of the weights: {number(ratio)}",
        expected=f"less than {number(most)}; 0.001 is common",
        why="One step undoes the scale that the weights were drawn at.",
        fix="Lower the learning rate, or warm it up.",
        paths=paths,
        value=float(ratio),
        interval=(0.0, most),
        mends=(),
    )


def adam_floor(watched: Watched) -> Iterator[Finding]:
    """Yield weights that Adam steps less than it could: under ε at every step.

    Biases are passed over: of one that a normalization or a softmax takes out again
    the gradient is rounding.
    """
    trace = watched.trace
    if trace.family not in DIVIDING or trace.eps <= 0.0 or trace.n_steps < 2:
        return
    least = TIMES_EPS * trace.eps
    low = {}
    for path in (p for p in trace.paths if len(trace.shapes.get(p, ())) > 1):
        gradient = watched.column(trace.gradient, path)
        known = gradient[~np.isnan(gradient)]
        if len(known) and 0.0 < known.max() < least:
            low[path] = float(known.max())
    if low:
        worst = min(low, key=lambda path: low[path])
        yield finding_of(
            "FAN305",
            where=listing(list(low)),
            message=f"The gradient of {count(len(low), 'parameter')} stayed under "
            "Adam's ε: the steps shrink with it.",
            measured=f"root mean square {number(low[worst])} at most in {worst}",
            expected=f"more than {number(least)}, where ε is {number(trace.eps)}",
            why="Under ε Adam no longer makes up for small gradients.",
            fix="Give each weight the scale of its activation: fanin.init(model). Or "
            "lower ε.",
            paths=tuple(low),
            value=low[worst],
            interval=(least, float("inf")),
        )
