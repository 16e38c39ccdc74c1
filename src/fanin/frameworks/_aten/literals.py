"""Numbers written in Python, kept from being lost on the meta device.

``torch.tensor([1, 0], device="meta")`` and ``ids[:, [-1, 0]]`` make a tensor below the
dispatcher: a recorder sees a meta tensor without a history. Here it is made on the CPU
and moved, which is an operation that can be followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MAKERS: Final = frozenset({torch.tensor, torch.as_tensor, torch.asarray})
_INDEXERS: Final = frozenset({torch.Tensor.__getitem__, torch.Tensor.__setitem__})


class Literals(TorchFunctionMode):
    """Makes tensors of Python numbers on the CPU first, while it is entered.

    >>> with Literals():
    ...     torch.tensor([1, 2], device="meta").device.type
    'meta'
    """

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the function, literals in its arguments made on the CPU."""
        del types
        keywords = dict(kwargs or {})
        if func in _MAKERS and _is_meta(keywords.get("device")):
            made = func(*args, **{**keywords, "device": "cpu"})
            return made.to("meta")
        if func is torch.Tensor.new_tensor and args[0].is_meta:
            device = keywords.pop("device", "meta")
            keywords.setdefault("dtype", args[0].dtype)
            return torch.tensor(*args[1:], **keywords).to(device)
        if func in _INDEXERS and args[0].is_meta:
            args = (args[0], _index(args[1]), *args[2:])
        return func(*args, **keywords)


def _is_meta(device: Any) -> bool:
    return device is not None and torch.device(device).type == "meta"


def _index(index: Any) -> Any:
    """Give an index with its lists of numbers as tensors on the CPU."""
    if isinstance(index, tuple):
        return tuple(_index(item) for item in index)
    is_list = isinstance(index, list) and bool(index)
    if is_list and all(isinstance(item, int) for item in index):
        return torch.tensor(index)
    return index
