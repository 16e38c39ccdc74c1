"""fix: draw again what a check found wrong, and check again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fanin.api.applying import apply
from fanin.api.checking import check
from fanin.api.planning import plan
from fanin.api.task import find_framework
from fanin.errors import SignalError
from fanin.graph.draws import Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from fanin.frameworks.framework import Framework
    from fanin.prescription import Plan
    from fanin.rules import Finding, Report
    from fanin.rules.asked import Asked


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """What a fix did.

    before, report: the check's report before and after. model: with the new numbers:
    the same object, but for an Equinox module or a pair (apply, params), which cannot
    be changed. drawn: parameters that were drawn again, none if nothing was written.
    plan: their laws. left: errors and warnings that no draw mends; each says what to
    do in its ``fix``.
    """

    before: Report
    report: Report
    model: Any
    drawn: tuple[str, ...] = ()
    plan: Plan | None = None

    @property
    def ok(self) -> bool:
        """Say whether no error is left."""
        return self.report.ok

    @property
    def left(self) -> tuple[Finding, ...]:
        """Give the errors and warnings that are there after the fix."""
        return (*self.report.errors, *self.report.warnings)

    def __str__(self) -> str:
        """Give both verdicts, what was drawn, and what is left with its remedy."""
        lines = [
            f"before: {self.before.verdict}: {self.before.summary}.",
            f"drawn again: {_listed(self.drawn)}",
            f"after: {self.report.verdict}: {self.report.summary}.",
        ]
        lines += [f"left: {f.code} {f.where}: {f.fix}" for f in self.left]
        return "\n".join(lines)


def fix(  # noqa: PLR0913 (as check: the objective takes four words to say)
    report: Report,
    model: object,
    batch: object = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    target: object = None,
    *,
    objective: Callable[[Any], Any] | None = None,
    seed: int | None = None,
) -> Fixed:
    """Draw again what a report's errors and warnings name, and check again.

    What each finding says a draw would mend is drawn by fanin's own plan: single
    layers, or the whole net where its scale is at fault. Frozen parameters, those of
    suppressed findings and all that no finding names keep their numbers. All is
    written or nothing; where the second check is worse than the first, the old
    numbers are put back.

    Args:
        report: of `fanin.check`.
        model: the one that was checked.
        batch: as in `check`. None, with no loss and no objective: what the report was
            asked on, if it was not read from a file.
        loss: as in `check`.
        target: as in `check`.
        objective: as in `check`.
        seed: of the new numbers; None takes one from the framework's own generator.

    Returns:
        Both reports, the model, and what was drawn.

    Raises:
        FaninError: as `plan`, `apply` and `check` do; the model is then as it was.
    """
    from fanin.rules.asked import Asked
    from fanin.rules.mending import to_draw

    is_given = any(each is not None for each in (batch, loss, target, objective))
    asked = report.asked
    if is_given or asked is None:
        words = {} if asked is None else asked.words
        asked = Asked(
            batch=batch, loss=loss, target=target, objective=objective, words=words
        )
    framework = find_framework(model)
    kept = _kept(framework, model, report)
    wanted = [
        to_draw(report.findings, kept),
        to_draw((*report.findings, *report.consequences), kept, is_wide=True),
    ]
    if not wanted[0]:
        return Fixed(before=report, report=report, model=model)
    fixed = _tried(report, model, asked, wanted[0], (kept, seed))
    if wanted[1] != wanted[0] and (fixed is None or fixed.report.mendable):
        # The fewest that mend may leave nothing to size them by, or leave the rest of
        # a chain at the scale that was its fault.
        wider = _tried(report, model, asked, wanted[1], (kept, seed))
        if fixed is None or (wider and _rank(wider.report) < _rank(fixed.report)):
            fixed = wider
    if fixed is None:
        message = "A new draw would make it worse, or cannot be sized: nothing is kept."
        return Fixed(before=report, report=_noted(report, message), model=model)
    written = apply(fixed.plan, model) if fixed.plan is not None else model
    after = _noted(
        fixed.report,
        f"Before: {report.verdict}: {report.summary}.",
        f"Drawn again: {_listed(fixed.drawn)}",
    )
    return replace(fixed, report=after, model=written)


def _tried(
    report: Report,
    model: object,
    asked: Asked,
    wanted: tuple[str, ...],
    how: tuple[tuple[str, ...], int | None],
) -> Fixed | None:
    """Draw, check, and put the old numbers back; None where it became no better.

    Args:
        report: before.
        model: is as it was when this returns.
        asked: of the check.
        wanted: parameters to draw.
        how: parameters to keep, and the seed.
    """
    kept, seed = how
    try:
        made = _plan(model, asked, wanted, kept, seed)
    except SignalError:
        return None
    framework = find_framework(model)
    drawn = tuple(p.path for p in made.prescriptions if not p.is_kept)
    values = framework.read(model)
    old = {path: values[path] for path in drawn}
    written = apply(made, model)
    try:
        after = check(
            written,
            asked.batch,
            asked.loss,
            asked.target,
            objective=asked.objective,
            **asked.words,
        )
    finally:
        framework.write(written, _back(old))
    if _rank(after) > _rank(report):
        return None
    return Fixed(before=report, report=after, model=model, drawn=drawn, plan=made)


def _kept(framework: Framework, model: object, report: Report) -> tuple[str, ...]:
    """Give what is not touched: frozen parameters and those of suppressed findings."""
    frozen = (p.path for p in framework.parameters(model) if not p.is_trainable)
    aside = (path for each in report.suppressed for path in each.finding.paths)
    return tuple(dict.fromkeys([*frozen, *aside]))


def _plan(
    model: object,
    asked: Asked,
    wanted: tuple[str, ...],
    kept: tuple[str, ...],
    seed: int | None,
) -> Plan:
    from fanin.rules.mending import WHOLE

    is_whole = wanted == (WHOLE,)
    return plan(
        model,
        asked.batch,
        asked.loss,
        asked.target,
        objective=asked.objective,
        only=None if is_whole else list(wanted),
        skip=list(kept) or None if is_whole else None,
        seed=seed,
    )


def _back(old: Mapping[str, np.ndarray]) -> dict[str, Listed]:
    return {path: Listed(values) for path, values in old.items()}


def _rank(report: Report) -> tuple[int, int, int]:
    """Order reports from good to bad: the verdict, then errors, then warnings."""
    from fanin.rules import Verdict

    order = (
        Verdict.HEALTHY,
        Verdict.WILL_STRUGGLE,
        Verdict.CANNOT_LEARN,
        Verdict.NOT_CHECKED,
    )
    return order.index(report.verdict), len(report.errors), len(report.warnings)


def _noted(report: Report, *notes: str) -> Report:
    return replace(report, notes=(*notes, *report.notes))


def _listed(paths: tuple[str, ...]) -> str:
    shown = ", ".join(paths[:6])
    return (
        f"{shown} and {len(paths) - 6} more" if len(paths) > 6 else shown or "nothing"
    )
