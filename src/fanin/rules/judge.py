"""From an Inspection to a Report: ask the rules, then keep the causes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.errors import UnknownNameError
from fanin.rules.mending import mends
from fanin.rules.report import Coverage, Report, verdict_of
from fanin.rules.rule import Severity
from fanin.rules.runs import moves
from fanin.rules.table import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fanin.rules.inspection import Inspection
    from fanin.rules.rule import Finding, Rule

# Signs that agree before a judgement on scale is more than a note.
LEAST_WITNESSES = 2


def judge(
    inspection: Inspection,
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] | None = None,
) -> Report:
    """Ask every selected rule, drop what another finding explains, and give a verdict.

    Args:
        inspection: of one model and one task.
        select: codes, names or beginnings of codes ("FAN1"); None for all rules.
        ignore: the same, taken away from what is selected.

    Raises:
        UnknownNameError: if a word fits no rule; it names the nearest.
    """
    chosen = chosen_rules(select, ignore)
    asked = [r for r in _with_causes(chosen) if _can_ask(inspection, r)]
    found = [finding for rule in asked for finding in rule.find(inspection)]
    causes, consequences = split(weigh(found, witnesses=_unexplained(found)))
    codes = {rule.code for rule in chosen}
    findings = _sorted(f for f in causes if f.code in codes)
    unasked = tuple(r.code for r in chosen if not _can_ask(inspection, r))
    heard = tuple(r.code for r in chosen if r.code not in unasked)
    return Report(
        verdict=verdict_of(
            findings, has_run=inspection.measurement is not None and bool(heard)
        ),
        findings=findings,
        consequences=_sorted(f for f in consequences if f.code in codes),
        coverage=replace(
            _coverage(inspection), n_rules=len(heard), asked=heard, unasked=unasked
        ),
    )


def chosen_rules(
    select: Sequence[str] | None, ignore: Sequence[str] | None
) -> tuple[Rule, ...]:
    """Give the rules that the words select, in order of their codes.

    >>> [rule.code for rule in chosen_rules(["FAN10", "saturated"], ["FAN106"])]
    ['FAN101', 'FAN102', 'FAN103', 'FAN104', 'FAN105', 'FAN401']
    """
    wanted = set(RULES) if select is None else _named(select)
    return tuple(RULES[name] for name in RULES if name in wanted - _named(ignore or ()))


def _named(words: Iterable[str]) -> set[str]:
    """Give the names of the rules that these words mean."""
    names: set[str] = set()
    for word in words:
        fitting = {
            rule.name
            for rule in RULES.values()
            if rule.code.startswith(word.upper()) or rule.name == word.lower()
        }
        if not fitting:
            known = [*RULES, *(rule.code for rule in RULES.values())]
            raise UnknownNameError.of(RULES.kind, word, known)
        names |= fitting
    return names


def _with_causes(chosen: Sequence[Rule]) -> tuple[Rule, ...]:
    """Add the rules that could explain the chosen ones, or bear witness with them."""
    needed = {rule.code for rule in chosen}
    if any(rule.is_weighed for rule in chosen):
        needed |= {rule.code for rule in RULES.values() if rule.is_witness}
    while True:
        more = {
            c for rule in RULES.values() if rule.code in needed for c in rule.hidden_by
        }
        if more <= needed:
            break
        needed |= more
    return tuple(rule for rule in RULES.values() if rule.code in needed)


def _can_ask(inspection: Inspection, rule: Rule) -> bool:
    has_run = inspection.measurement is not None or not rule.needs_run
    has_closure = inspection.closure or not rule.needs_closure
    was_watched = inspection.construction is not None or not rule.needs_construction
    return has_run and has_closure and was_watched


def weigh(found: Sequence[Finding], witnesses: Sequence[Finding]) -> list[Finding]:
    """Turn judgements on scale into notes where only one sign speaks.

    Each measure of scale has an innocent reading of its own; two that agree have none.
    """
    agreeing = {
        f.code
        for f in witnesses
        if RULES[f.code].is_witness and f.severity is not Severity.INFO
    }
    if len(agreeing) >= LEAST_WITNESSES:
        return list(found)
    return [replace(f, severity=Severity.INFO) if _is_open(f) else f for f in found]


def _is_open(finding: Finding) -> bool:
    """Say whether a finding is no more than a note without a second sign."""
    rule = RULES[finding.code]
    return rule.is_weighed and finding.severity is not rule.decisive


def _unexplained(found: Sequence[Finding]) -> list[Finding]:
    """Give the findings that bear witness: those that no other kind explains.

    Of two signs of scale one can be the deeper, and still the two agree.
    """
    others = [
        f for f in found if not (RULES[f.code].is_witness or RULES[f.code].is_weighed)
    ]
    return [f for f in found if not any(_explains(g, f) for g in others)]


def split(found: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Part the findings into causes, and consequences that a cause explains.

    A cause matters as much as the worst that it explains: a constant layer that makes
    the first loss twice what it should be is no less of a fault than that loss.
    """
    consequences = [f for f in found if any(_explains(g, f) for g in found)]
    causes = [_raised(f, found) for f in found if f not in consequences]
    return causes, consequences


def _raised(cause: Finding, found: Sequence[Finding]) -> Finding:
    """Give a cause the severity of the worst finding that it explains.

    Wrong weights that explain a chain are mended with all of the chain: those that are
    near enough to be passed over are part of it as well.
    """
    explained = [f for f in found if _explains(cause, f)]
    severities = [cause.severity, *(f.severity for f in explained)]
    worst = min(severities, key=lambda severity: severity.rank)
    if not explained or not RULES[cause.code].is_weighed:
        return replace(cause, severity=worst)
    drawn = (path for f in (cause, *explained) for path in mends(f))
    return replace(cause, severity=worst, mends=tuple(dict.fromkeys(drawn)))


def _explains(cause: Finding, effect: Finding) -> bool:
    """Say whether one finding names the deeper reason of another.

    It must be of a rule that hides the other's, be more than a note if the other is,
    and speak of a common parameter; a finding without parameters speaks of the whole
    model. What is itself weighed must speak of half of the other's parameters: one
    layer of a wrong scale does not explain a chain.
    """
    if cause.code not in RULES[effect.code].hidden_by:
        return False
    if cause.severity is Severity.INFO and effect.severity is not Severity.INFO:
        return False
    if not cause.paths or not effect.paths:
        return True
    n_common = len(set(cause.paths) & set(effect.paths))
    is_weighed = RULES[cause.code].is_weighed
    least = len(set(effect.paths)) / 2 if is_weighed else 1
    return n_common >= max(least, 1)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Give the worst first, then by code; in order of discovery within a rule."""
    return tuple(sorted(findings, key=lambda f: (f.severity.rank, f.code)))


def _coverage(inspection: Inspection) -> Coverage:
    measured = inspection.measurement
    gradients = {} if measured is None else inspection.first_gradients
    return Coverage(
        n_parameters=len(inspection.parameters),
        n_trainable=len(inspection.trainable),
        n_reached=sum(path in inspection.used for path in inspection.trainable)
        if measured is not None
        else 0,
        n_moving=sum(map(moves, gradients.values())),
        n_nodes=0 if measured is None else len(measured.graph.nodes),
        n_sites=0 if measured is None else len(measured.sites),
    )
