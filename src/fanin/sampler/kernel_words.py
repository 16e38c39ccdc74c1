"""Philox in LLVM code: the words of many blocks, or of listed elements.

Every 32-bit word is kept in a lane of 64, so that one instruction multiplies without
moving halves about; what the upper halves hold is never read. `philox` is the
specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fanin.sampler.llvm import MASK_32, Code, Lanes
from fanin.sampler.philox import MULTIPLIERS, ROUNDS, WEYL

BLOCKS: Final = 32
"""Philox blocks at a time, each of four words."""

Four = tuple[str, str, str, str]


@dataclass(frozen=True, kw_only=True)
class Philox:
    """The ten rounds, with the keys of every round in all lanes.

    lanes: of 64 bits, one a block. keys: two a round.
    """

    lanes: Lanes
    keys: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, code: Code) -> Philox:
        """Write the keys, once before the loop."""
        keys, pair = [], ("%key_0", "%key_1")
        for _ in range(ROUNDS):
            one, other = (code.spread(key, BLOCKS, "i64") for key in pair)
            keys.append((one, other))
            steps = zip(pair, WEYL, strict=True)
            first, second = (code.let(f"add i64 {key}, {step}") for key, step in steps)
            pair = (first, second)
        return cls(lanes=Lanes(code, BLOCKS, 64), keys=tuple(keys))

    def words(self, number: str, plane: int = 0) -> Four:
        """Write the four words of each block, in the lower halves of the lanes.

        Of a counter (number, plane, 0) the first round multiplies a constant.
        """
        lanes = self.lanes
        (key_0, key_1), *later = self.keys
        product_1 = int(MULTIPLIERS[1]) * plane
        product_0 = lanes.mul(lanes.both(number, MASK_32), int(MULTIPLIERS[0]))
        low = lanes.differ(lanes.right(number, 32), key_0)
        first = lanes.differ(low, product_1 >> 32) if plane else low
        second = lanes.both(number, 0)
        if plane:
            second = lanes.either(second, product_1 & MASK_32)
        third = lanes.differ(lanes.right(product_0, 32), key_1)
        fourth = product_0
        for one, other in later:
            first, second, third, fourth = self._turn(
                (first, second, third, fourth), one, other
            )
        return first, second, third, fourth

    def _turn(self, words: Four, key_0: str, key_1: str) -> Four:
        lanes = self.lanes
        first, second, third, fourth = words
        product_0 = lanes.mul(lanes.both(first, MASK_32), int(MULTIPLIERS[0]))
        product_1 = lanes.mul(lanes.both(third, MASK_32), int(MULTIPLIERS[1]))
        low = lanes.differ(lanes.differ(lanes.right(product_1, 32), second), key_0)
        high = lanes.differ(lanes.right(product_0, 32), fourth)
        return low, product_1, lanes.differ(high, key_1), product_0

    def of_listed(self, index: str, plane: int = 0) -> str:
        """Write the word of each listed element: one of the four of its block."""
        lanes = self.lanes
        a, b, c, d = self.words(lanes.right(index, 2), plane)
        bit_0, bit_1 = lanes.both(index, 1), lanes.both(index, 2)
        low = lanes.choose("eq", (bit_0, 0), (a, b))
        high = lanes.choose("eq", (bit_0, 0), (c, d))
        return lanes.choose("eq", (bit_1, 0), (low, high))


def in_order(code: Code, words: Four) -> list[str]:
    """Lay the words of `BLOCKS` blocks in order: two vectors of 2·BLOCKS lanes."""
    wide, narrow = Lanes(code, BLOCKS, 64), Lanes(code, 2 * BLOCKS, 32)
    a, b, c, d = (code.cast("bitcast", w, wide.type, narrow.type) for w in words)
    low, high = (
        code.cast("bitcast", _joined(code, *pair), narrow.type, wide.type)
        for pair in ((a, b), (c, d))
    )
    halves = []
    for half in range(2):
        start_at = half * BLOCKS // 2
        order = [start_at + i // 2 + i % 2 * BLOCKS for i in range(BLOCKS)]
        mixed = code.shuffle(low, high, order, "i64")
        halves.append(code.cast("bitcast", mixed, wide.type, narrow.type))
    return halves


def _joined(code: Code, even: str, odd: str) -> str:
    """Take the lower half of every 64-bit lane, of two vectors by turns."""
    n = 2 * BLOCKS
    return code.shuffle(even, odd, [i // 2 * 2 + i % 2 * n for i in range(n)], "i32")
