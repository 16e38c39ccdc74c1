"""The model that somebody brought from the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A model and what it is run on; the browser can name neither.

    name: as the command line has it. batch, loss, target, factory: as `fanin.check`
    takes them. remarks: what a reader should know of how the model came to be.
    """

    name: str
    model: Any
    batch: Any = None
    loss: Any = None
    target: Any = None
    factory: Callable[[], Any] | None = None
    remarks: tuple[str, ...] = ()
