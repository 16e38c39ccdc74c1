"""The page of a rule, and the list of all of them: text, Markdown, plain data."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from fanin.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.rules import Rule


def rule_page(name: str) -> str:
    """Give the page of a rule, found by code or name.

    Raises:
        UnknownNameError: if there is none; it names the nearest.

    >>> print(rule_page("FAN801").splitlines()[0])
    # FAN801 non-finite-value
    """
    rule = RULES[name]
    _, _, text = rule.page.partition("\n")
    kind = f"Family: {rule.family}. Worst severity: {rule.severity}."
    return f"# {rule.code} {rule.name}\n\n{kind}\n\n{text.strip()}\n"


def rule_list() -> str:
    """Give every rule in a line of its own, by family.

    >>> print(rule_list().splitlines()[0])
    FAN0 target and coverage
    """
    rules = sorted(RULES.values(), key=lambda rule: rule.code)
    lines: list[str] = []
    for family, members in groupby(rules, key=lambda rule: rule.code[:4]):
        known = list(members)
        lines.append(f"{family} {known[0].family}")
        lines += [f"  {rule.code} {rule.name}: {summary(rule)}" for rule in known]
    return "\n".join(lines)


def summary(rule: Rule) -> str:
    """Give the first sentence of what a rule finds.

    >>> summary(RULES["no-memory"])[:32]
    'Parameters without numbers: on t'
    """
    _, _, text = rule.page.partition("## What it finds\n")
    paragraph = " ".join(text.split("\n\n")[0].split())
    return paragraph.split(". ")[0].rstrip(".") + "."


def rules_data(names: Sequence[str] | None = None) -> dict[str, Any]:
    """Give rules as plain data, schema ``fanin.rules/1``, in order of their codes.

    Args:
        names: codes or names; None for all rules.

    Raises:
        UnknownNameError: if there is no such rule; it names the nearest.

    >>> rules_data(["FAN801"])["rules"][0]["name"]
    'non-finite-value'
    """
    chosen = RULES.values() if names is None else [RULES[name] for name in names]
    return {
        "schema": "fanin.rules/1",
        "rules": [_data(rule) for rule in sorted(chosen, key=lambda rule: rule.code)],
    }


def rule_table() -> str:
    """Give every rule as a row of a Markdown table.

    >>> print(rule_table().splitlines()[0])
    | code | name | worst | what it finds |
    """
    rows = [
        f"| {rule.code} | {rule.name} | {rule.severity} | {summary(rule)} |"
        for rule in sorted(RULES.values(), key=lambda rule: rule.code)
    ]
    return "\n".join(
        ["| code | name | worst | what it finds |", "|---|---|---|---|", *rows]
    )


def _data(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "family": rule.family,
        "severity": rule.severity.value,
        "summary": summary(rule),
        "hidden_by": list(rule.hidden_by),
        "sections": _sections(rule.page),
    }


def _sections(page: str) -> dict[str, str]:
    """Give each section of a page by its title."""
    parts = (part.partition("\n") for part in page.split("\n## ")[1:])
    return {title.strip(): text.strip("\n") for title, _, text in parts}
