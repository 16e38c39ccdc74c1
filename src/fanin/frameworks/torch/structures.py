"""What tensors come in: tuples, lists, mappings of any kind, dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def parts(value: Any) -> list[tuple[str, Any]]:
    """Give what a structure holds, each with the Python that gets at it.

    >>> parts({"ids": 1, "mask": (2,)})
    [("['ids']", 1), ("['mask']", (2,))]
    >>> parts(7)
    []
    """
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, tuple | list):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return [(f".{name}", getattr(value, name)) for name in names]
    return []


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Give a structure of the same kind with every tensor and array in it changed.

    >>> mapped({"a": [torch.ones(2)], "n": 3}, lambda tensor: tensor.sum().item())
    {'a': [2.0], 'n': 3}
    """
    if isinstance(value, torch.Tensor | np.ndarray | np.generic):
        return change(value)
    held = [mapped(item, change) for _, item in parts(value)]
    return _rebuilt(value, held) if held else value


def _rebuilt(value: Any, held: Sequence[Any]) -> Any:
    """Put other items in the place of a structure's own."""
    if isinstance(value, Mapping):
        pairs = dict(zip(value, held, strict=True))
        return pairs if isinstance(value, dict) else type(value)(pairs)  # type: ignore[call-arg]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*held)
    if isinstance(value, tuple | list):
        return type(value)(held)
    made = copy(value)
    for field, item in zip(fields(value), held, strict=True):
        object.__setattr__(made, field.name, item)  # frozen or not
    return made
