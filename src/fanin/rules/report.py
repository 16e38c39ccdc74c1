"""The Report: everything a check found, the verdict, and how much was looked at."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fanin.rules.as_json import (
    findings_from,
    findings_to,
    load,
    save,
    suppressed_from,
    suppressed_to,
)
from fanin.rules.mending import is_mendable
from fanin.rules.profile import Profile
from fanin.rules.rule import Evidence, Finding, Severity
from fanin.rules.summary import summary_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from fanin.rules.asked import Asked
    from fanin.rules.suppressed import Suppressed


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

    n_parameters, n_trainable: tensors. n_reached: trainable ones that the objective
    read. n_moving: those that an optimizer's first step moves. n_nodes: places in the
    graph; n_sites: those where statistics were taken. n_rules: run. asked: codes of
    those. unasked: of the rules that were chosen and could not be asked (no run, no
    closure).
    """

    n_parameters: int = 0
    n_trainable: int = 0
    n_reached: int = 0
    n_moving: int = 0
    n_nodes: int = 0
    n_sites: int = 0
    n_rules: int = 0
    asked: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """All findings of a check, worst first.

    consequences: findings that a listed one explains; kept, not shown as faults.
    suppressed: findings that a comment, the configuration or a baseline sets aside.
    notes: remarks on how the check was made (a batch that had to be made up).
    profile: the network site by site, for pictures; None where it could not be run.
    framework: "torch", "keras", "jax"; target: what was checked, in the caller's words.
    asked: what the check was asked, to ask it again (`fix`); not compared, not saved.

    >>> print(Report(verdict=Verdict.HEALTHY, coverage=Coverage(n_parameters=4)))
    healthy for this batch: nothing found in 4 parameters, 0 sites, 0 rules.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    consequences: tuple[Finding, ...] = ()
    coverage: Coverage = Coverage()
    notes: tuple[str, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    profile: Profile | None = None
    framework: str = ""
    target: str = ""
    asked: Asked | None = field(default=None, repr=False, compare=False)

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
        return summary_of(self)

    @property
    def mendable(self) -> tuple[Finding, ...]:
        """Give the errors and warnings that new draws mend: see `fix`."""
        return tuple(f for f in self.findings if is_mendable(f))

    def fix(self, model: object, **words: Any) -> Any:  # noqa: ANN401 - of the api
        """Draw again what the errors and warnings name, and check again.

        Args:
            model: the one that was checked.
            **words: of `fanin.fix`: batch, loss, target, objective, seed.

        Returns:
            ``fanin.api.fixing.Fixed``: ``.report`` after, ``.before``, ``.model``,
            ``.drawn``.
        """
        # The api is above this room: it is found by name when it is asked for.
        return importlib.import_module("fanin.api.fixing").fix(self, model, **words)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was asked: a pickle holds no batch and no function."""
        return {**vars(self), "asked": None}

    def _repr_html_(self) -> str:
        """Give the report for a notebook."""
        return str(_drawn_by("as_html").html(self))

    def _repr_markdown_(self) -> str:
        """Give the report for a notebook that shows no HTML."""
        return str(_drawn_by("as_markdown").markdown(self))

    def save(self, path: str | Path) -> Path:
        """Write the report into a file, wholly or not at all.

        Args:
            path: its suffix says how: .html, .json, .sarif, .xml (JUnit), .md, .txt.

        Raises:
            ArgumentError: if no format has that suffix.
            OutputError: if the file cannot be written; an old one is untouched.
        """
        written: Path = _drawn_by("saving").save(self, path)
        return written

    def to_frame(self, what: str = "findings") -> Any:  # noqa: ANN401 - pandas'
        """Give a ``pandas.DataFrame``, a row a finding.

        Args:
            what: "findings"; or "sites", a row a measured place of the network; or
                "weights".

        Raises:
            ArgumentError: if ``what`` is another word.
            MissingDependencyError: if pandas is not installed.
        """
        return _drawn_by("frame").frame_of(self, what)

    def to_json(self) -> str:
        """Give the report as JSON, schema ``fanin.check/1``."""
        return save(
            {
                "target": self.target,
                "framework": self.framework,
                "verdict": self.verdict.value,
                "ok": self.ok,
                "coverage": _coverage_to(self.coverage),
                "findings": findings_to(self.findings),
                "consequences": findings_to(self.consequences),
                "suppressed": suppressed_to(self.suppressed),
                "notes": list(self.notes),
                "profile": None if self.profile is None else self.profile.to_data(),
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
        profile = data["profile"]
        return cls(
            target=data["target"],
            framework=data["framework"],
            verdict=Verdict(data["verdict"]),
            findings=findings_from(data["findings"]),
            consequences=findings_from(data["consequences"]),
            suppressed=suppressed_from(data["suppressed"]),
            notes=tuple(data["notes"]),
            coverage=_coverage_from(data["coverage"]),
            profile=None if profile is None else Profile.from_data(profile),
        )


def _drawn_by(name: str) -> ModuleType:
    """Give a module of the room above.

    Reports are drawn there, and this room may not know it by import: it is found by
    name, and only when somebody asks.
    """
    return importlib.import_module(f"fanin.report.findings.{name}")


def _coverage_to(cover: Coverage) -> dict[str, Any]:
    return {
        "parameters": cover.n_parameters,
        "trainable": cover.n_trainable,
        "reached": cover.n_reached,
        "moving_at_first_step": cover.n_moving,
        "nodes": cover.n_nodes,
        "sites": cover.n_sites,
        "rules": cover.n_rules,
        "asked": list(cover.asked),
        "unasked": list(cover.unasked),
    }


def _coverage_from(data: dict[str, Any]) -> Coverage:
    return Coverage(
        n_parameters=data["parameters"],
        n_trainable=data["trainable"],
        n_reached=data["reached"],
        n_moving=data["moving_at_first_step"],
        n_nodes=data["nodes"],
        n_sites=data["sites"],
        n_rules=data["rules"],
        asked=tuple(data["asked"]),
        unasked=tuple(data["unasked"]),
    )


def verdict_of(findings: tuple[Finding, ...], *, has_run: bool) -> Verdict:
    """Give the verdict: proof before measurement, and neither without a run.

    Warnings of the family FAN0 say what was not looked at, or not used; they say
    nothing of how the rest learns, so they do not change it.

    >>> verdict_of((), has_run=False).value
    'not checked'
    """
    errors = [f for f in findings if f.severity is Severity.ERROR]
    if any(f.evidence is Evidence.PROVED for f in errors):
        return Verdict.CANNOT_LEARN
    if not has_run:
        return Verdict.NOT_CHECKED
    if any(_weighs(f) for f in findings):
        return Verdict.WILL_STRUGGLE
    return Verdict.HEALTHY


def _weighs(finding: Finding) -> bool:
    is_of_coverage = finding.code.startswith("FAN0")
    worst = finding.severity
    return worst is Severity.ERROR or (worst is Severity.WARNING and not is_of_coverage)
