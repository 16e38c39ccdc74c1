"""Find what will not learn, before training begins. The model is not changed.

    fanin check net.py:make --input 64x784
    fanin check "net.py:make(width=256)" --input digits.npz --loss cross_entropy
    fanin check model.keras --format json

Exit code 0: nothing found. 1: findings of the --fail-on severity or worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import fanin
from fanin.cli.commands.command import (
    add_output,
    check_output,
    emit,
    format_of,
    is_coloured,
)
from fanin.cli.commands.model import add_subject, subject

if TYPE_CHECKING:
    import argparse

    from fanin.rules import Report

NAME = "check"
HELP = "find what will not learn, before training begins"
FINDINGS = 1
SEVERITIES = ("error", "warning", "info", "never")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model and what to look for."""
    add_subject(parser)
    parser.add_argument(
        "--select", metavar="CODES", help="FAN101,FAN2: only these rules"
    )
    parser.add_argument("--ignore", metavar="CODES", help="not these rules")
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="warning",
        help="exit with 1 on findings this severe; default: %(default)s",
    )
    parser.add_argument("--seed", type=int, default=0, help="of noise; %(default)s")
    add_output(parser, "text", "concise", "json", "html")


def run(arguments: argparse.Namespace) -> int:
    """Check, write the report, and say by the exit code whether something was found."""
    check_output(arguments)
    it = subject(arguments, seed=arguments.seed)
    report = fanin.check(
        it.model,
        it.batch,
        it.loss,
        it.target,
        select=_codes(arguments.select),
        ignore=_codes(arguments.ignore),
        seed=arguments.seed,
    )
    emit(arguments, _written(report, arguments))
    return FINDINGS if fails(report, arguments.fail_on) else 0


def fails(report: Report, severity: str) -> bool:
    """Say whether the report holds a finding of this severity or worse."""
    if severity == "never":
        return False
    worst = SEVERITIES.index(severity)
    return any(SEVERITIES.index(str(f.severity)) <= worst for f in report.findings)


def _codes(text: str | None) -> list[str] | None:
    return None if text is None else [code.strip() for code in text.split(",")]


def _written(report: Report, arguments: argparse.Namespace) -> str:
    from fanin.report.findings import concise, full, page_of

    chosen = format_of(arguments)
    if chosen == "json":
        return report.to_json()
    if chosen == "html":
        return page_of(report, title=f"fanin check {arguments.model}")
    if chosen == "concise":
        return concise(report)
    return full(report, is_coloured=is_coloured(arguments))
