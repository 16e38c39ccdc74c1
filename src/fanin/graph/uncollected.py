"""Pauses the garbage collector while much is made and nothing is thrown away."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the garbage collector, which finds nothing in what is being recorded.

    Left on, it walks over all that has been written down, and over every library that
    is loaded, again and again. Memory is given back all the same: what no cycle of
    references holds goes when its last reference does.

    >>> with uncollected():
    ...     print(gc.isenabled())
    False
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
