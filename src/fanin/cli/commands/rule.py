"""Show the page of a rule of `fanin check`: what it finds, why, when it is fine.

fanin rule              all rules, one line each
fanin rule FAN101       one page
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.cli.commands.command import add_output, check_output, emit

if TYPE_CHECKING:
    import argparse

NAME = "rule"
HELP = "show the page of a rule"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the rule's code or name."""
    parser.add_argument("rule", nargs="?", metavar="CODE", help="FAN101 or its name")
    add_output(parser, "text")


def run(arguments: argparse.Namespace) -> int:
    """Write the page, or the list of all rules."""
    from fanin.report.findings import rule_list, rule_page

    check_output(arguments)
    text = rule_list() if arguments.rule is None else rule_page(arguments.rule)
    emit(arguments, text)
    return 0
