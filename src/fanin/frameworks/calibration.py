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

from dataclasses import dataclass, field, replace
from math import exp, inf, isfinite, log, sqrt
from typing import TYPE_CHECKING, Final

from fanin.frameworks.signal import require_signal
from fanin.graph.calibration import Calibration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np

    from fanin.graph import Graph, Node
    from fanin.graph.calibration import Aim

MOST_PASSES: Final = 8
CLOSE: Final = 2e-3
"""Relative distance of a root mean square from its target that is near enough."""
LONGEST_STEP: Final = 0.7
"""By which the logarithm of the factor of a weight that is used again moves at most."""
RIGID: Final = 0.05
"""A weight follows its parameter if its exponent is more than this."""


@dataclass(frozen=True, kw_only=True)
class Goals:
    """What is wanted, by path of the parameter that is to be scaled."""

    aims: Mapping[str, Aim]

    @classmethod
    def of(cls, aims: Mapping[str, Aim], first: Callable[[str], str]) -> Goals:
        """Take aims under each parameter's first name.

        Args:
            aims: by any name.
            first: gives the first name of a parameter.

        Raises:
            UnknownParameterError: by ``first``.
        """
        renamed = {}
        for path, aim in aims.items():
            follower = None if aim.follower is None else first(aim.follower)
            renamed[first(path)] = replace(aim, follower=follower)
        return cls(aims=renamed)

    def path_of(self, degrees: Mapping[str, float | None]) -> str | None:
        """Give the only one of a product's parameters that is to be scaled."""
        found = [path for path in degrees if path in self.aims]
        return found[0] if len(found) == 1 else None

    def follower(self, path: str) -> str | None:
        """Give the bias that follows a weight."""
        return self.aims[path].follower if path in self.aims else None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a pass starts from.

    outputs: by which the outputs of these weights are multiplied from their first use
    on. values: by which these parameters are multiplied before the model runs.
    """

    outputs: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Use:
    """One product with a weight, as it ran.

    mean_square: of the output, multiplied by ``factor`` already, around its units'
    means if it is centred. size: a count of entries. degree: of the product in the
    parameter, None if not known. is_apart: the output that was multiplied is not the
    one that the model reads on. is_zero: all entries are 0.
    """

    path: str
    mean_square: float
    size: int
    factor: float = 1.0
    degree: float | None = 1.0
    is_apart: bool = False
    is_zero: bool = False

    @property
    def is_certain(self) -> bool:
        """Say whether scaling the parameter does what was done to the output."""
        return self.degree is not None and not self.is_apart


class Pass:
    """Gathers the uses of one pass, and says what each is to be multiplied with.

    centres: by path, of centred outputs, each unit's mean with the factor in it.

    >>> from fanin.graph.calibration import Aim
    >>> run = Pass(Goals(aims={"w": Aim(size=2.0)}), Trial())
    >>> run.see("w", 1.0, deviation=4.0, rms=4.0, size=10)
    0.5
    >>> run.see("w", 1.0, deviation=6.0, rms=6.0, size=10)  # the same factor
    0.5
    >>> [use.mean_square for use in run.uses]
    [4.0, 9.0]
    """

    def __init__(self, goals: Goals, trial: Trial) -> None:
        self.goals = goals
        self.trial = trial
        self.uses: list[Use] = []
        self.centres: dict[str, np.ndarray] = {}
        self._factors = dict(trial.outputs)

    def see(
        self,
        path: str,
        degree: float | None,
        *,
        deviation: float,
        rms: float,
        size: int,
    ) -> float:
        """Note a use; give the factor of its output.

        Args:
            path: of the parameter that is to be scaled.
            degree: of the product in it.
            deviation: of the output, around its units' means if it is centred; else
                the root mean square.
            rms: the root mean square.
            size: entries of the output, a count.
        """
        if degree == 0.0:
            return 1.0
        if path not in self._factors and isfinite(rms) and rms > 0.0:
            self._factors[path] = self.goals.aims[path].factor(
                deviation=deviation, rms=rms
            )
        factor = self._factors.get(path, 1.0)
        use = Use(
            path=path,
            mean_square=(deviation * factor) ** 2,
            size=size,
            factor=factor,
            degree=degree,
            is_zero=rms == 0.0,
        )
        self.uses.append(use)
        return factor

    def ended(self, graph: Graph) -> Seen:
        """Give what the pass showed."""
        return Seen(
            goals=self.goals,
            trial=self.trial,
            uses=self.uses,
            graph=graph,
            centres=self.centres,
        )


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one pass showed, with the graph of it."""

    goals: Goals
    trial: Trial
    uses: Sequence[Use]
    graph: Graph
    centres: Mapping[str, np.ndarray] = field(default_factory=dict)

    def by_path(self) -> dict[str, list[Use]]:
        """Give the uses that count, of each parameter that has any."""
        found: dict[str, list[Use]] = {}
        for use in self.uses:
            found.setdefault(use.path, []).append(use)
        return {path: self._counting(path, uses) for path, uses in found.items()}

    def _counting(self, path: str, uses: list[Use]) -> list[Use]:
        """Leave out uses on zeros, and those along other axes than the first."""
        nodes = [node for node in self.graph.linears if _scales(node, path)]
        if len(nodes) == len(uses):
            first = nodes[0].weight
            uses = [
                use
                for use, node in zip(uses, nodes, strict=True)
                if node.weight and first and node.weight.roles == first.roles
            ]
        return [use for use in uses if not use.is_zero]

    def gap(self, path: str, uses: Sequence[Use]) -> float:
        """Give log(target / root mean square over the uses); 0 where one decided."""
        is_decided = len(uses) == 1 and uses[0].is_certain
        if not uses or (is_decided and path not in self.trial.values):
            return 0.0
        total = sum(use.size for use in uses)
        square = sum(use.mean_square * use.size for use in uses) / total
        if not isfinite(square):
            return -inf
        return log(self.goals.aims[path].size) - log(square) / 2.0

    def factors(self) -> dict[str, float]:
        """Give the factor of each parameter that this pass amounts to."""
        found = dict(self.trial.values)
        for path, uses in self.by_path().items():
            if path not in found and uses:
                found[path] = uses[0].factor ** (1.0 / (uses[0].degree or 1.0))
        return found


