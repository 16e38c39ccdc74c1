"""Laws of 32 bits in LLVM code, and rounding to 16. `narrow` is the specification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fanin.sampler.llvm import MASK_32, Code, Lanes, vector
from fanin.sampler.narrow import UNIFORM_BITS
from fanin.sampler.recipe import TRUNCATED, UNIFORM

MAGNITUDE: Final = 0x7FFFFFFF
BIAS: Final = 127
SEGMENT_BITS: Final = 7


@dataclass(frozen=True, kw_only=True)
class Narrow:
    """What float32 numbers are made with: the lanes, and constants laid into them.

    lanes: of 32 bits, one a number. table: where octave −BIAS would be.
    """

    lanes: Lanes
    first: str
    left: str
    limit: str
    factor: str
    times: str
    table: str

    @classmethod
    def of(cls, code: Code, count: int) -> Narrow:
        """Write the constants, once before the loop."""
        table = f"getelementptr i64, ptr %table, i64 {-(BIAS << SEGMENT_BITS)}"
        return cls(
            lanes=Lanes(code, count, 32),
            first=code.spread(_short(code, "%first"), count, "i32"),
            left=code.spread("%left", count // 2, "i64"),
            limit=code.spread(_short(code, "%limit"), count, "i32"),
            factor=_single(code, "%factor", count),
            times=_single(code, "%times", count),
            table=code.let(table),
        )

    def numbers(self, kind: int, words: str) -> str:
        """Write the float32 numbers of a law."""
        lanes = self.lanes
        code, floats = lanes.code, vector(lanes.count, "float")
        if kind == UNIFORM:
            doubled = lanes.left(lanes.right(words, 8), 1)
            units = lanes.add(doubled, 1 - 2**UNIFORM_BITS)
        else:
            magnitude = lanes.both(words, MAGNITUDE)
            if kind == TRUNCATED:
                magnitude = self._squeezed(magnitude)
            height = self._height(magnitude)
            height = lanes.choose("ult", (height, self.limit), (height, self.limit))
            minus = lanes.signs(words)
            units = lanes.sub(lanes.differ(height, minus), minus)
        number = code.cast("sitofp", units, lanes.type, floats)
        scaled = code.let(f"fmul {floats} {number}, {self.factor}")
        return code.let(f"fmul {floats} {scaled}, {self.times}")

    def _squeezed(self, magnitude: str) -> str:
        """Write first + ⌊magnitude · left / 2³¹⌋, products of 62 bits."""
        lanes = self.lanes
        wide, even, odd = _halves(lanes, magnitude)
        left = wide.both(self.left, MASK_32)  # so that LLVM knows it for a half
        even, odd = (wide.right(wide.mul(x, left), 31) for x in (even, odd))
        both = wide.either(even, wide.left(odd, 32))
        shares = lanes.code.cast("bitcast", both, wide.type, lanes.type)
        return lanes.add(shares, self.first)

    def _height(self, magnitude: str) -> str:
        """Write |z| in Q4.28: octave, segment, offset, and a straight line."""
        lanes = self.lanes
        code, floats = lanes.code, vector(lanes.count, "float")
        after = lanes.differ(lanes.right(magnitude, 1), -1)
        leading = lanes.either(lanes.both(magnitude, after), 1)
        as_float = code.cast("sitofp", leading, lanes.type, floats)
        bits = code.cast("bitcast", as_float, floats, lanes.type)
        octave = lanes.right(bits, 23)  # plus BIAS, which the table's start takes off
        shifted = lanes.left(magnitude, lanes.sub(BIAS + 31, octave))
        fraction = lanes.both(shifted, MAGNITUDE)
        rough = lanes.left(octave, SEGMENT_BITS)
        segment = lanes.add(lanes.right(fraction, 24), rough)
        offset = lanes.both(lanes.right(fraction, 9), 0x7FFF)
        wide, *segments = _halves(lanes, segment)
        _, *offsets = _halves(lanes, offset)
        heights = []
        for at, by in zip(segments, offsets, strict=True):
            entry = wide.gathered(self.table, at)
            drop = wide.right(wide.mul(wide.right(entry, 32), by), 11)
            heights.append(wide.sub(entry, drop))
        even, odd = heights
        both = wide.either(wide.both(even, MASK_32), wide.left(odd, 32))
        return code.cast("bitcast", both, wide.type, lanes.type)


def rounded(lanes: Lanes, dtype: str, numbers: str) -> tuple[str, str]:
    """Write float32 numbers as they are stored: the vector's type, and its name."""
    code, floats = lanes.code, vector(lanes.count, "float")
    if dtype == "float32":
        return floats, numbers
    bits = code.cast("bitcast", numbers, floats, lanes.type)
    short = (_bfloat16 if dtype == "bfloat16" else _float16)(lanes, bits)
    kind = vector(lanes.count, "i16")
    return kind, code.cast("trunc", short, lanes.type, kind)


def _bfloat16(lanes: Lanes, bits: str) -> str:
    """Round the bits of float32 to the upper 16, ties to even."""
    odd = lanes.both(lanes.right(bits, 16), 1)
    return lanes.right(lanes.add(bits, lanes.add(odd, 0x7FFF)), 16)


def _float16(lanes: Lanes, bits: str) -> str:
    """Round the bits of float32 to float16, ties to even; none is too large.

    Below 2⁻¹⁴ the sum with ½ rounds to the multiples of 2⁻²⁴ that float16 has there.
    """
    code, floats = lanes.code, vector(lanes.count, "float")
    size = lanes.both(bits, MAGNITUDE)
    odd = lanes.both(lanes.right(size, 13), 1)
    sum_of_both = lanes.add(lanes.add(size, odd), 0xFFF - (112 << 23))
    normal = lanes.right(sum_of_both, 13)
    as_float = code.cast("bitcast", size, lanes.type, floats)
    halves = "<" + ", ".join(["float 0.5"] * lanes.count) + ">"
    summed = code.let(f"fadd {floats} {as_float}, {halves}")
    small = lanes.sub(code.cast("bitcast", summed, floats, lanes.type), 0x3F000000)
    number = lanes.choose("ult", (size, 0x38800000), (small, normal))
    sign = lanes.both(lanes.right(bits, 16), 0x8000)
    return lanes.either(number, sign)


def _short(code: Code, argument: str) -> str:
    """Write the lower half of an argument of 64 bits."""
    return code.let(f"trunc i64 {argument} to i32")


def _single(code: Code, argument: str, count: int) -> str:
    """Lay an argument, a double, into all lanes as float32."""
    return code.spread(code.let(f"fptrunc double {argument} to float"), count, "float")


def _halves(lanes: Lanes, value: str) -> tuple[Lanes, str, str]:
    """Give the even and the odd lanes, each in 64 bits."""
    wide = Lanes(lanes.code, lanes.count // 2, 64)
    pairs = lanes.code.cast("bitcast", value, lanes.type, wide.type)
    return wide, wide.both(pairs, MASK_32), wide.right(pairs, 32)
