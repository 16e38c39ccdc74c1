"""What a person may wish of a plan, in words: shared by plan and init."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fanin
from fanin.cli.commands.model import load_model
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fanin.cli.commands.model import Subject
    from fanin.prescription import Plan


def add_wishes(parser: argparse.ArgumentParser) -> None:
    """Add the options of a plan, in a group of their own."""
    group = parser.add_argument_group("what you wish")
    group.add_argument(
        "--policy",
        default="auto",
        metavar="POLICY",
        help="auto, gpt2, fixup, deepnorm, mup, lsuv, torch, keras, … "
        "(fanin policies lists them); default: %(default)s",
    )
    group.add_argument("--scheme", metavar="SPEC", help="one scheme for every weight")
    group.add_argument(
        "--override",
        metavar="PATTERN=SPEC",
        action="append",
        default=[],
        help='as in "head.*=zeros" or "encoder.*=keep"; may be given again',
    )
    group.add_argument(
        "--only",
        metavar="PATTERN",
        action="append",
        help="decide these parameters and keep all others; may be given again",
    )
    group.add_argument(
        "--skip",
        metavar="PATTERN",
        action="append",
        help="keep these parameters; may be given again",
    )
    group.add_argument(
        "--base",
        metavar="TARGET",
        help="for --policy mup: a smaller model of the same architecture",
    )
    group.add_argument(
        "--law",
        metavar="LAW",
        help="of all weights: normal, uniform, truncated_normal or orthogonal; "
        "default: the policy's own",
    )
    group.add_argument("--seed", type=int, help="of the numbers")
    group.add_argument(
        "--seed-of",
        metavar="PATTERN=SEED",
        action="append",
        default=[],
        help='a seed of their own, as in "head.*=7"; may be given again',
    )


def planned(it: Subject, arguments: argparse.Namespace) -> Plan:
    """Make the plan that the words ask for."""
    return fanin.plan(
        it.model,
        it.batch,
        it.loss,
        it.target,
        policy=arguments.policy,
        scheme=arguments.scheme,
        overrides=pairs("--override", arguments.override, example="head.*=zeros"),
        only=arguments.only,
        skip=arguments.skip,
        base=None if arguments.base is None else load_model(arguments.base),
        law=arguments.law,
        seed=arguments.seed,
        seeds=_seeds(arguments.seed_of),
    )


def pairs(option: str, texts: Sequence[str], *, example: str) -> dict[str, str]:
    """Read ``PATTERN=SPEC`` texts.

    Raises:
        ArgumentError: if a text has no "=", or two give one pattern two things.

    >>> pairs("--override", ["head.*=normal(std=0.02)"], example="head.*=zeros")
    {'head.*': 'normal(std=0.02)'}
    """
    found: dict[str, str] = {}
    for text in texts:
        pattern, equals, spec = text.partition("=")
        if not (pattern and equals and spec):
            expected = f'a pattern, "=" and what it gets, as in "{example}"'
            raise ArgumentError.of(argument=option, received=text, expected=expected)
        if found.setdefault(pattern, spec) != spec:
            expected = f"one thing for {pattern!r}, which was given {found[pattern]!r}"
            raise ArgumentError.of(argument=option, received=text, expected=expected)
    return found


def _seeds(texts: Sequence[str]) -> dict[str, int]:
    found = {}
    for pattern, text in pairs("--seed-of", texts, example="head.*=7").items():
        if not text.isdecimal():
            raise ArgumentError.of(
                argument="--seed-of",
                received=f"{pattern}={text}",
                expected='a pattern, "=" and a whole number, as in "head.*=7"',
            )
        found[pattern] = int(text)
    return found