def _scales(node: Node, path: str) -> bool:
    weight = "" if node.weight is None else node.weight.path
    return path in {weight, node.details.get("length")}


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
        is_certain = search.is_certain(seen)
        if worst < least and is_certain:
            factors = seen.factors() | dict.fromkeys(search.rigid, 1.0)
            best = Calibration(factors=factors, centres=seen.centres)
            least = worst
        if least <= CLOSE:
            break
        trial = search.next(seen, gaps)
    return best


class _Search:
    """Looks for the factors that one pass could not tell, by secants.

    tried: by path, logarithms of factors and of root mean squares over the target.
    rigid: parameters that their weight does not follow.
    """

    def __init__(self) -> None:
        self.tried: dict[str, list[tuple[float, float]]] = {}
        self.rigid: set[str] = set()

    def gaps(self, seen: Seen) -> dict[str, float]:
        """Note how far each parameter is from its target."""
        found = {}
        for path, uses in seen.by_path().items():
            gap = seen.gap(path, uses)
            if path in seen.trial.values and path not in self.rigid:
                self._note(path, log(seen.trial.values[path]), gap)
                self._look_at(path)
            elif uses and uses[0].is_certain and len(uses) > 1:
                self._note(path, log(uses[0].factor), gap)
            if path not in self.rigid:
                found[path] = gap
        return found

    def _note(self, path: str, place: float, gap: float) -> None:
        self.tried.setdefault(path, []).append((place, -gap))

    def _look_at(self, path: str) -> None:
        """Call a parameter rigid if scaling it changed nothing."""
        (place, size), (other, other_size) = self.tried[path][0], self.tried[path][-1]
        is_moved = abs(other - place) > CLOSE
        if is_moved and abs(other_size - size) <= RIGID * abs(other - place):
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
        for path, uses in seen.by_path().items():
            if path in self.rigid:
                outputs[path], values[path] = 1.0, 1.0
            elif path in values:
                values[path] = self._moved(path, len(uses))
            elif uses and not uses[0].is_certain:
                values[path] = self._first_value(path, uses[0], gaps[path])
                outputs[path] = 1.0
            elif len(uses) > 1:
                outputs[path] = self._moved(path, len(uses))
        return Trial(outputs=outputs, values=values)

    def _first_value(self, path: str, use: Use, gap: float) -> float:
        """Scale the parameter as its output was scaled, or would have to be."""
        factor = exp(gap) if use.is_apart else use.factor
        before = -gap if use.is_apart else -gap - log(use.factor)
        self.tried[path] = [(0.0, before)]
        return factor

    def _moved(self, path: str, n_uses: int) -> float:
        """Give the factor where a line through the last two trials meets the target."""
        tried = self.tried[path]
        place, size = tried[-1]
        finite = [each for each in tried[:-1] if isfinite(each[1])]
        if not isfinite(size):  # back towards the last that was finite
            before = finite[-1][0] if finite else place - LONGEST_STEP
            return exp((place + before) / 2.0)
        if abs(size) <= CLOSE / 4.0:
            return exp(place)
        slope = sqrt(n_uses)
        if finite and abs(finite[-1][0] - place) > CLOSE / 100.0:
            other, other_size = finite[-1]
            slope = (size - other_size) / (place - other)
        slope = slope if slope > 2.0 * RIGID else 1.0
        return exp(place + _clipped(-size / slope))


def _clipped(step: float) -> float:
    return min(max(step, -LONGEST_STEP), LONGEST_STEP)


def named(
    found: Calibration, paths: Iterable[str], first: Callable[[str], str]
) -> Calibration:
    """Give what was found under the names that were asked for; a factor of 1 if not."""
    asked = {path: first(path) for path in paths}
    return Calibration(
        factors={path: found.factors.get(name, 1.0) for path, name in asked.items()},
        centres={
            path: found.centres[name]
            for path, name in asked.items()
            if name in found.centres
        },
    )
