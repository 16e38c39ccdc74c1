"""The commands, in the order in which ``fanin --help`` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.cli.commands import (
    check,
    compare,
    demo,
    explain,
    init,
    plan,
    rule,
    schemes,
)

if TYPE_CHECKING:
    from fanin.cli.commands.command import Command

COMMANDS: tuple[Command, ...] = (
    explain,
    check,
    plan,
    init,
    compare,
    schemes,
    rule,
    demo,
)
