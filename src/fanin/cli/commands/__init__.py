"""The commands, in the order in which ``fanin --help`` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.cli.commands import (
    apply,
    check,
    compare,
    demo,
    explain,
    init,
    lab,
    lesson,
    plan,
    policies,
    report,
    rule,
    schema,
    schemes,
    study,
    verify,
)

if TYPE_CHECKING:
    from fanin.cli.commands.command import Command

COMMANDS: tuple[Command, ...] = (
    explain,
    check,
    plan,
    init,
    apply,
    verify,
    compare,
    lab,
    lesson,
    policies,
    schemes,
    study,
    rule,
    report,
    schema,
    demo,
)
