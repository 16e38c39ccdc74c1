"""What was watched, as the signs read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.rules import RULES, Finding

if TYPE_CHECKING:
    from fanin.graph.trace import Trace
    from fanin.watching.ledger import Broken


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A trace, and where numbers broke first."""

    trace: Trace
    broken: tuple[Broken, ...] = ()

    @property
    def n_steps(self) -> int:
        """Give the count of optimizer steps."""
        return self.trace.n_steps

    @property
    def is_paced(self) -> bool:
        """Say whether a step was taken at a rate that is not 0 (warm-up begins at 0).

        >>> from fanin.graph.trace import StepRow, trace_of
        >>> Watched(trace=trace_of([StepRow(rate=0.0)], paths=())).is_paced
        False
        """
        return bool(np.any(self.trace.rate != 0.0))

    def column(self, table: np.ndarray, path: str) -> np.ndarray:
        """Give one parameter's numbers, of the steps in which it was stepped."""
        place = self.trace.paths.index(path)
        return np.asarray(table[:, place][self.was_stepped[:, place]])

    @property
    def was_stepped(self) -> np.ndarray:
        """Say where a parameter took part in a step, at a rate other than 0."""
        is_paced = np.asarray(self.trace.rate != 0.0)[:, None]
        return np.asarray(~np.isnan(self.trace.update) & is_paced)


def finding_of(code: str, **words: Any) -> Finding:  # noqa: ANN401 (fields of a Finding)
    """Give a finding of a rule, with its name, and its severity unless another is said.

    >>> finding_of("FAN801", where="w", message="It is NaN.").name
    'non-finite-value'
    """
    rule = RULES[code]
    severity = words.pop("severity", rule.severity)
    return Finding(code=code, name=rule.name, severity=severity, **words)
