"""Whose line asked for a write: the nearest frame outside PyTorch and init functions.

PyTorch's convention is that a function whose name ends in "_" writes what it is handed;
who decided is its caller. So ``trunc_normal_`` of any package is looked through.
"""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from fanin.graph.construction import Write, Writer, Written

if TYPE_CHECKING:
    from types import CodeType, FrameType

TORCH: Final = Path(torch.__file__).parent
FANIN: Final = Path(__file__).parents[2]
LAYERS: Final = TORCH / "nn" / "modules"
GENERAL: Final = frozenset({"module.py", "container.py"})
"""Files beside the layers that hold no layer's numbers."""
WATCHING: Final = frozenset({"authors.py", "writes.py"})
LOADERS: Final = frozenset({"load_state_dict", "_load_from_state_dict"})
PACKAGES: Final = tuple(
    dict.fromkeys(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib"))
)
STANDARD: Final = Path(sysconfig.get_path("stdlib"))


def author(operation: str) -> Write:
    """Say who asked for the operation that is running now.

    Returns:
        A write with call, line and writer; what it left is for the caller to say.
    """
    call, layer, kind = operation, "", Written.COMPUTED
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (inspect.stack reads files)
    while frame is not None:
        code = frame.f_code
        place = _place(code)
        if place == "layer":
            layer = code.co_qualname
        elif place == "outside":
            break
        elif code.co_name in LOADERS:
            kind = Written.LOADED
        elif _writes_what_it_is_handed(code):
            call = code.co_name
        frame = frame.f_back
    if frame is None or _is_fanins(frame.f_code):
        return Write(call=layer or call, by=Writer.USER, kind=kind)
    by = Writer.LAYER if layer else _owner(frame.f_code)
    where, via = _line(frame), _line(_caller(frame))
    return Write(call=layer or call, where=where, via=via, by=by, kind=kind)


def _caller(frame: FrameType) -> FrameType | None:
    """Give the next frame out that is neither PyTorch's nor an init function's."""
    caller = frame.f_back
    while caller is not None and _place(caller.f_code) != "outside":
        caller = caller.f_back
    return caller


def _line(frame: FrameType | None) -> str:
    if frame is None or _is_fanins(frame.f_code):
        return ""
    return f"{_shown(frame.f_code.co_filename)}:{frame.f_lineno}"


@cache
def _place(code: CodeType) -> str:
    """Say what a frame is: "layer" of PyTorch, "inside" it, or "outside"."""
    name = code.co_filename
    path = Path(name)
    if path.is_relative_to(TORCH):
        is_layer = path.parent == LAYERS and path.name not in GENERAL
        return "layer" if is_layer else "inside"
    is_watch = path.parent == Path(__file__).parent and path.name in WATCHING
    is_made = name.startswith(("<frozen", "<eval_with_key"))
    is_standard = path.is_relative_to(STANDARD) and not _is_installed(path)
    hands_on = is_watch or is_made or is_standard or _writes_what_it_is_handed(code)
    return "inside" if hands_on else "outside"


def _writes_what_it_is_handed(code: CodeType) -> bool:
    return code.co_name.endswith("_") and not code.co_name.endswith("__")


@cache
def _is_fanins(code: CodeType) -> bool:
    return Path(code.co_filename).is_relative_to(FANIN)


@cache
def _owner(code: CodeType) -> Writer:
    return Writer.LIBRARY if _is_installed(Path(code.co_filename)) else Writer.USER


def _is_installed(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in PACKAGES)


@cache
def _shown(file: str) -> str:
    """Give a file as a reader knows it: from the working directory, or the package."""
    path = Path(file)
    for folder in (*PACKAGES, Path.cwd()):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.name
