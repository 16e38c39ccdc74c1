"""The Report: everything a check found, the verdict, and how much was looked at."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from enum import StrEnum

from fanin.rules.as_json import findings_from, findings_to, load, save
from fanin.rules.rule import Evidence, Finding, Severity


class Verdict(StrEnum):
    """The one line that stands for a whole report."""

    CANNOT_LEARN = "cannot learn (proved)"
    """A part of the model can never learn, on any batch."""
    WILL_STRUGGLE = "will struggle (measured)"
    """Warnings or errors were measured on this batch."""
    HEALTHY = "healthy for this batch"
    """Every rule ran, and none found more than information."""
    NOT_CHECKED = "not checked"
    """The model could not be run, or no rule was selected."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How much was looked at: counts.

    n_parameters, n_trainable: tensors. n_moving: those that an optimizer's first step
    moves. n_sites: places in the graph where statistics were taken. n_rules: run.
    """

    n_parameters: int = 0
    n_trainable: int = 0
    n_moving: int = 0
    n_sites: int = 0
    n_rules: int = 0


@dataclass(frozen=True, kw_only=True)
class Report:
    """All findings of a check, worst first.

    consequences: findings that a listed one explains; kept, not shown as faults.
    notes: remarks on how the check was made (a batch that had to be made up).

    >>> print(Report(verdict=Verdict.HEALTHY, coverage=Coverage(n_parameters=4)))
    healthy for this batch: nothing found in 4 parameters, 0 sites, 0 rules.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    consequences: tuple[Finding, ...] = ()
    coverage: Coverage = Coverage()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Say whether no finding is an error."""
        return not any(f.severity is Severity.ERROR for f in self.findings)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Give the findings of severity error."""
        return self._of(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Give the findings of severity warning."""
        return self._of(Severity.WARNING)

    @property
    def infos(self) -> tuple[Finding, ...]:
        """Give the findings of severity info."""
        return self._of(Severity.INFO)

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is severity)

    def __str__(self) -> str:
        """Give one line for each note and finding, and one for the whole."""
        lines = [f"{f.code} {f.severity} {f.where}: {f.message}" for f in self.findings]
        return "\n".join([*self.notes, *lines, f"{self.verdict}: {self.summary}."])

    @property
    def summary(self) -> str:
        """Give the counts in words: "1 error in 6 parameters, 9 sites, 25 rules"."""
        counts = [
            _count(len(self._of(severity)), word)
            for severity, word in (
                (Severity.ERROR, "error"),
                (Severity.WARNING, "warning"),
                (Severity.INFO, "note"),
            )
            if self._of(severity)
        ]
        cover = self.coverage
        where = ", ".join(
            (
                _count(cover.n_parameters, "parameter"),
                _count(cover.n_sites, "site"),
                _count(cover.n_rules, "rule"),
            )
        )
        return f"{', '.join(counts) or 'nothing found'} in {where}"

    def _repr_html_(self) -> str:
        """Give the report for a notebook."""
        # Reports are drawn one room up, which this room may not know by import: the
        # page is found by name, and only when a notebook asks for it.
        page = importlib.import_module("fanin.report.findings.as_html")
        text: str = page.html(self)
        return text

    def to_json(self) -> str:
        """Give the report as JSON, schema ``fanin.check/1``."""
        cover = self.coverage
        return save(
            {
                "verdict": self.verdict.value,
                "ok": self.ok,
                "coverage": {
                    "parameters": cover.n_parameters,
                    "trainable": cover.n_trainable,
                    "moving_at_first_step": cover.n_moving,
                    "sites": cover.n_sites,
                    "rules": cover.n_rules,
                },
                "findings": findings_to(self.findings),
                "consequences": findings_to(self.consequences),
                "notes": list(self.notes),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read what ``to_json`` wrote.

        Raises:
            ArgumentError: if the text is not JSON of schema ``fanin.check/1``.

        >>> before = Report(verdict=Verdict.HEALTHY, coverage=Coverage(n_parameters=4))
        >>> Report.from_json(before.to_json()) == before
        True
        """
        data = load(text)
        cover = data["coverage"]
        return cls(
            verdict=Verdict(data["verdict"]),
            findings=findings_from(data["findings"]),
            consequences=findings_from(data["consequences"]),
            notes=tuple(data["notes"]),
            coverage=Coverage(
                n_parameters=cover["parameters"],
                n_trainable=cover["trainable"],
                n_moving=cover["moving_at_first_step"],
                n_sites=cover["sites"],
                n_rules=cover["rules"],
            ),
        )


def verdict_of(findings: tuple[Finding, ...], *, has_run: bool) -> Verdict:
    """Give the verdict: proof before measurement, and neither without a run.

    >>> verdict_of((), has_run=False).value
    'not checked'
    """
    errors = [f for f in findings if f.severity is Severity.ERROR]
    if any(f.evidence is Evidence.PROVED for f in errors):
        return Verdict.CANNOT_LEARN
    if not has_run:
        return Verdict.NOT_CHECKED
    if any(f.severity is not Severity.INFO for f in findings):
        return Verdict.WILL_STRUGGLE
    return Verdict.HEALTHY


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
