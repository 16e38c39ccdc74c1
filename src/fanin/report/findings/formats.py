"""The table of formats.

A format is a file of this folder named ``as_NAME`` that holds a ``FORMAT``: whoever
adds one has registered it.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fanin.registry import Registry

if TYPE_CHECKING:
    from fanin.report.findings.format import Format

FORMATS: Final[Registry[Format]] = Registry("format")

for found in pkgutil.iter_modules([str(Path(__file__).parent)]):
    if found.name.startswith("as_"):
        module = importlib.import_module(f"fanin.report.findings.{found.name}")
        FORMATS.register(module.FORMAT)


def of_suffix(path: str | Path) -> Format | None:
    """Give the format of files so named; None if no format claims the suffix.

    The longest suffix counts: "out.sarif.json" is SARIF where SARIF claims it.

    >>> of_suffix("report.json").name
    'json'
    """
    name = Path(path).name.lower()
    fitting = [
        (len(suffix), each.name)
        for each in FORMATS.values()
        for suffix in each.suffixes
        if name.endswith(suffix)
    ]
    return FORMATS[max(fitting)[1]] if fitting else None
