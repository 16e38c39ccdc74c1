"""Values through which no signal flows: constants, masks and indices.

A value is still if it depends on neither batch nor parameters, or only by way of whole
numbers: the index of an expert, a mask of padding, a position counted from token ids.
No gradient passes through it and its size is no activation's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from fanin.frameworks._aten.shaping import VIEWS
from fanin.graph.draft import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fanin.frameworks._aten.call import Call
    from fanin.graph.builder import GraphBuilder

MOVERS: Final = frozenset(VIEWS) | {
    "_to_copy",
    "alias",
    "cat",
    "clone",
    "constant_pad_nd",
    "contiguous",
    "copy",
    "detach",
    "flip",
    "gather",
    "index",
    "lift",
    "lift_fresh",
    "lift_fresh_copy",
    "repeat",
    "roll",
    "stack",
}
"""Operations that give whole numbers as they were, in another place."""


class Stillness:
    """Remembers which of a builder's values are still, and which are whole numbers."""

    def __init__(self, builder: GraphBuilder) -> None:
        self._builder = builder
        self._still: set[int] = set()
        self._indices: set[int] = set()

    def is_still(self, value: int) -> bool:
        """Say whether a value depends on neither batch nor parameters."""
        return value in self._still or self._builder.drafts[value].kind is Kind.CONSTANT

    def is_index(self, value: int) -> bool:
        """Say whether a value is whole numbers of the batch, moved or counted on."""
        draft = self._builder.drafts[value]
        is_given = draft.kind is Kind.INPUT and bool(draft.settings["is_index"])
        return is_given or value in self._indices

    def note(self, call: Call, read: Sequence[int], made: Iterable[int]) -> None:
        """Remember what follows for an operation's outputs from what it read."""
        if call.is_random:
            return
        if all(self.is_still(value) for value in read):
            self._still.update(made)
        elif self._has_whole_outputs(call) and self._reads_indices(call, read):
            self._indices.update(made)

    def counts(self, call: Call, read: Sequence[int], *, is_pointwise: bool) -> bool:
        """Say whether a call makes a mask or an index out of whole numbers alone."""
        if not read or call.name in MOVERS or not self._has_whole_outputs(call):
            return False
        if is_pointwise and call.outputs[0].dtype != torch.bool:
            return False
        return self._reads_indices(call, read)

    def _reads_indices(self, call: Call, read: Sequence[int]) -> bool:
        return all(is_whole(tensor) for tensor in call.tensors) and all(
            self.is_still(value) or self.is_index(value) for value in read
        )

    def _has_whole_outputs(self, call: Call) -> bool:
        return all(is_whole(output) for output in call.outputs)


def is_whole(tensor: torch.Tensor) -> bool:
    """Say whether a tensor holds whole numbers or truth values.

    >>> is_whole(torch.tensor([True])), is_whole(torch.tensor([1.0]))
    (True, False)
    """
    return not (tensor.is_floating_point() or tensor.is_complex())
