"""The runs that an Inspection asks for beside the first, each made once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fanin.rules.awakening import compact
from fanin.rules.sampled import is_zero
from fanin.rules.values import changed_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.frameworks.framework import Framework, Keep
    from fanin.graph import Measurement, Task
    from fanin.rules.awakening import Values


@dataclass(frozen=True, kw_only=True)
class Runs:
    """A model that is run at other values; it is never written to.

    measured: at its own values. used: the parameters that the graph reads. fillable:
    arrays that are zero throughout and are no bias. keeps_gradients: whether a
    measurement with zeros filled keeps whole gradients, or only where they are not 0.
    """

    framework: Framework
    model: Any
    task: Task
    measured: Measurement
    used: frozenset[str]
    fillable: frozenset[str]
    keeps_gradients: bool = False
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
            keep = None if self.keeps_gradients else where_not_zero
            self._fillings[key] = self.framework.measure(
                self.model, self.task, filled, keep
            )
        return self._fillings[key]

    def _used(
        self, gradients: Mapping[str, np.ndarray | None]
    ) -> dict[str, np.ndarray | None]:
        """Give no gradient where a framework gives zeros for what was never read."""
        return {
            path: gradient if path in self.used or moves(gradient) else None
            for path, gradient in gradients.items()
        }


def where_not_zero(path: str, gradient: np.ndarray) -> np.ndarray:
    """Keep of a gradient where it is not zero."""
    del path
    return compact(gradient != 0)


def moves(gradient: np.ndarray | None) -> bool:
    """Say whether a gradient is there, and not zero throughout."""
    return gradient is not None and not is_zero(gradient)
