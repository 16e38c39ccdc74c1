"""What a TARGET gives: a model, how to build it again, and what to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was said beside TARGET.

    arch: opens the TARGET that builds the model whose weights are in a file. blocks:
    build only so many blocks of each stack of a config. is_weightless: the model's
    parameters will take no memory.
    """

    arch: Callable[[], Opened] | None = None
    blocks: int | None = None
    is_weightless: bool = False


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A model that a TARGET named.

    factory: builds it anew, where the TARGET says how; None for an object or a file.
    remarks: what a reader of a report should know of how it came to be.
    """

    model: Any
    factory: Callable[[], Any] | None = None
    remarks: tuple[str, ...] = ()
