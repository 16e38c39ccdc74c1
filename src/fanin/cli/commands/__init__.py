"""The commands, in the order in which ``fanin --help`` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.cli.commands.command import Command

COMMANDS: tuple[Command, ...] = ()
