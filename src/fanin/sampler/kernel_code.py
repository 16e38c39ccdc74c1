"""The kernels in LLVM code: Philox words, and the laws of 32 bits, for any processor.

Every 32-bit word is kept in a lane of 64, so that one instruction multiplies without
moving halves about; what the upper halves hold is never read. Tables are read with
gathers. `oracle` is the specification: the same operations, in NumPy.
"""

from __future__ import annotations

from typing import Final

from fanin.sampler.llvm import MASK_32, Code, Lanes, listed, vector
from fanin.sampler.narrow import UNIFORM_BITS
from fanin.sampler.philox import MULTIPLIERS, ROUNDS, WEYL
from fanin.sampler.recipe import NORMAL, TRUNCATED, UNIFORM

BLOCKS: Final = 32
"""Philox blocks at a time, each of four words."""

NUMBERS: Final = 4 * BLOCKS
"""Numbers that one turn of the loop writes where they lie side by side."""

KINDS: Final = {NORMAL: "normal", TRUNCATED: "truncated", UNIFORM: "uniform"}
STORED: Final = {"float32": "float", "float16": "i16", "bfloat16": "i16"}
MAGNITUDE: Final = 0x7FFFFFFF
BIAS: Final = 127
SEGMENT_BITS: Final = 7

ARGUMENTS: Final = (
    "ptr noalias readonly %where, i64 %number, i64 %key_0, i64 %key_1, i32 %first, "
    "i64 %left, i32 %limit, float %factor, ptr noalias readonly %table, "
    "ptr noalias %out, i64 %turns"
)
"""where: indices (of a span: not read). number: of the first block (of a list: not
read). first, left, limit: of a cut. table: slope · 2³² + base, a segment an entry."""


def kernel_name(kind: int, dtype: str, *, is_span: bool) -> str:
    """Name a kernel.

    >>> kernel_name(NORMAL, "float32", is_span=True)
    'span_normal_float32'
    """
    return f"{'span' if is_span else 'list'}_{KINDS[kind]}_{dtype}"


def kernel_code(kind: int, dtype: str, *, is_span: bool) -> str:
    """Write a kernel: a loop, each turn of which writes a group of numbers.

    Args:
        kind: NORMAL, TRUNCATED or UNIFORM.
        dtype: float32, float16 or bfloat16; the last two are rounded once.
        is_span: `NUMBERS` numbers a turn that lie side by side, from a block on; else
            `BLOCKS` numbers a turn, at listed indices.
    """
    code = Code()
    keys = _keys(code)
    constants = {
        "first": code.spread("%first", 2 * BLOCKS, "i32"),
        "left": code.spread("%left", BLOCKS, "i64"),
        "limit": code.spread("%limit", 2 * BLOCKS, "i32"),
        "factor": code.spread("%factor", 2 * BLOCKS, "float"),
    }
    if not is_span:
        constants = _halved(code, constants)
    table = f"getelementptr i64, ptr %table, i64 {-(BIAS << SEGMENT_BITS)}"
    constants["table"] = code.let(table)
    before, code.lines = code.lines, []
    if is_span:
        groups = _span(code, keys)
        lanes = Lanes(code, 2 * BLOCKS, 32)
    else:
        groups = [_listed(code, keys)]
        lanes = Lanes(code, BLOCKS, 32)
    for place, words in enumerate(groups):
        numbers = _numbers(lanes, kind, words, constants)
        _store(lanes, dtype, numbers, place * lanes.count)
    return _loop(kernel_name(kind, dtype, is_span=is_span), dtype, before, code.lines)


