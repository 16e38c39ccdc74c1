"""Show the page of a rule of `fanin check`: what it finds, why, when it is fine.

fanin rule              all rules, one line each
fanin rule FAN101       one page
fanin rule --format json|markdown
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fanin.cli.commands.command import add_output, check_output, emit, format_of

if TYPE_CHECKING:
    import argparse

NAME = "rule"
HELP = "show the page of a rule"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the rule's code or name."""
    parser.add_argument("rule", nargs="?", metavar="CODE", help="FAN101 or its name")
    add_output(parser, "text", "markdown", "json")


def run(arguments: argparse.Namespace) -> int:
    """Write the page, or the list of all rules."""
    check_output(arguments)
    emit(arguments, _written(arguments.rule, format_of(arguments)))
    return 0


def _written(name: str | None, chosen: str) -> str:
    """Give a rule's page, or all rules; a page is Markdown already."""
    from fanin.report.findings.rule_page import (
        rule_list,
        rule_page,
        rule_table,
        rules_data,
    )

    if chosen == "json":
        data = rules_data(None if name is None else [name])
        return json.dumps(data, indent=2, ensure_ascii=False)
    if name is not None:
        return rule_page(name)
    return rule_table() if chosen == "markdown" else rule_list()
