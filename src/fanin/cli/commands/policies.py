"""List the policies, or show one: what it sets by role, its options, its source.

fanin policies           all of them
fanin policies deepnorm  one
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.cli.commands.command import (
    add_output,
    check_output,
    emit,
    format_of,
    is_coloured,
    width_of,
)

if TYPE_CHECKING:
    import argparse

NAME = "policies"
HELP = "list the policies of plan and init, or show one"
WIDEST = 120


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the policy and the output."""
    parser.add_argument("policy", nargs="?", metavar="POLICY", help="gpt2, mup, …")
    add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Write the table, or one policy's page."""
    from fanin.prescription.policies import POLICIES, find_policy
    from fanin.report.policies import policies_json, policy_page, policy_table

    check_output(arguments)
    names = POLICIES if arguments.policy is None else (arguments.policy,)
    found = [find_policy(name) for name in names]
    if format_of(arguments) == "json":
        emit(arguments, policies_json(found))
        return 0
    width = width_of(widest=WIDEST)
    colour = is_coloured(arguments)
    if arguments.policy is None:
        emit(arguments, policy_table(found, width=width, is_coloured=colour))
    else:
        emit(arguments, policy_page(found[0], width=width, is_coloured=colour))
    return 0
