"""FAN810 equal-shards.

## What it finds
A weight that is the same block of numbers several times over, along its rows or its
columns: what comes about where each shard of a weight is drawn on its own device from
the same seed.

## Why it hurts
The blocks are copies. Units of one block compute what those of the next one do, so that
a layer spread over eight devices begins with an eighth of its units, or of its inputs.

## When it is fine
A table that a formula repeats is not reported, nor a kernel with one number a channel.
A weight widened by copying on purpose is what this rule finds: leave it out there.

## Example
    torch.manual_seed(0)                     # on every rank alike
    nn.init.normal_(shard.weight, std=0.02)  # its own rows of the weight

## Use instead
    torch.manual_seed(rank)                  # where each rank draws its own rows
    # or draw by global index, the same on any number of devices: fanin.init(model)

## Assumptions
Two to 64 blocks of two rows or columns at least, drawn numbers (no constants, no
repeated patterns within a block): by chance two blocks of k float32 numbers are equal
with probability 2⁻²⁴ᵏ. A sharded tensor of PyTorch (`DTensor`) is put together first,
which every rank must take part in.

## Source
Shoeybi et al., "Megatron-LM" (2019, arXiv 1909.08053), section 3: a seed for what is
the same on all devices, another for what differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.fan103_twin_units import twins_of
from fanin.rules.rule import Evidence, Finding, Rule, Severity
from fanin.rules.siblings import by_place
from fanin.rules.words import listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

MOST_BLOCKS = 64
LEAST_IN_BLOCK = 2
# Numbers of a block that are looked at to tell drawn numbers from a pattern.
N_LOOKED_AT = 256
AXES = ("rows", "columns")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each place whose weights are one block several times."""
    trainable = set(inspection.trainable)
    found = {
        path: (n_blocks, axis)
        for path, value in inspection.values.items()
        if path in trainable
        for n_blocks, axis in [equal_blocks(value)]
        if n_blocks > 1
    }
    forever = _twins_for_ever(inspection) if found else frozenset()
    for same in by_place(found).values():
        n_blocks, axis = found[same[0]]
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(same),
            message=f"{'It is' if len(same) == 1 else 'Each is'} one block of "
            f"{AXES[axis]} {n_blocks} times over, as shards drawn from one seed are.",
            measured=f"{n_blocks} equal blocks of {AXES[axis]}",
            expected="blocks that differ",
            why="Copied blocks do the same work: there is only one of them.",
            fix="Give each shard a stream of its own, or draw by global index: "
            "fanin.init(model, seed=0).",
            evidence=Evidence.PROVED if forever & set(same) else Evidence.MEASURED,
            paths=same,
            value=float(n_blocks),
            interval=(1.0, 1.0),
        )


def equal_blocks(value: np.ndarray) -> tuple[int, int]:
    """Give how many equal blocks an array consists of, and along which axis.

    Returns:
        (1, 0) where it does not repeat along its first axis or its second.

    >>> drawn = np.sin(np.arange(24.0) ** 2).reshape(4, 6)
    >>> equal_blocks(np.concatenate([drawn, drawn, drawn])), equal_blocks(drawn)
    ((3, 0), (1, 0))
    >>> equal_blocks(np.concatenate([drawn, drawn], axis=1))
    (2, 1)
    """
    if value.ndim < 2 or not value.size:
        return 1, 0
    for axis in (0, 1):
        along = np.moveaxis(value, axis, 0)
        # From few blocks to many: two equal halves are enough, and say the least.
        for n_blocks in range(2, min(MOST_BLOCKS, len(along) // LEAST_IN_BLOCK) + 1):
            if len(along) % n_blocks == 0 and _repeats(along, n_blocks):
                return _finest(along, n_blocks), axis
    return 1, 0


def _repeats(along: np.ndarray, n_blocks: int) -> bool:
    """Say whether an array is its first part over and over; one row decides mostly."""
    length = len(along) // n_blocks
    if not all(np.array_equal(along[0], row) for row in along[length::length]):
        return False
    block = along[:length]
    parts = (along[i : i + length] for i in range(length, len(along), length))
    return is_drawn_block(block) and all(np.array_equal(p, block) for p in parts)


def _finest(along: np.ndarray, n_blocks: int) -> int:
    """Give the most blocks that are all equal, a multiple of those known."""
    most = min(MOST_BLOCKS, len(along) // LEAST_IN_BLOCK)
    counts = range(2 * n_blocks, most + 1, n_blocks)
    finer = (n for n in counts if len(along) % n == 0 and _repeats(along, n))
    return max(finer, default=n_blocks)


def is_drawn_block(block: np.ndarray) -> bool:
    """Say whether the rows of a block differ, and its numbers were drawn.

    >>> is_drawn_block(np.tile(np.arange(8.0), (4, 1))), is_drawn_block(np.ones((2, 9)))
    (False, False)
    """
    flat = block.reshape(len(block), -1)
    if flat.shape[1] < 2 or np.array_equal(flat[0], flat[1]):
        return False
    some = flat[:2, : N_LOOKED_AT // 2].reshape(-1)
    return len(np.unique(some)) > some.size // 2


def _twins_for_ever(inspection: Inspection) -> frozenset[str]:
    """Give the parameters of units that are twins and stay so, where that is asked."""
    if inspection.measurement is None or not inspection.closure:
        return frozenset()
    groups = (g for g in inspection.unit_groups if g.is_closed)
    return frozenset(
        part.path
        for group in groups
        if (twins := twins_of(inspection, group)) is not None and twins.stay
        for part in group.slices
    )


RULE = Rule(
    code="FAN810",
    name="equal-shards",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN807",),
    needs_run=False,
)
