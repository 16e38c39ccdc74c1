"""Where a torch model is while it runs: the module's path, and the user's line."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from fanin.frameworks._aten import literals, mode
from fanin.frameworks.torch.wrapped import module_paths
from fanin.graph.draft import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

_TORCH: Final = str(Path(torch.__file__).parent)
_FANIN: Final = str(Path(__file__).parents[2])


class Whereabouts:
    """A stack of the modules that are running, innermost last.

    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1))
    >>> seen = []
    >>> with Whereabouts(net).followed() as here:
    ...     _ = net[0].register_forward_pre_hook(lambda *_: seen.append(here().path))
    ...     _ = net(torch.ones(1, 1))
    >>> seen
    ['0']
    """

    def __init__(self, model: torch.nn.Module) -> None:
        paths = module_paths(model)
        self._paths = {id(m): paths[path] for path, m in model.named_modules()}
        self._running: list[str] = []

    @contextmanager
    def followed(self) -> Iterator[Whereabouts]:
        """Follow every module's forward call; afterwards no hook is left."""

        def enter(module: Any, args: Any) -> None:
            del args
            outer = self._running[-1] if self._running else ""
            self._running.append(self._paths.get(id(module), outer))

        def leave(module: Any, args: Any, output: Any) -> None:
            del module, args, output
            self._running.pop()

        hooks = [
            register_module_forward_pre_hook(enter),
            register_module_forward_hook(leave, always_call=True),
        ]
        try:
            yield self
        finally:
            for hook in hooks:
                hook.remove()
            self._running.clear()

    def __call__(self) -> Place:
        """Give the place of the operation that is running now."""
        path = self._running[-1] if self._running else ""
        return _place(path, _user_line())


@lru_cache(maxsize=4096)
def _place(path: str, source: str | None) -> Place:
    return Place(path=path, source=source)


def line_of(why: BaseException) -> str | None:
    """Give "file.py:23" of the user's last frame that an error left."""
    found = None
    trace = why.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if _whose(code) == _USERS:
            found = f"{_file_name(code)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _user_line() -> str | None:
    """Give "file.py:23" of the nearest frame outside torch, between fanin and fanin."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 (inspect.stack reads files)
    while frame is not None and _whose(frame.f_code) == _FANINS:
        frame = frame.f_back
    while frame is not None:
        owner = _whose(frame.f_code)
        if owner == _FANINS:
            return None
        if owner == _USERS:
            return f"{_file_name(frame.f_code)}:{frame.f_lineno}"
        frame = frame.f_back
    return None


@cache
def _file_name(code: CodeType) -> str:
    return Path(code.co_filename).name


_FANINS, _TORCHS, _USERS = range(3)
_BETWEEN: Final = (literals.__file__, mode.__file__)
"""Files of fanin's that stand between the user and torch, or torch and a recorder."""


@cache
def _whose(code: CodeType) -> int:
    """Say whose a function is, told from its file."""
    name = code.co_filename
    if name in _BETWEEN:
        return _TORCHS
    if name.startswith(_FANIN):
        return _FANINS
    return _TORCHS if name.startswith((_TORCH, "<")) else _USERS
