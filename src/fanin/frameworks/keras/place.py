"""Where a Keras model is while it runs on torch: the layer, and the user's line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from keras.src.backend.common.name_scope import current_path

from fanin.frameworks._aten import literals, mode
from fanin.frameworks.keras.names import scope_reader
from fanin.graph.draft import Place

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

LIBRARIES: Final = (
    "/torch/",
    "/tensorflow/",
    "/keras/src/",
    "/fanin/frameworks/",
    "/lib/python3",
    "<",
)
"""Parts of file names that are not the user's own code."""


BETWEEN: Final = (literals.__file__, mode.__file__)
"""Files of fanin's that stand between the user and torch, or torch and a recorder."""


def places(model: Any) -> Callable[[], Place]:
    """Give a function that says where the model is at the moment.

    Keras opens a name scope around every layer's call; its stack has no public name.
    """
    path = scope_reader(model)
    return lambda: Place(path=path(current_path()), source=_user_line())


def _user_line() -> str | None:
    """Give "file.py:23" of the nearest frame that is the model's own code, if any.

    The frames beyond fanin's first are those of whoever called fanin.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (inspect.stack reads files)
    has_left = False
    while frame is not None:
        name = frame.f_code.co_filename
        if name in BETWEEN:
            frame = frame.f_back
            continue
        is_ours = "/fanin/frameworks/" in name
        if has_left and is_ours:
            return None
        has_left = has_left or not is_ours
        if not any(library in name for library in LIBRARIES):
            return f"{Path(name).name}:{frame.f_lineno}"
        frame = frame.f_back
    return None
