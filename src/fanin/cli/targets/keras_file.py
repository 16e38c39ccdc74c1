"""A model in a .keras file, loaded in safe mode: code inside it is never run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fanin.cli.targets.error import TargetError
from fanin.cli.targets.opened import Opened

if TYPE_CHECKING:
    from fanin.cli.targets.opened import Wanted

TAKES: tuple[str, ...] = ()


def fits(text: str) -> bool:
    """Say whether this is the path of a .keras file.

    >>> fits("model.keras"), fits("nets.keras:make")
    (True, False)
    """
    return text.endswith(".keras")


def open_target(text: str, wanted: Wanted) -> Opened:  # noqa: ARG001 (as every form)
    """Load it.

    Raises:
        TargetError: if there is no such file.
        ModelError: if Keras cannot load it; its own error is the cause.
    """
    from fanin.frameworks.keras.files import load

    if not Path(text).is_file():
        raise TargetError.of(text, "there is no such file")
    return Opened(model=load(text))
