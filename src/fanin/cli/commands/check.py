"""Find what will not learn, before training begins. The model is not changed.

    fanin check net.py:make --input 64x784
    fanin check "net.py:make(width=256)" --input digits.npz --loss cross_entropy
    fanin check net.py:make --optimizer adam --lr 1e-3 --format sarif:out.sarif
    fanin check net.py:make --input digits.npz --fix -o weights.safetensors

Settings are read from the nearest fanin.toml or [tool.fanin] in pyproject.toml.
Exit code 0: nothing found. 1: findings of the --fail-on severity or worse. 3: the model
could not be built, run or checked.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fanin
from fanin.cli.commands.formats import add_formats, places, write
from fanin.cli.commands.model import add_subject, subject
from fanin.config import Settings, nearest, read
from fanin.errors import ArgumentError
from fanin.files import ensure_writable

if TYPE_CHECKING:
    import argparse

    from fanin.cli.commands.model import Subject
    from fanin.rules import Report

NAME = "check"
HELP = "find what will not learn, before training begins"
FINDINGS = 1
NOT_CHECKED = 3
SEVERITIES = ("error", "warning", "info", "never")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, what to look for, and what becomes of what is found."""
    add_subject(parser)
    _add_training(parser)
    _add_rules(parser)
    _add_outcome(parser)
    add_formats(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check, write the report, and say by the exit code whether something was found."""
    config = _config(arguments)
    settings = read(config)
    wanted = places(arguments.format, None if arguments.fix else arguments.output)
    _require_writable(arguments)
    it = subject(arguments, seed=arguments.seed)
    report = _checked(it, arguments, config, settings)
    if arguments.write_baseline is not None:
        _write_baseline(it, report, arguments.write_baseline)
        return 0
    if arguments.fix:
        report = _fixed(it, report, arguments)
    report = replace(report, target=arguments.model, notes=(*it.remarks, *report.notes))
    if arguments.statistics:
        _write_statistics(report)
    else:
        write(report, wanted, is_brief=arguments.fix)
    if arguments.exit_zero:
        return 0
    return exit_code(report, arguments.fail_on or settings.fail_on or "warning")


def exit_code(report: Report, severity: str) -> int:
    """Give 1 for findings this severe, 3 where nothing could be checked, else 0.

    "Could not check" never looks like "clean".

    >>> from fanin.rules import Verdict
    >>> exit_code(fanin.rules.Report(verdict=Verdict.NOT_CHECKED), "never")
    3
    """
    from fanin.rules import Verdict

    if fails(report, severity):
        return FINDINGS
    return NOT_CHECKED if report.verdict is Verdict.NOT_CHECKED else 0


def fails(report: Report, severity: str) -> bool:
    """Say whether the report holds a finding of this severity or worse."""
    if severity == "never":
        return False
    worst = SEVERITIES.index(severity)
    return any(SEVERITIES.index(str(f.severity)) <= worst for f in report.findings)


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--optimizer", metavar="NAME", help="sgd, adam, adamw, …: what will train it"
    )
    parser.add_argument("--lr", type=float, metavar="RATE", help="its learning rate")
    parser.add_argument(
        "--precision",
        choices=("float16", "bfloat16"),
        help="what mixed precision will compute in",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--select", metavar="CODES", help="FAN101,FAN2: only these rules"
    )
    parser.add_argument(
        "--extend-select", metavar="CODES", help="these rules too, beside the selected"
    )
    parser.add_argument("--ignore", metavar="CODES", help="not these rules")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="half the time: do not search for what can never move",
    )
    parser.add_argument("--config", metavar="FILE", help="settings in place of those")
    parser.add_argument(
        "--isolated", action="store_true", help="read no file of settings"
    )
    parser.add_argument("--seed", type=int, default=0, help="of noise; %(default)s")


def _add_outcome(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--baseline", metavar="FILE", help="findings that are known, to be set aside"
    )
    parser.add_argument(
        "--write-baseline", metavar="FILE", help="write what is found there, and stop"
    )
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        help="exit with 1 on findings this severe; default: warning",
    )
    parser.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 whatever is found"
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="draw again what is found wrong, check again, save the weights to -o",
    )
    parser.add_argument(
        "--statistics", action="store_true", help="count the findings of each rule"
    )


def _config(arguments: argparse.Namespace) -> Any:  # noqa: ANN401 (a path or None)
    if arguments.isolated and arguments.config is not None:
        expected = "given without --isolated, which reads no settings"
        raise ArgumentError.of(
            argument="--config", received=arguments.config, expected=expected
        )
    if arguments.isolated:
        return None
    return arguments.config or nearest()


def _require_writable(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be written before the model is built."""
    if arguments.fix and arguments.output is None:
        expected = "given with --fix: the file for the new weights"
        raise ArgumentError.of(argument="--output", received=None, expected=expected)
    for path in (arguments.write_baseline, arguments.output):
        if path is not None:
            ensure_writable(path)


def _checked(
    it: Subject, arguments: argparse.Namespace, config: object, settings: Settings
) -> Report:
    select = _codes(arguments.select) or settings.select
    extra = _codes(arguments.extend_select)
    if select is not None and extra is not None:
        select = (*select, *extra)
    return fanin.check(
        it.model,
        it.batch,
        it.loss,
        it.target,
        optimizer=arguments.optimizer,
        learning_rate=arguments.lr,
        precision=arguments.precision,
        factory=it.factory,
        closure=not arguments.quick,
        select=select,
        ignore=_codes(arguments.ignore),
        baseline=arguments.baseline,
        config=config,  # type: ignore[arg-type] # a path, or None
        seed=arguments.seed,
    )


def _fixed(it: Subject, report: Report, arguments: argparse.Namespace) -> Report:
    """Draw again, save the weights, and give the report of the second check."""
    from fanin.frameworks.find import find

    framework = find(it.model)
    framework.require_format(arguments.output)
    fixed = fanin.fix(report, it.model, seed=arguments.seed)
    framework.save(fixed.model, arguments.output)
    return fixed.report


def _write_baseline(it: Subject, report: Report, path: str) -> None:
    from fanin.api.settling import class_of
    from fanin.rules.baseline import write_baseline
    from fanin.rules.words import count

    write_baseline(report, path, class_of(it.model))
    found = count(len(report.findings), "finding")
    sys.stderr.write(f"fanin: wrote {found} to {path}.\n")


def _write_statistics(report: Report) -> None:
    from fanin.report.findings.statistics import statistics

    sys.stdout.write(statistics(report) + "\n")


def _codes(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(code.strip() for code in text.split(","))
