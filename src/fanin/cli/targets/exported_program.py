"""A program of ``torch.export`` in a .pt2 file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fanin.cli.targets.error import TargetError
from fanin.cli.targets.opened import Opened

if TYPE_CHECKING:
    from fanin.cli.targets.opened import Wanted

TAKES: tuple[str, ...] = ()


def fits(text: str) -> bool:
    """Say whether this is the path of a .pt2 file.

    >>> fits("model.pt2")
    True
    """
    return text.endswith(".pt2")


def open_target(text: str, wanted: Wanted) -> Opened:  # noqa: ARG001 (as every form)
    """Load it; its parameters and what it was recorded on are in the file.

    Raises:
        TargetError: if there is no such file.
        ModelError: if torch cannot load it, or it holds more pickles than tensors.
    """
    from fanin.frameworks.torch.exported import load_exported

    if not Path(text).is_file():
        raise TargetError.of(text, "there is no such file")
    return Opened(model=load_exported(text))
