"""What a rule is, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fanin.rules.inspection import Inspection
    from fanin.rules.location import Location


class Severity(StrEnum):
    """How much a finding matters, worst first."""

    ERROR = "error"
    """Something cannot learn, or the numbers are broken: mend it before training."""
    WARNING = "warning"
    """Training will be slow, fragile, or less than the model could do."""
    INFO = "info"
    """Worth knowing; nothing needs to change."""

    @property
    def rank(self) -> int:
        """Give 0 for error, 1 for warning, 2 for info.

        >>> Severity.WARNING.rank
        1
        """
        return list(Severity).index(self)


class Evidence(StrEnum):
    """How a finding is known."""

    PROVED = "proved"
    """It holds at every step and for every batch, not only where it was looked at."""
    MEASURED = "measured"
    """It was seen on this batch with these values."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a rule found.

    code, name: of the rule. where: the parameter, unit group or layer, as a reader
    would look for it. message: one sentence. measured, expected: the numbers behind
    it, in words. why: what it does to training. fix: what to do. source: the line of
    the user's code ("model.py:23"), where known. paths: every parameter concerned.

    >>> finding = Finding(
    ...     code="FAN801",
    ...     name="non-finite-value",
    ...     severity=Severity.ERROR,
    ...     where="0.weight",
    ...     message="1 of its 6 numbers is NaN.",
    ... )
    >>> finding.severity.value
    'error'
    """

    code: str
    name: str
    severity: Severity
    where: str
    message: str
    measured: str = ""
    expected: str = ""
    why: str = ""
    fix: str = ""
    source: str | None = None
    evidence: Evidence = Evidence.MEASURED
    paths: tuple[str, ...] = ()
    value: float | None = None
    interval: tuple[float, float] | None = None
    mends: tuple[str, ...] | None = None
    location: Location | None = None

    @property
    def mended_by(self) -> tuple[str, ...]:
        """Give the parameters to draw again: ``mends``, else every one concerned."""
        return self.paths if self.mends is None else self.mends


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A check: one idea, one file, one page.

    code: "FAN" and three digits, stable for ever; the first digit is its family.
    severity: the worst that it reports. find: gives its findings. page: Markdown.
    hidden_by: codes of rules that name a deeper cause: where one of them speaks of the
    same parameters, this rule's finding is a consequence and is not listed.
    is_witness: it measures a scale; is_weighed: one such sign alone is no fault, so its
    warnings stand only where two witnesses agree (`fanin.rules.judge`). needs_run: it
    cannot speak of a model that could not be run. needs_closure: it asks what can ever
    move, so it rests where the closure is off. needs_construction: it asks who wrote
    what, so it rests where no factory was given.
    decisive: from this severity on a weighed finding needs no second sign.
    aliases: further names under which the table finds it.
    """

    code: str
    name: str
    severity: Severity
    find: Callable[[Inspection], Iterable[Finding]]
    page: str
    hidden_by: tuple[str, ...] = ()
    is_witness: bool = False
    is_weighed: bool = False
    decisive: Severity | None = None
    needs_run: bool = True
    needs_closure: bool = False
    needs_construction: bool = False

    @property
    def aliases(self) -> tuple[str, ...]:
        """Give the code: the table lists rules by name and finds them by either."""
        return (self.code,)

    @property
    def family(self) -> str:
        """Give what the first digit stands for.

        >>> Rule(
        ...     code="FAN101",
        ...     name="x",
        ...     severity=Severity.INFO,
        ...     find=lambda _: (),
        ...     page="",
        ... ).family
        'symmetry and stuck parameters'
        """
        return FAMILIES[self.code[:4]]


FAMILIES = {
    "FAN0": "target and coverage",
    "FAN1": "symmetry and stuck parameters",
    "FAN2": "scale of the forward pass",
    "FAN3": "scale of the backward pass and of updates",
    "FAN4": "saturated and dead units",
    "FAN5": "output and first loss",
    "FAN6": "biases and normalization",
    "FAN7": "initializer against activation and fan",
    "FAN8": "framework traps",
    "FAN9": "depth and width",
}
