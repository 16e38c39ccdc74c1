"""Which value of the builder each tensor is, through views and writing in place."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.frameworks._aten.memory import (
    Cut,
    cut_of,
    footprint,
    overlaps,
    same_numbers,
    storage_of,
)
from fanin.frameworks._aten.mosaic import Mosaic
from fanin.graph.draft import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from fanin.graph.builder import GraphBuilder


@dataclass(kw_only=True)
class Entry:
    """What is known of one tensor, which is held so that its identity stays its own.

    value: None as long as it is not asked for: then it is what ``later`` gives.
    mosaic: parts that were written since.
    """

    tensor: torch.Tensor
    value: int | None
    later: Callable[[], int] | None = None
    mosaic: Mosaic | None = None


class Ledger:
    """Follows tensors by identity and by memory.

    builder: gets the primitives that join or cut what was written in part.
    leaf: gives the value of a tensor of which nothing is known. blanks: values of
    memory that nothing was written to yet.
    """

    def __init__(
        self, builder: GraphBuilder, leaf: Callable[[torch.Tensor], int]
    ) -> None:
        self.builder = builder
        self.leaf = leaf
        self.blanks: set[int] = set()
        self._entries: dict[int, Entry] = {}
        self._by_storage: dict[int, list[Entry]] = {}

    def announce(self, tensor: torch.Tensor, value: int) -> None:
        """Say which value a tensor is."""
        entry = self._entries.get(id(tensor))
        if entry is None:
            entry = Entry(tensor=tensor, value=value)
            self._enter(entry)
        entry.value, entry.later, entry.mosaic = value, None, None

    def announce_later(self, tensor: torch.Tensor, later: Callable[[], int]) -> None:
        """Say how to find a new tensor's value when it is asked for."""
        self._enter(Entry(tensor=tensor, value=None, later=later))

    def _enter(self, entry: Entry) -> None:
        self._entries[id(entry.tensor)] = entry
        self._by_storage.setdefault(storage_of(entry.tensor), []).append(entry)

    def value_of(self, tensor: torch.Tensor) -> int:
        """Give the value that a tensor is."""
        entry = self._entries.get(id(tensor))
        if entry is not None:
            return self._settled(entry)
        known = self._alias_of(tensor)
        value = self.leaf(tensor) if known is None else self._settled(known)
        self.announce(tensor, value)
        return value

    def part_of(self, tensor: torch.Tensor, part: torch.Tensor) -> int | None:
        """Give the value of a slice of a tensor that is being filled, if it has one."""
        entry = self._entries.get(id(tensor))
        if entry is None or entry.mosaic is None:
            return None
        cut = cut_of(tensor, part)
        if cut is None:
            return None
        return entry.mosaic.part_over(self.builder, cut, tuple(part.shape))

    def is_unsettled(self, tensor: torch.Tensor) -> bool:
        """Say whether a tensor's value would have to be put together to be read."""
        entry = self._entries.get(id(tensor))
        return entry is not None and (entry.value is None or entry.mosaic is not None)

    def _settled(self, entry: Entry) -> int:
        if entry.value is None and entry.later is not None:
            entry.value, entry.later = entry.later(), None
        if entry.mosaic is not None:
            entry.value = entry.mosaic.value(self.builder)
            entry.mosaic = None
        return entry.value or 0

    def _alias_of(self, tensor: torch.Tensor) -> Entry | None:
        """Find a known tensor that is the same numbers under another Python object."""
        for entry in self._by_storage.get(storage_of(tensor), ()):
            if same_numbers(entry.tensor, tensor):
                return entry
        return None

    def overwrite(self, tensor: torch.Tensor, value: int, name: str) -> None:
        """Give a tensor a new value, and tell the tensors that share its memory."""
        for entry in tuple(self._by_storage.get(storage_of(tensor), ())):
            other = entry.tensor
            if other is tensor or entry.value is None:
                continue  # a view that nobody has read yet finds the new numbers
            if same_numbers(other, tensor):
                self.announce(other, value)
            elif (cut := cut_of(other, tensor)) is not None:
                self._write_part(entry, cut, value, name)
            elif (cut := cut_of(tensor, other)) is not None:
                self.announce(other, self._part(value, cut, other, name))
            elif overlaps(other, tensor):
                self.announce(other, self._mixed(entry, tensor, value, name))
        self.announce(tensor, value)

    def _mixed(self, entry: Entry, part: torch.Tensor, value: int, name: str) -> int:
        """Give the value of a tensor of which some block is written: a sum by masks.

        What was never written before is still to be filled: it counts for nothing.
        """
        builder, shape = self.builder, tuple(entry.tensor.shape)
        old = self._settled(entry)
        is_within = prod(shape) >= prod(builder.shape(value)) > 0
        if old in self.blanks and is_within:
            return builder.pick(name, value, shape)
        written = footprint(entry.tensor, part) if is_within else None
        if written is None:
            return builder.opaque(name, [old, value], shape)
        new = value
        if builder.shape(value) != shape:
            new = builder.pick(name, value, shape)
        parts = [
            builder.pointwise(
                name,
                [held, builder.constant(mask.astype(np.float64))],
                np.multiply,
                rule="multiply",
            )
            for held, mask in ((new, written), (old, ~written))
            if not self._is_zero(held)
        ]
        if len(parts) < 2:
            return parts[0] if parts else old
        return builder.pointwise(name, parts, np.add, rule="add")

    def _is_zero(self, value: int) -> bool:
        draft = self.builder.drafts[value]
        if draft.kind is not Kind.CONSTANT or draft.value is None:
            return False
        return draft.value.size > 0 and not draft.value.any()

    def _write_part(self, entry: Entry, cut: Cut, value: int, name: str) -> None:
        if entry.mosaic is None or not entry.mosaic.takes(cut):
            base = self._settled(entry)
            shape = tuple(entry.tensor.shape)
            entry.mosaic = Mosaic(base=base, shape=shape, axis=cut.axis, name=name)
        entry.mosaic.parts[cut.entries] = (cut, value)

    def _part(self, value: int, cut: Cut, part: torch.Tensor, name: str) -> int:
        return self.builder.pick(
            name,
            value,
            tuple(part.shape),
            axis=cut.axis,
            start=cut.start,
            step=cut.step,
            is_dropped=cut.is_dropped,
        )
