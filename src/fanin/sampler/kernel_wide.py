"""Laws of 64 bits in LLVM code. `wide` is the specification: the same operations.

No processor multiplies vectors of 64 bits into 128, so products are made of halves, as
at school; the table's coefficients of one segment lie side by side, in one line of the
cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fanin.sampler.llvm import MASK_32, Code, Lanes, vector
from fanin.sampler.recipe import TRUNCATED, UNIFORM
from fanin.sampler.wide import UNIFORM_BITS

MAGNITUDE: Final = 2**63 - 1
BIAS: Final = 1023
SEGMENT_BITS: Final = 6
POWERS: Final = 7
"""Coefficients of a segment, power 0 first."""

STRIDE: Final = 8
"""Numbers of the table that a segment takes: the coefficients, and one unused."""


@dataclass(frozen=True, kw_only=True)
class Wide:
    """What float64 numbers are made with: the lanes, and constants laid into them."""

    lanes: Lanes
    first: str
    left: str
    limit: str
    factor: str
    times: str
    table: str

    @classmethod
    def of(cls, code: Code, count: int) -> Wide:
        """Write the constants, once before the loop."""
        start = -(BIAS << SEGMENT_BITS) * STRIDE
        return cls(
            lanes=Lanes(code, count, 64),
            first=code.spread("%first", count, "i64"),
            left=code.spread("%left", count, "i64"),
            limit=code.spread("%limit", count, "i64"),
            factor=code.spread("%factor", count, "double"),
            times=code.spread("%times", count, "double"),
            table=code.let(f"getelementptr i64, ptr %table, i64 {start}"),
        )

    def numbers(self, kind: int, first_words: str, second_words: str) -> str:
        """Write the float64 numbers of a law.

        Args:
            kind: NORMAL, TRUNCATED or UNIFORM.
            first_words: of each element, in the lower halves of the lanes.
            second_words: those of plane 1; what the upper halves hold is not read.
        """
        lanes = self.lanes
        code, doubles = lanes.code, vector(lanes.count, "double")
        low = lanes.both(second_words, MASK_32)
        words = lanes.either(lanes.left(first_words, 32), low)
        if kind == UNIFORM:
            doubled = lanes.left(lanes.right(words, 11), 1)
            units = lanes.add(doubled, 1 - 2**UNIFORM_BITS)
        else:
            magnitude = lanes.both(words, MAGNITUDE)
            if kind == TRUNCATED:
                share = self._high_product(lanes.left(magnitude, 1), self.left)
                magnitude = lanes.add(self.first, share)
            height = self._height(magnitude)
            if kind == TRUNCATED:
                limit = self.limit
                height = lanes.choose("slt", (height, limit), (height, limit))
            minus = lanes.signs(words)
            units = lanes.sub(lanes.differ(height, minus), minus)
        number = code.cast("sitofp", units, lanes.type, doubles)
        scaled = code.let(f"fmul {doubles} {number}, {self.factor}")
        return code.let(f"fmul {doubles} {scaled}, {self.times}")

    def _height(self, magnitude: str) -> str:
        """Write |z| in Q4.59: octave, segment, and Horner's rule on six powers."""
        lanes = self.lanes
        code, doubles = lanes.code, vector(lanes.count, "double")
        after = lanes.differ(lanes.right(magnitude, 1), -1)
        leading = lanes.either(lanes.both(magnitude, after), 1)
        as_float = code.cast("sitofp", leading, lanes.type, doubles)
        bits = code.cast("bitcast", as_float, doubles, lanes.type)
        octave = lanes.right(bits, 52)  # plus BIAS, which the table's start takes off
        shifted = lanes.left(magnitude, lanes.sub(BIAS + 63, octave))
        fraction = lanes.left(shifted, 1)
        rough = lanes.left(octave, SEGMENT_BITS)
        segment = lanes.add(lanes.right(fraction, 58), rough)
        position = lanes.left(fraction, 6)
        entry = lanes.mul(segment, STRIDE)
        height = lanes.gathered(self.table, lanes.add(entry, POWERS - 1))
        for power in reversed(range(POWERS - 1)):
            coefficient = lanes.gathered(self.table, lanes.add(entry, power))
            product = self._high_product(height, position)
            negative = lanes.both(lanes.signs(height), position)
            height = lanes.add(coefficient, lanes.sub(product, negative))
        return height

    def _high_product(self, one: str, other: str) -> str:
        """Write ⌊one · other / 2⁶⁴⌋ of unsigned numbers, as at school, in halves."""
        lanes = self.lanes
        one_high, one_low = lanes.right(one, 32), lanes.both(one, MASK_32)
        other_high, other_low = lanes.right(other, 32), lanes.both(other, MASK_32)
        lowest = lanes.right(lanes.mul(one_low, other_low), 32)
        middle = lanes.add(lanes.mul(one_high, other_low), lowest)
        rest = lanes.add(lanes.mul(one_low, other_high), lanes.both(middle, MASK_32))
        highest = lanes.add(lanes.mul(one_high, other_high), lanes.right(middle, 32))
        return lanes.add(highest, lanes.right(rest, 32))
