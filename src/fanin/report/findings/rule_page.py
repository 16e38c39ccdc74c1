"""The page of a rule, and the list of all of them, as plain text (Markdown)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from fanin.rules import RULES

if TYPE_CHECKING:
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
