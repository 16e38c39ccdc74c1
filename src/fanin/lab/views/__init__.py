"""The views: a file of this folder that holds a ``VIEW`` is one."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.lab.seam import View


def find_views() -> tuple[View, ...]:
    """Give every view of this folder, in the navigation's order.

    >>> "lab" in [view.name for view in find_views()]
    True
    """
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules([str(Path(__file__).parent)])
    ]
    views: list[View] = [each.VIEW for each in modules if hasattr(each, "VIEW")]
    return tuple(sorted(views, key=lambda view: view.order))
