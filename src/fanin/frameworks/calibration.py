"""What is wanted of outputs, and what a pass over the model showed of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf, isfinite, log
from typing import TYPE_CHECKING

from fanin.graph.calibration import Calibration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np

    from fanin.graph import Graph, Node
    from fanin.graph.calibration import Aim


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
