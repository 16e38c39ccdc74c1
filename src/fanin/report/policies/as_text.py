"""Policies in the terminal."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from fanin.report.lines import console_of, printed_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fanin.prescription.policy import Policy


def policy_table(
    policies: Iterable[Policy], *, width: int = 100, is_coloured: bool = False
) -> str:
    """Give one row a policy: name, what it does, source.

    Args:
        policies: in the order of the rows.
        width: columns of the terminal, ≥ 60.
        is_coloured: with ANSI colours, for a terminal that shows them.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("policy", no_wrap=True, style="cyan")
    table.add_column("what it does", ratio=3)
    table.add_column("source", ratio=2)
    for policy in policies:
        table.add_row(policy.name, policy.summary, policy.source)
    console = console_of(width, is_styled=is_coloured)
    console.print(table)
    return printed_on(console).rstrip("\n")


def policy_page(policy: Policy, *, width: int = 88, is_coloured: bool = False) -> str:
    """Give one policy: what it does by role, its options, its source.

    Args:
        policy: as `find_policy` gives it.
        width: columns of the terminal, ≥ 60.
        is_coloured: with ANSI colours, for a terminal that shows them.

    >>> from fanin.prescription.policies import find_policy
    >>> print(policy_page(find_policy("auto")).splitlines()[0])
    auto
    """
    from rich.table import Table

    console = console_of(width, is_styled=is_coloured)
    console.print(policy.name, style="bold cyan")
    console.print()
    console.print(policy.summary)
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True, width=8)
    table.add_column()
    for name, default in policy.options.items():
        table.add_row("option", f"{name}={default}")
    table.add_row("source", policy.source)
    console.print()
    console.print(table)
    console.print()
    for paragraph in _paragraphs(policy):
        console.print(paragraph)
        console.print()
    return printed_on(console).rstrip("\n")


def _paragraphs(policy: Policy) -> list[str]:
    """Give the text of the policy's file, after its first line."""
    module = inspect.getmodule(policy.decide)
    text = inspect.getdoc(module) or ""
    return text.split("\n\n")[1:]
