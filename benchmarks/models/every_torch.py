"""All models that PyTorch runs: those built here and those of ``transformers``."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from benchmarks.models import torch, transformers

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def zoo() -> dict[str, Callable[[], tuple[Any, Any]]]:
    """Give a builder of (model, batch) for each model, by name."""
    return {**torch.zoo(), **transformers.zoo()}


@cache
def kinds() -> dict[str, str]:
    """Say what kind of net each model is."""
    return torch.kinds() | transformers.kinds()
