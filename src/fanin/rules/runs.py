"""The runs that an Inspection asks for beside the first, each made once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fanin.rules.sampled import is_zero, root_mean_square
from fanin.rules.slopes import where_not_zero
from fanin.rules.values import changed_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from fanin.frameworks.framework import Framework, Keep, Rehearsal
    from fanin.graph import Graph, Measurement, SiteStatistics, Task
    from fanin.rules.awakening import Values
    from fanin.rules.slopes import Slopes

# Of the sizes in a model: a product of two above it is far from float32's smallest.
LEAST_SIZE: Final = 1e-16


@dataclass(frozen=True, kw_only=True)
class Runs:
    """A model that is run at other values; it is never written to.

    measured: at its own values. used: the parameters that the graph reads. fillable:
    arrays that are zero throughout and are no bias. rehearsal: what measurements
    follow; None where each is recorded anew. slopes: what is kept of gradients.
    """

    framework: Framework
    model: Any
    task: Task
    measured: Measurement
    used: frozenset[str]
    fillable: frozenset[str]
    rehearsal: Rehearsal | None
    slopes: Slopes
    _fillings: dict[frozenset[str], Measurement] = field(default_factory=dict)

    def gradients(
        self, task: Task, values: Values, keep: Keep | None = None
    ) -> dict[str, np.ndarray | None]:
        """Give a task's gradients at these values; None where it has none.

        Args:
            task: of this model.
            values: by path; of a point made with ``Changed``, only what differs from
                the model's own is copied.
            keep: what is kept of each gradient as it arrives; None for all of it.
        """
        changed = changed_in(values)
        found = self.framework.gradients(self.model, task, changed, keep)
        return self._used(found)

    def where_moving(self, values: Values) -> Mapping[str, np.ndarray | None]:
        """Give where the objective's gradients are not zero, by path.

        At the model's own values the first measurement has them; where nothing but
        zeros is filled, all is measured, since scales are judged there too.
        """
        changed = changed_in(values)
        if not changed:
            return self._used(self.measured.gradients)
        if self.fillable.issuperset(changed):
            return self._used(self.measured_at(changed).gradients)
        return self.gradients(self.task, values, where_not_zero)

    def measured_at(self, filled: Mapping[str, np.ndarray]) -> Measurement:
        """Measure with some zeros filled by small generic numbers, once."""
        key = frozenset(filled)
        if key not in self._fillings:
            self._fillings[key] = self._measure(filled, self._keep)
        return self._fillings[key]

    def _measure(
        self, filled: Mapping[str, np.ndarray], keep: Keep | None
    ) -> Measurement:
        if self.rehearsal is not None:
            return self.rehearsal.measure(filled, keep)
        return self.framework.measure(self.model, self.task, filled, keep)

    @property
    def _keep(self) -> Keep | None:
        """Keep some entries of the first gradients, and of later ones none."""
        if not self.measured.gradients:
            return self.slopes
        return None if self.slopes.is_whole else where_not_zero

    def _used(
        self, gradients: Mapping[str, np.ndarray | None]
    ) -> dict[str, np.ndarray | None]:
        """Give no gradient where a framework gives zeros for what was never read."""
        return {
            path: gradient if path in self.used or moves(gradient) else None
            for path, gradient in gradients.items()
        }


def fillable(graph: Graph, trainable: Sequence[str], values: Values) -> frozenset[str]:
    """Give the trainable arrays that are zero throughout and are no node's bias."""
    biases = {node.bias for node in graph.nodes}
    zeros = (p for p in trainable if p not in biases and values[p].size)
    return frozenset(p for p in zeros if is_zero(values[p]))


def has_tiny_numbers(sites: Mapping[int, SiteStatistics], values: Values) -> bool:
    """Say whether a product of two sizes in the model could round to zero."""
    sizes = [site.second_moment**0.5 for site in sites.values()]
    sizes += [(s.gradient_second_moment or 0.0) ** 0.5 for s in sites.values()]
    sizes += [root_mean_square(value) for value in values.values()]
    return any(0.0 < size < LEAST_SIZE for size in sizes)


def moves(gradient: np.ndarray | None) -> bool:
    """Say whether a gradient is there, and not zero throughout."""
    return gradient is not None and not is_zero(gradient)
