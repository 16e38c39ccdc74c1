from __future__ import annotations

import re

import pytest

from fanin.rules import RULES, Severity
from fanin.rules.rule import FAMILIES

HEADINGS = [
    "What it finds",
    "Why it hurts",
    "When it is fine",
    "Example",
    "Use instead",
    "Assumptions",
    "Source",
]
EACH_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=lambda r: r.code)


@EACH_RULE
def test_a_page_has_the_headings_in_order(rule):
    assert re.findall(r"^## (.+)$", rule.page, flags=re.MULTILINE) == HEADINGS


@EACH_RULE
def test_no_heading_is_left_empty(rule):
    parts = re.split(r"^## .+$", rule.page, flags=re.MULTILINE)[1:]

    assert all(part.strip() for part in parts)


@EACH_RULE
def test_a_page_opens_with_code_and_name(rule):
    assert rule.page.startswith(f"{rule.code} {rule.name}.")


@EACH_RULE
def test_a_rule_is_found_by_code_and_by_name(rule):
    assert RULES[rule.code] is RULES[rule.name] is rule


@EACH_RULE
def test_a_code_belongs_to_a_family(rule):
    assert re.fullmatch(r"FAN\d\d\d", rule.code)
    assert rule.code[:4] in FAMILIES


@EACH_RULE
def test_what_hides_a_rule_exists_and_is_not_hidden_by_it(rule):
    for code in rule.hidden_by:
        assert rule.code not in RULES[code].hidden_by


def test_the_table_is_in_order_of_the_codes():
    codes = [rule.code for rule in RULES.values()]

    assert codes == sorted(codes)


def test_severities_are_ranked_worst_first():
    assert sorted(Severity, key=lambda s: s.rank) == ["error", "warning", "info"]
