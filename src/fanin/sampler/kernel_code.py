"""The kernels in LLVM code: loops that write numbers of a law, for any processor.

A kernel reads where its numbers lie in one of three forms: a span of blocks that follow
one another, listed blocks (the rows of a shard), or listed elements. `oracle` is the
specification: the same operations, in NumPy.
"""

from __future__ import annotations

from typing import Final

from fanin.sampler.kernel_narrow import Narrow, rounded
from fanin.sampler.kernel_wide import Wide
from fanin.sampler.kernel_words import BLOCKS, Four, Philox, in_order
from fanin.sampler.llvm import Code, Lanes, listed, vector
from fanin.sampler.recipe import NORMAL, TRUNCATED, UNIFORM

SPAN: Final = "span"
ROWS: Final = "rows"
LIST: Final = "list"
"""Blocks from a number on; blocks of listed numbers; elements of listed indices."""

NUMBERS: Final = 4 * BLOCKS
"""Numbers that one turn of the loop writes of a span or of listed blocks."""

KINDS: Final = {NORMAL: "normal", TRUNCATED: "truncated", UNIFORM: "uniform"}
STORED: Final = {
    "float64": "double",
    "float32": "float",
    "float16": "i16",
    "bfloat16": "i16",
}

ARGUMENTS: Final = (
    "ptr noalias readonly %where, i64 %number, i64 %key_0, i64 %key_1, i64 %first, "
    "i64 %left, i64 %limit, double %factor, double %times, "
    "ptr noalias readonly %table, "
    "ptr noalias %out, i64 %turns"
)
"""where: numbers of blocks, or indices (of a span: not read). number: of a span's first
block. first, left, limit: of a cut. factor: from whole numbers to the law's. times: for
what comes after that; both are exact in the dtype that they are used in. table: of the
dtype's width."""


def kernel_name(kind: int, dtype: str, form: str) -> str:
    """Name a kernel.

    >>> kernel_name(NORMAL, "float32", SPAN)
    'span_normal_float32'
    """
    return f"{form}_{KINDS[kind]}_{dtype}"


def kernel_code(kind: int, dtype: str, form: str) -> str:
    """Write a kernel: a loop, each turn of which writes a group of numbers.

    Args:
        kind: NORMAL, TRUNCATED or UNIFORM.
        dtype: float64, float32, float16 or bfloat16; the last two are rounded once.
        form: SPAN or ROWS, of which a turn writes `NUMBERS` numbers; or LIST, of which
            it writes `BLOCKS`.
    """
    code = Code()
    body = _wide if dtype == "float64" else _narrow
    before = body(code, kind, dtype, form)
    return _loop(kernel_name(kind, dtype, form), dtype, form, before, code.lines)


def _narrow(code: Code, kind: int, dtype: str, form: str) -> list[str]:
    """Write a turn of 32 bits, and give the lines that come before the loop."""
    philox = Philox.of(code)
    law = Narrow.of(code, BLOCKS if form == LIST else 2 * BLOCKS)
    before, code.lines = code.lines, []
    if form == LIST:
        wide = philox.lanes
        word = philox.of_listed(_where(code, form))
        groups = [code.cast("trunc", word, wide.type, law.lanes.type)]
    else:
        groups = in_order(code, philox.words(_where(code, form)))
    for place, words in enumerate(groups):
        kept = rounded(law.lanes, dtype, law.numbers(kind, words))
        _store(code, dtype, kept, place * law.lanes.count)
    return before


def _wide(code: Code, kind: int, dtype: str, form: str) -> list[str]:
    """Write a turn of 64 bits, and give the lines that come before the loop."""
    philox, law = Philox.of(code), Wide.of(code, BLOCKS)
    before, code.lines = code.lines, []
    where = _where(code, form)
    doubles = vector(BLOCKS, "double")
    if form == LIST:
        first, second = (philox.of_listed(where, plane) for plane in (0, 1))
        _store(code, dtype, (doubles, law.numbers(kind, first, second)), 0)
        return before
    pairs = zip(philox.words(where), philox.words(where, 1), strict=True)
    a, b, c, d = (law.numbers(kind, first, second) for first, second in pairs)
    for place, numbers in enumerate(_in_turns(code, (a, b, c, d))):
        _store(code, dtype, (doubles, numbers), place * BLOCKS)
    return before


def _in_turns(code: Code, four: Four) -> list[str]:
    """Lay four vectors of doubles into four: a block's numbers side by side."""
    n = BLOCKS
    pairs = [i // 2 + i % 2 * n for i in range(n)]
    upper = [n // 2 + place for place in pairs]
    quads = [i // 4 * 2 + i % 2 + i % 4 // 2 * n for i in range(n)]
    later = [n // 2 + place for place in quads]
    result = []
    for half in (pairs, upper):
        low = code.shuffle(four[0], four[1], half, "double")
        high = code.shuffle(four[2], four[3], half, "double")
        result += [code.shuffle(low, high, order, "double") for order in (quads, later)]
    return result


def _where(code: Code, form: str) -> str:
    """Write the numbers of this turn's blocks, or its indices, in lanes of 64 bits."""
    lanes = Lanes(code, BLOCKS, 64)
    if form == SPAN:
        start = code.spread("%n", BLOCKS, "i64")
        return lanes.add(start, listed("i64", range(BLOCKS)))
    at = code.let("getelementptr i64, ptr %where, i64 %read")
    return code.let(f"load {lanes.type}, ptr {at}, align 8")


def _store(code: Code, dtype: str, kept: tuple[str, str], place: int) -> None:
    """Write a vector at a place of the group."""
    kind, value = kept
    at = code.let(f"getelementptr {STORED[dtype]}, ptr %o, i64 {place}")
    code.do(f"store {kind} {value}, ptr {at}, align 2")


def _loop(name: str, dtype: str, form: str, before: list[str], body: list[str]) -> str:
    """Wrap the lines in a function: those before the loop, and those in it."""
    step = BLOCKS if form == LIST else NUMBERS
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
            f"  %read = mul i64 %turn, {BLOCKS}",
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