def _halved(code: Code, constants: dict[str, str]) -> dict[str, str]:
    """Lay the constants into half as many lanes."""
    kinds = {"first": "i32", "limit": "i32", "factor": "float"}
    halves = {n: code.spread(f"%{n}", BLOCKS, kind) for n, kind in kinds.items()}
    return {**constants, **halves, "left": code.spread("%left", BLOCKS // 2, "i64")}


def _keys(code: Code) -> list[tuple[str, str]]:
    """Lay the two keys of every round into all lanes, before the loop."""
    keys, pair = [], ("%key_0", "%key_1")
    for _ in range(ROUNDS):
        one, other = (code.spread(key, BLOCKS, "i64") for key in pair)
        keys.append((one, other))
        steps = zip(pair, WEYL, strict=True)
        first, second = (code.let(f"add i64 {key}, {step}") for key, step in steps)
        pair = (first, second)
    return keys


def _philox(lanes: Lanes, number: str, keys: list[tuple[str, str]]) -> list[str]:
    """Write ten rounds: the four words of each block, in the lower halves."""
    first, second = number, lanes.right(number, 32)
    third: str | None = None
    fourth = ""
    for key_0, key_1 in keys:
        product_0 = lanes.mul(lanes.both(first, MASK_32), int(MULTIPLIERS[0]))
        if third is None:  # of a counter below 2⁶⁴ two words are 0
            low, high = lanes.differ(second, key_0), lanes.right(product_0, 32)
            second, third = lanes.both(number, 0), lanes.differ(high, key_1)
        else:
            product_1 = lanes.mul(lanes.both(third, MASK_32), int(MULTIPLIERS[1]))
            low = lanes.differ(lanes.differ(lanes.right(product_1, 32), second), key_0)
            high = lanes.differ(lanes.right(product_0, 32), fourth)
            second, third = product_1, lanes.differ(high, key_1)
        first, fourth = low, product_0
    return [first, second, str(third), fourth]


def _span(code: Code, keys: list[tuple[str, str]]) -> list[str]:
    """Write the words of `BLOCKS` blocks in their order, in two vectors."""
    wide, narrow = Lanes(code, BLOCKS, 64), Lanes(code, 2 * BLOCKS, 32)
    start = code.spread("%n", BLOCKS, "i64")
    number = wide.add(start, listed("i64", range(BLOCKS)))
    a, b, c, d = (
        code.cast("bitcast", word, wide.type, narrow.type)
        for word in _philox(wide, number, keys)
    )
    low = _joined(code, a, b)
    high = _joined(code, c, d)
    low, high = (
        code.cast("bitcast", pair, narrow.type, wide.type) for pair in (low, high)
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


def _listed(code: Code, keys: list[tuple[str, str]]) -> str:
    """Write the word of each listed element: one of the four of its block."""
    wide = Lanes(code, BLOCKS, 64)
    at = code.let("getelementptr i64, ptr %where, i64 %done")
    index = code.let(f"load {wide.type}, ptr {at}, align 8")
    a, b, c, d = _philox(wide, wide.right(index, 2), keys)
    bit_0, bit_1 = wide.both(index, 1), wide.both(index, 2)
    low = wide.choose("eq", (bit_0, 0), (a, b))
    high = wide.choose("eq", (bit_0, 0), (c, d))
    word = wide.choose("eq", (bit_1, 0), (low, high))
    return code.cast("trunc", word, wide.type, vector(BLOCKS, "i32"))


def _numbers(lanes: Lanes, kind: int, words: str, constants: dict[str, str]) -> str:
    """Write the float32 numbers of a law."""
    code, floats = lanes.code, vector(lanes.count, "float")
    if kind == UNIFORM:
        doubled = lanes.left(lanes.right(words, 8), 1)
        units = lanes.add(doubled, 1 - 2**UNIFORM_BITS)
    else:
        magnitude = lanes.both(words, MAGNITUDE)
        if kind == TRUNCATED:
            magnitude = _squeezed(lanes, magnitude, constants)
        height = _height(lanes, magnitude, constants["table"])
        limit = constants["limit"]
        height = lanes.choose("ult", (height, limit), (height, limit))
        minus = lanes.signs(words)
        units = lanes.sub(lanes.differ(height, minus), minus)
    number = code.cast("sitofp", units, lanes.type, floats)
    return code.let(f"fmul {floats} {number}, {constants['factor']}")


def _halves(lanes: Lanes, value: str) -> tuple[Lanes, str, str]:
    """Give the even and the odd lanes, each in 64 bits."""
    wide = Lanes(lanes.code, lanes.count // 2, 64)
    pairs = lanes.code.cast("bitcast", value, lanes.type, wide.type)
    return wide, wide.both(pairs, MASK_32), wide.right(pairs, 32)


def _squeezed(lanes: Lanes, magnitude: str, constants: dict[str, str]) -> str:
    """Write first + ⌊magnitude · left / 2³¹⌋, products of 62 bits."""
    wide, even, odd = _halves(lanes, magnitude)
    left = wide.both(constants["left"], MASK_32)  # so that LLVM knows it for a half
    even, odd = (wide.right(wide.mul(x, left), 31) for x in (even, odd))
    both = wide.either(even, wide.left(odd, 32))
    shares = lanes.code.cast("bitcast", both, wide.type, lanes.type)
    return lanes.add(shares, constants["first"])


def _height(lanes: Lanes, magnitude: str, table: str) -> str:
    """Write |z| in Q4.28: octave, segment, offset, and a straight line."""
    code, floats = lanes.code, vector(lanes.count, "float")
    after = lanes.differ(lanes.right(magnitude, 1), -1)
    leading = lanes.either(lanes.both(magnitude, after), 1)
    as_float = code.cast("sitofp", leading, lanes.type, floats)
    bits = code.cast("bitcast", as_float, floats, lanes.type)
    octave = lanes.right(bits, 23)  # plus BIAS, which the table's start takes off
    shifted = lanes.left(magnitude, lanes.sub(BIAS + 31, octave))
    fraction = lanes.both(shifted, MAGNITUDE)
    segment = lanes.add(lanes.right(fraction, 24), lanes.left(octave, SEGMENT_BITS))
    offset = lanes.both(lanes.right(fraction, 9), 0x7FFF)
    wide, *segments = _halves(lanes, segment)
    _, *offsets = _halves(lanes, offset)
    heights = []
    for at, by in zip(segments, offsets, strict=True):
        entry = _gathered(wide, table, at)
        drop = wide.right(wide.mul(wide.right(entry, 32), by), 11)
        heights.append(wide.sub(entry, drop))
    even, odd = heights
    both = wide.either(wide.both(even, MASK_32), wide.left(odd, 32))
    return code.cast("bitcast", both, wide.type, lanes.type)


def _gathered(wide: Lanes, table: str, at: str) -> str:
    code, n = wide.code, wide.count
    places = code.let(f"getelementptr i64, ptr {table}, {wide.type} {at}")
    all_lanes = f"{vector(n, 'i1')} {listed('i1', [1] * n)}"
    return code.let(
        f"call {wide.type} @llvm.masked.gather.v{n}i64.v{n}p0("
        f"{vector(n, 'ptr')} {places}, i32 8, {all_lanes}, {wide.type} poison)"
    )


def _store(lanes: Lanes, dtype: str, numbers: str, place: int) -> None:
    """Write a vector of float32, rounded to the dtype, at a place of the group."""
    code, floats = lanes.code, vector(lanes.count, "float")
    kind, value = floats, numbers
    if dtype != "float32":
        bits = code.cast("bitcast", numbers, floats, lanes.type)
        short = (_bfloat16 if dtype == "bfloat16" else _float16)(lanes, bits)
        kind = vector(lanes.count, "i16")
        value = code.cast("trunc", short, lanes.type, kind)
    at = code.let(f"getelementptr {STORED[dtype]}, ptr %o, i64 {place}")
    code.do(f"store {kind} {value}, ptr {at}, align 2")


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
    rounded = lanes.add(lanes.add(size, odd), 0xFFF - (112 << 23))
    normal = lanes.right(rounded, 13)
    as_float = code.cast("bitcast", size, lanes.type, floats)
    halves = "<" + ", ".join(["float 0.5"] * lanes.count) + ">"
    summed = code.let(f"fadd {floats} {as_float}, {halves}")
    small = lanes.sub(code.cast("bitcast", summed, floats, lanes.type), 0x3F000000)
    number = lanes.choose("ult", (size, 0x38800000), (small, normal))
    sign = lanes.both(lanes.right(bits, 16), 0x8000)
    return lanes.either(number, sign)


def _loop(name: str, dtype: str, before: list[str], body: list[str]) -> str:
    """Wrap the lines in a function: those before the loop, and those in it."""
    is_span = name.startswith("span")
    step = NUMBERS if is_span else BLOCKS
    gathers = "\n".join(
        f"declare {vector(n, 'i64')} @llvm.masked.gather.v{n}i64.v{n}p0("
        f"{vector(n, 'ptr')}, i32, {vector(n, 'i1')}, {vector(n, 'i64')})"
        for n in (BLOCKS, BLOCKS // 2)
    )
    return "\n".join(
        (
            gathers,
            f"define void @{name}({ARGUMENTS}) nounwind {{",
            "entry:",
            *before,
            "  br label %loop",
            "loop:",
            "  %turn = phi i64 [0, %entry], [%turn_next, %loop]",
            "  %n = phi i64 [%number, %entry], [%n_next, %loop]",
            f"  %done = mul i64 %turn, {step}",
            f"  %o = getelementptr {STORED[dtype]}, ptr %out, i64 %done",
            *body,
            "  %turn_next = add i64 %turn, 1",
            f"  %n_next = add i64 %n, {BLOCKS}",
            "  %more = icmp ult i64 %turn_next, %turns",
            "  br i1 %more, label %loop, label %done_all",
            "done_all:",
            "  ret void",
            "}",
        )
    )
