"""Finds every weight's factor in one forward pass, the same way in all frameworks.

As a product with a weight appears, it is multiplied on the spot so that its root mean
square is the target; what comes after reads numbers that are calibrated already. So
one pass does for any depth. More passes are run in two cases alone, and then as many as
it takes (`MOST_PASSES`), whatever the depth:

- a weight is used several times. One factor is all that it has, and its later uses
  read what the first gave; it is chosen so that the second moment, pooled over all
  entries of all its uses, is the target's square. Uses on zeros (the first state of a
  recurrence) do not count, nor do those along other axes than the first (a table that
  is looked up first and is the head's weight later);
- what is multiplied is computed from the parameter in a way that may not be
  proportional to it. Then the parameter itself is scaled and the model run again; where
  nothing comes of it (a spectral norm), the parameter is left as it is.
"""

from __future__ import annotations

from math import exp, inf, log, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.frameworks.calibration import Seen, Trial, Use
from fanin.frameworks.signal import require_signal
from fanin.graph.calibration import Calibration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_PASSES: Final = 8
CLOSE: Final = 2e-3
"""Relative distance of a root mean square from its target that is near enough."""
LONGEST_STEP: Final = 0.7
"""By which the logarithm of the factor of a weight that is used again moves at most."""
RIGID: Final = 0.05
"""A weight follows its parameter if its exponent is more than this."""


def settle(
    run: Callable[[Trial], Seen], values: Mapping[str, np.ndarray]
) -> Calibration:
    """Run until every target is met; give what the best pass found.

    Args:
        run: one forward pass.
        values: of the parameters that it runs with, by path.

    Raises:
        SignalError: if an output is always 0, though no weight is 0, or not finite.
    """
    search = _Search()
    trial, best, least = Trial(), Calibration(factors={}), inf
    for n_before in range(MOST_PASSES):
        seen = run(trial)
        if n_before == 0:
            require_signal(seen, values)
        gaps = search.gaps(seen)
        worst = max((abs(gap) for gap in gaps.values()), default=0.0)
        if worst < least and search.is_certain(seen):
            factors = seen.factors() | dict.fromkeys(search.rigid, 1.0)
            best = Calibration(factors=factors, centres=seen.centres)
            least = worst
        if least <= CLOSE:
            break
        trial = search.next(seen, gaps)
    return best


class _Search:
    """Looks for the factors that one pass could not tell.

    unscaled: of parameters that were scaled by way of their output on trust, the
    logarithm of the factor and that of the root mean square over the target, had
    nothing been done. rigid: parameters that their weight does not follow.
    """

    def __init__(self) -> None:
        self.unscaled: dict[str, tuple[float, float]] = {}
        self.rigid: set[str] = set()
        self._steps = _Broyden()

    def gaps(self, seen: Seen) -> dict[str, float]:
        """Give how far each parameter is from its target, as a logarithm."""
        found = {}
        for path, uses in seen.by_path().items():
            gap = seen.gap(path, uses)
            if path in self.unscaled and path in seen.trial.values:
                self._look_at(path, log(seen.trial.values[path]), -gap)
            if path not in self.rigid:
                found[path] = gap
        return found

    def _look_at(self, path: str, place: float, size: float) -> None:
        """Call a parameter rigid if scaling it changed nothing."""
        before, size_before = self.unscaled[path]
        is_moved = abs(place - before) > CLOSE
        if is_moved and abs(size - size_before) <= RIGID * abs(place - before):
            self.rigid.add(path)

    def is_certain(self, seen: Seen) -> bool:
        """Say whether each weight was scaled by way of its parameter, or could be."""
        return all(
            use.is_certain or use.path in {*seen.trial.values, *self.rigid}
            for uses in seen.by_path().values()
            for use in uses
        )

    def next(self, seen: Seen, gaps: Mapping[str, float]) -> Trial:
        """Give the next trial."""
        outputs, values = dict(seen.trial.outputs), dict(seen.trial.values)
        open_paths: dict[str, tuple[float, float, int]] = {}
        for path, uses in seen.by_path().items():
            if path in self.rigid:
                outputs[path], values[path] = 1.0, 1.0
            elif path in values:
                place = log(values[path])
                open_paths[path] = (place, gaps[path], len(uses))
            elif uses and not uses[0].is_certain:
                outputs[path] = 1.0
                values[path] = self._first_value(path, uses[0], gaps[path])
            elif len(uses) > 1:
                open_paths[path] = (log(uses[0].factor), gaps[path], len(uses))
        for path, place in self._steps.next(open_paths).items():
            held = values if path in values else outputs
            held[path] = exp(place)
        return Trial(outputs=outputs, values=values)

    def _first_value(self, path: str, use: Use, gap: float) -> float:
        """Scale the parameter as its output was scaled, or would have to be."""
        done = 0.0 if use.is_apart else log(use.factor)
        self.unscaled[path] = (0.0, -gap - done)
        return exp(gap) if use.is_apart else use.factor


class _Broyden:
    """Steps towards the point where all gaps close, by a matrix that learns from each.

    How the root mean squares move with the factors is not known, since later uses of a
    weight read what earlier ones gave, and other weights stand between them. It is
    taken for a power √(uses) of the own factor at first, and set right along each step
    (Broyden 1965, "A class of methods for solving nonlinear simultaneous equations").
    """

    def __init__(self) -> None:
        self._paths: tuple[str, ...] = ()
        self._slopes = np.zeros((0, 0))
        self._place = np.zeros(0)
        self._size = np.zeros(0)

    def next(self, found: Mapping[str, tuple[float, float, int]]) -> dict[str, float]:
        """Give the next places.

        Args:
            found: by path, where it is, how far from its target, and its uses.
        """
        paths = tuple(found)
        place = np.array([found[path][0] for path in paths])
        size = -np.array([found[path][1] for path in paths])
        if paths != self._paths:
            self._slopes = np.diag([sqrt(found[path][2]) for path in paths])
            self._paths, self._place, self._size = paths, place, size
        elif not np.isfinite(size).all():
            halfway = (place + self._place) / 2.0  # back to where it was finite
            return dict(zip(paths, map(float, halfway), strict=True))
        else:
            self._learn(place, size)
        step = np.clip(_solved(self._slopes, -size), -LONGEST_STEP, LONGEST_STEP)
        return dict(zip(paths, map(float, place + step), strict=True))

    def _learn(self, place: np.ndarray, size: np.ndarray) -> None:
        moved = place - self._place
        length = float(moved @ moved)
        if length > 0.0:
            miss = size - self._size - self._slopes @ moved
            self._slopes = self._slopes + np.outer(miss, moved) / length
        self._place, self._size = place, size


def _solved(slopes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Solve for the step; where there is none, or no finite one, aim at each alone."""
    if not np.isfinite(wanted).all():
        return np.full(len(wanted), -LONGEST_STEP)
    found: np.ndarray = np.linalg.lstsq(slopes, wanted, rcond=1e-3)[0]
    return found
