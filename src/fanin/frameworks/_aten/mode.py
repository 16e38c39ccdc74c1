"""A dispatch mode that does not load the compiler to see an operation.

torch keeps its compiler out of every dispatch mode, and loads it for that: one or two
seconds in a process that compiles nothing, and some microseconds an operation. Where it
has not been loaded there is nothing to keep out.
"""

from __future__ import annotations

import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

if TYPE_CHECKING:
    from collections.abc import Callable

COMPILER = "torch._dynamo"


class Mode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode; a subclass gives ``__torch_dispatch__`` as it would of torch's.

    >>> class Counting(Mode):
    ...     def __torch_dispatch__(self, func, types, args=(), kwargs=None):
    ...         return func(*args, **(kwargs or {})) + 1.0
    >>> with Counting():
    ...     print(torch.zeros(2).add(1.0).tolist())
    [3.0, 3.0]
    """

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)  # type: ignore[no-untyped-call]
        if "__torch_dispatch__" in vars(cls):
            own: Any = vars(cls)["__torch_dispatch__"]
            cls.__torch_dispatch__ = uncompiled(own)  # type: ignore[method-assign]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Say that torch need not keep its compiler out: it is done here."""
        return False


def uncompiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep torch's compiler out of a function, once it is loaded."""
    kept_out: list[Callable[..., Any]] = []

    @wraps(function)
    def inner(*args: Any, **keywords: Any) -> Any:
        if not kept_out:
            if COMPILER not in sys.modules:
                return function(*args, **keywords)
            kept_out.append(torch.compiler.disable(function))  # type: ignore[no-untyped-call]
        return kept_out[0](*args, **keywords)

    return inner
