"""The table of rules: found by listing the folder, and its codes fixed for ever."""

from __future__ import annotations

from pathlib import Path

import fanin.rules
from fanin.rules import RULES
from fanin.rules.table import FILES

FOLDER = Path(fanin.rules.__file__).parent
GOLDEN = Path(__file__).parents[2] / "golden" / "rules.txt"
"""Every code that was ever given out, with its name. A line may be added, and no line
may be changed, taken away, or its code given to another rule."""


def given_out() -> dict[str, str]:
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines)


def test_a_file_that_is_named_after_a_code_is_a_rule():
    named = {path.stem for path in FOLDER.glob("fan[0-9][0-9][0-9]_*.py")}

    assert set(FILES) == named
    assert len(RULES) == len(named)


def test_a_file_is_named_after_the_code_and_name_of_its_rule():
    expected = [f"{r.code.lower()}_{r.name.replace('-', '_')}" for r in RULES.values()]

    assert list(FILES) == expected


def test_no_two_rules_share_a_code_a_name_or_a_page():
    rules = list(RULES.values())

    for field in ("code", "name", "page"):
        assert len({getattr(rule, field) for rule in rules}) == len(rules)


def test_every_rule_keeps_the_code_that_its_name_was_given():
    assert {rule.code: rule.name for rule in RULES.values()} == given_out()


def test_the_codes_given_out_are_listed_once_and_in_order():
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    codes = [line.split()[0] for line in lines]

    assert codes == sorted(set(codes))
    assert len(set(given_out().values())) == len(codes)
