"""Rows of a weight that are equal, now and after some steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch

from fanin.graph.trace import Twins

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_ROWS: Final = 4096
"""Equal rows that are followed, of each weight."""
TOLERANCE: Final = 1e-3
"""Twins have moved together if they differ by less than this share of their move.
Rounding in another order parts them by far less, another gradient by far more."""

TABLES: Final = (torch.nn.Embedding, torch.nn.EmbeddingBag)


@dataclass(frozen=True, kw_only=True)
class EqualRows:
    """Equal rows of one weight. rows: their indices. kinds: to which set each belongs.

    start: what each row was.
    """

    rows: torch.Tensor
    kinds: torch.Tensor
    start: torch.Tensor


def equal_rows(weight: torch.Tensor) -> EqualRows | None:
    """Find rows that are equal to another, bit for bit; None if there are none.

    >>> equal_rows(torch.tensor([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])).rows.tolist()
    [0, 2]
    """
    if weight.ndim < 2 or len(weight) < 2 or weight[0].numel() < 2:
        return None
    table = weight.detach().reshape(len(weight), -1)
    # Rows that are equal have equal sums of products with any numbers: these are fixed,
    # and their common multiples far apart.
    numbers = torch.arange(1, table.shape[1] + 1, device=table.device).to(table.dtype)
    marks = (table * numbers.sqrt().frac().add(0.5)).sum(dim=1)
    kinds, counts = _kinds_of(marks)
    rows = (counts[kinds] > 1).nonzero().reshape(-1)[:MOST_ROWS]
    if len(rows) == 0:
        return None
    # A product of marks may coincide by rounding: compare with the first of each set.
    held = table[rows]
    first = _firsts(kinds[rows])
    is_equal = (held == held[first]).all(dim=1)
    rows, kinds = rows[is_equal], kinds[rows][is_equal]
    kinds, counts = _kinds_of(kinds)
    rows, kinds = rows[counts[kinds] > 1], kinds[counts[kinds] > 1]
    if len(rows) == 0:
        return None
    return EqualRows(rows=rows, kinds=kinds, start=table[rows].clone())


def what_became(found: EqualRows, weight: torch.Tensor) -> Twins:
    """Count the rows that have moved and are still equal to another.

    >>> weight = torch.ones(3, 2)
    >>> found = equal_rows(weight)
    >>> what_became(found, torch.tensor([[2.0, 1.0], [2.0, 1.0], [0.0, 1.0]]))
    Twins(n_units=3, n_equal=3, n_left=2)
    """
    held = weight.detach().reshape(len(weight), -1)[found.rows].double()
    step = (held - found.start.double()).abs().amax(dim=1)
    n_left = 0
    for kind in sorted(set(found.kinds.tolist())):
        of_kind = found.kinds == kind
        rows, moved = held[of_kind], step[of_kind]
        apart = torch.cdist(rows, rows, p=float("inf"))
        apart.fill_diagonal_(float("inf"))
        is_twin = (moved > 0) & (apart.amin(dim=1) <= TOLERANCE * moved)
        n_left += int(is_twin.sum())
    return Twins(n_units=len(weight), n_equal=len(found.rows), n_left=n_left)


def innocent(model: Any, tensors: Mapping[str, torch.Tensor]) -> frozenset[str]:
    """Give the weights in which equal rows are no fault: tables, and the head.

    A row of a table that no sample asks for stays as it is; two outputs of a head that
    no sample has for its target get the same gradient. The head is the last module
    that has a weight of rows.
    """
    kept: set[int] = set()
    last: set[int] = set()
    for module in model.modules():
        own = {id(p) for p in module.parameters(recurse=False) if p.ndim > 1}
        if isinstance(module, TABLES):
            kept |= own
        elif own:
            last = own
    return frozenset(p for p, t in tensors.items() if id(t) in kept | last)


def _firsts(kinds: torch.Tensor) -> torch.Tensor:
    """Give for each entry the place of the first of its kind."""
    inverse, _ = _kinds_of(kinds)
    places = torch.arange(len(kinds), device=kinds.device)
    first = torch.full_like(places, len(kinds)).scatter_reduce(
        0, inverse, places, reduce="amin"
    )
    return first[inverse]


def _kinds_of(marks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Number the different marks: for each entry its kind, for each kind its count."""
    found = torch.unique(marks, return_inverse=True, return_counts=True)
    return found[1], found[2]
