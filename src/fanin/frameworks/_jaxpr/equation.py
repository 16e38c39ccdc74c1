"""One equation of a jaxpr: how to run it, and whose code it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jax
from jax.extend.core import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIBRARIES: Final = ("site-packages", "/lib/python", "fanin/frameworks", "<")
"""Parts of file names that are not the user's own code."""


def runner(eqn: Any, whole: Any) -> Callable[..., Sequence[Any]]:
    """Give a function that runs one equation, by JAX's own evaluation of programs.

    ``whole`` lends its debug information, without which JAX warns.
    """
    names = tuple(dict.fromkeys(v for v in eqn.invars if not isinstance(v, Literal)))
    alone = whole.replace(
        constvars=(), invars=names, outvars=eqn.outvars, eqns=(eqn,), effects=set()
    )

    def run(*values: Any) -> Sequence[Any]:
        pairs = zip(eqn.invars, values, strict=True)
        given = {v: value for v, value in pairs if not isinstance(v, Literal)}
        return jax.core.eval_jaxpr(alone, (), *(given[name] for name in names))

    return run


def source_line(eqn: Any) -> str | None:
    """Give "file.py:23" of the user's line that ran the equation, where known."""
    traceback = eqn.source_info.traceback
    frames = traceback.frames if traceback is not None else ()
    for frame in frames:
        if not any(library in frame.file_name for library in LIBRARIES):
            name = frame.file_name.rsplit("/", 1)[-1]
            return f"{name}:{frame.line_num}"
    return None
