"""The table of all rules, in order of their codes.

A rule is a file of this folder, named after its code and its name
(``fan101_never_moves``), that holds a ``RULE``: whoever adds one has registered it.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fanin.registry import Registry

if TYPE_CHECKING:
    from fanin.rules.rule import Rule

RULES: Final[Registry[Rule]] = Registry("rule")

FILES: Final = tuple(
    sorted(
        module.name
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if module.name[:3] == "fan" and module.name[3:6].isdigit()
    )
)
"""The names of the files that hold a rule, in order of their codes."""

for file in FILES:
    RULES.register(importlib.import_module(f"fanin.rules.{file}").RULE)
