"""What a translator of ATen operations is, and the part of a recorder that it sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch

    from fanin.frameworks._aten.call import Call
    from fanin.graph.builder import GraphBuilder


class Values(Protocol):
    """A recorder, as a translator sees it."""

    builder: GraphBuilder

    def value_of(self, tensor: torch.Tensor) -> int:
        """Give the value that a tensor is."""
        ...

    def is_still(self, value: int) -> bool:
        """Say whether a value depends on neither batch nor parameters."""
        ...

    def numbers(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Give a tensor's numbers where they are known, on the meta device too."""
        ...


Translator = Callable[["Values", "Call"], "Sequence[int]"]
"""Tells the builder of a call; gives a value for each output that it understands."""
