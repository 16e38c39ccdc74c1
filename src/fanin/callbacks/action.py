"""What a callback does with a report: warn, raise, or stop the training."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from fanin.errors import ArgumentError, ModelError
from fanin.rules import Report, Verdict
from fanin.testing import failing, message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.graph.trace import Trace
    from fanin.rules import Finding

ACTIONS: Final = ("warn", "raise", "stop")
NOTHING: Final = Report(verdict=Verdict.HEALTHY)


class LearningWarning(UserWarning):
    """A trainer was given a model that cannot learn, or will struggle."""


class LearningError(ModelError):
    """A trainer was given a model that cannot learn, or will struggle."""

    @classmethod
    def of(cls, message: str) -> Self:
        """Build the message: what was looked at, and the report."""
        return cls(message)


@dataclass(frozen=True, kw_only=True)
class Action:
    """What to do about findings. kind: one of `ACTIONS`; the rest as assert_init_ok."""

    kind: str
    fail_on: str
    allow: tuple[str, ...]

    @classmethod
    def of(cls, kind: str, fail_on: str, allow: Sequence[str]) -> Self:
        """Make it of a callback's arguments.

        Raises:
            ArgumentError, UnknownNameError: if a word is not known.
        """
        if kind not in ACTIONS:
            expected = "'warn', 'raise' or 'stop'"
            raise ArgumentError.of(argument="action", received=kind, expected=expected)
        failing(NOTHING, allow=allow, fail_on=fail_on)
        return cls(kind=kind, fail_on=fail_on, allow=tuple(allow))

    def take(
        self,
        report: Report,
        *,
        what: str,
        stop: Callable[[], None],
        known: Sequence[Finding] = (),
    ) -> tuple[Finding, ...]:
        """Act on a report, if anything in it fails; give what fails.

        Args:
            report: of a check or of a watched loop.
            what: what was looked at, for the message.
            stop: ends the training.
            known: findings that were acted on before.

        Raises:
            LearningError: where that is the action.
        """
        bad = failing(report, allow=self.allow, fail_on=self.fail_on)
        new = tuple(finding for finding in bad if finding not in known)
        if not new:
            return ()
        message = f"fanin, {what}: {message_of(report, new)}"
        if self.kind == "raise":
            raise LearningError.of(message)
        warnings.warn(message, LearningWarning, stacklevel=3)
        if self.kind == "stop":
            stop()
        return new


def summary_of(trace: Trace, step: int) -> dict[str, float]:
    """Give a few numbers of one step, for a progress bar or a logger.

    Names hold no more than letters and ``_``, so that any logger takes them.

    >>> from fanin.graph.trace import Moved, StepRow, trace_of
    >>> row = StepRow(moved={"w": Moved(2.0, 1.0, 0.01, 0.0)})
    >>> summary_of(trace_of([row], paths=("w",)), 0)["fanin_update_ratio_median"]
    -2.0
    """
    named = {}
    for name, row in (
        ("gradient", trace.gradient[step]),
        ("update_ratio", trace.ratio[step]),
    ):
        known = row[np.isfinite(row)]
        for kind, take in (("min", np.min), ("median", np.median), ("max", np.max)):
            if len(known):
                named[f"fanin_{name}_{kind}"] = float(take(known))
    return named
