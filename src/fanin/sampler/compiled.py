"""The float32 laws as Numba kernels: the oracle's bits, about twenty times as fast.

What makes LLVM vectorise them: the tables are module-level arrays (frozen as constants,
so they cannot alias the output), indices are unsigned (no wrap-around), arithmetic is
in 32 bits, there is one loop a stage, each writing one array, and a block of counters
fits the first-level cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

import numba
import numpy as np

from fanin.sampler.narrow import MAGNITUDE, NORMAL_BITS, UNIFORM_BITS
from fanin.sampler.philox import MULTIPLIERS, ROUNDS, WEYL
from fanin.sampler.recipe import TRUNCATED, UNIFORM, Recipe
from fanin.sampler.table import narrow_table

if TYPE_CHECKING:
    from fanin.sampler.oracle import Where

BASE, SLOPE = narrow_table()

N_BLOCKS: Final = 256
N_WORDS: Final = 4 * N_BLOCKS

M_0, M_1 = MULTIPLIERS
W_0, W_1 = np.uint32(WEYL[0]), np.uint32(WEYL[1])
ODD_OFFSET: Final = np.int32(1 - 2**UNIFORM_BITS)

OPTIONS: Final[dict[str, Any]] = {
    "nogil": True,
    "error_model": "numpy",
    "boundscheck": False,
}

u32 = np.uint32
u64 = np.uint64

Numbers: TypeAlias = tuple[np.uint64, np.uint64, np.uint32, np.float32]
"""First magnitude and count of magnitudes left by a cut, its limit, the factor."""

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function with the kernel that calls it."""
    return cast("Function", numba.njit(**OPTIONS)(function))


def inlined(function: Function) -> Function:
    """Paste a function into those that call it, before LLVM sees them.

    Called as a function, the ten rounds are not vectorised and run at a third of the
    speed (Numba 0.68).
    """
    return cast("Function", numba.njit(inline="always", **OPTIONS)(function))


@inlined
def block(
    number: np.uint64, key_0: np.uint32, key_1: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Give the four words of one Philox block."""
    first, second = u32(number), u32(number >> u64(32))
    third, fourth = u32(0), u32(0)
    for _ in range(ROUNDS):
        product_0 = M_0 * u64(first)
        product_1 = M_1 * u64(third)
        first = u32(u32(product_1 >> u64(32)) ^ second ^ key_0)
        third = u32(u32(product_0 >> u64(32)) ^ fourth ^ key_1)
        second, fourth = u32(product_1), u32(product_0)
        key_0, key_1 = u32(key_0 + W_0), u32(key_1 + W_1)
    return first, second, third, fourth


@compiled
def words_of_blocks(
    number: np.uint64,
    key_0: np.uint32,
    key_1: np.uint32,
    columns: np.ndarray,
    words: np.ndarray,
) -> None:
    """Write the words of `N_BLOCKS` blocks from ``number`` on, in their order."""
    for i in range(N_BLOCKS):
        first, second, third, fourth = block(u64(number + u64(i)), key_0, key_1)
        columns[0, i] = first
        columns[1, i] = second
        columns[2, i] = third
        columns[3, i] = fourth
    for i in range(N_BLOCKS):
        position = u64(4) * u64(i)
        words[position] = columns[0, i]
        words[position + u64(1)] = columns[1, i]
        words[position + u64(2)] = columns[2, i]
        words[position + u64(3)] = columns[3, i]


@compiled
def words_of_elements(
    index: np.ndarray, key_0: np.uint32, key_1: np.uint32, words: np.ndarray
) -> None:
    """Write the word of each element: one of the four of its block."""
    for i in range(index.size):
        element = u64(index[i])
        first, second, third, fourth = block(u64(element >> u64(2)), key_0, key_1)
        position = element & u64(3)
        low = second if position & u64(1) else first
        high = fourth if position & u64(1) else third
        words[i] = high if position & u64(2) else low


@compiled
def write_uniform(
    words: np.ndarray, start: int, factor: np.float32, out: np.ndarray
) -> None:
    """Write odd whole numbers times the factor, from ``words[start]`` on."""
    for i in range(out.size):
        doubled = np.int32(u32(u32(words[u64(start + i)] >> u32(8)) << u32(1)))
        out[i] = np.float32(np.int32(doubled + ODD_OFFSET)) * factor


@compiled
def squeeze(words: np.ndarray, first: np.uint64, left: np.uint64) -> None:
    """Replace the magnitude in each word by one of those that the cut leaves."""
    for i in range(words.size):
        sign = u32(words[i] & ~MAGNITUDE)
        magnitude = u64(words[i] & MAGNITUDE)
        words[i] = u32(sign | u32(first + ((magnitude * left) >> u64(31))))


@compiled
def write_normal(
    words: np.ndarray,
    start: int,
    limit: np.uint32,
    factor: np.float32,
    leading: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write table heights with their signs times the factor, from ``start`` on."""
    for i in range(N_WORDS):
        magnitude = u32(words[i] & MAGNITUDE)
        bit = u32(u32(magnitude & ~u32(magnitude >> u32(1))) | u32(1))
        leading[i] = np.float32(np.int32(bit))
    exponents = leading.view(np.uint32)
    for i in range(out.size):
        at = u64(start + i)
        octave = u32(u32(exponents[at] >> u32(23)) - u32(127))
        fraction = u32(u32(words[at] << u32(u32(31) - octave)) & MAGNITUDE)
        segment = u64(u32(u32(octave << u32(7)) + u32(fraction >> u32(24))))
        offset = u32(u32(fraction >> u32(9)) & u32(0x7FFF))
        drop = u32(u32(SLOPE[segment] * offset) >> u32(11))
        height = min(u32(BASE[segment] - drop), limit)
        minus = u32(u32(0) - u32(words[at] >> u32(31)))
        units = np.int32(u32(u32(height ^ minus) - minus))
        out[i] = np.float32(units) * factor


@compiled
def write(
    kind: int,
    words: np.ndarray,
    start: int,
    numbers: Numbers,
    leading: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the numbers of ``words[start:start + out.size]``; words are used up."""
    first, left, limit, factor = numbers
    if kind == UNIFORM:
        write_uniform(words, start, factor, out)
        return
    if kind == TRUNCATED:
        squeeze(words, first, left)
    write_normal(words, start, limit, factor, leading, out)


def span_kernel(
    kind: int,
    key: tuple[np.uint32, np.uint32],
    begin: np.uint64,
    numbers: Numbers,
    out: np.ndarray,
) -> None:
    """Write elements ``begin`` to ``begin + out.size − 1``."""
    columns = np.empty((4, N_BLOCKS), np.uint32)
    words = np.empty(N_WORDS, np.uint32)
    leading = np.empty(N_WORDS, np.float32)
    number = u64(begin >> u64(2))
    skipped = int(np.int64(begin & u64(3)))
    done = 0
    while done < out.size:
        words_of_blocks(number, key[0], key[1], columns, words)
        stop = min(done + N_WORDS - skipped, out.size)
        write(kind, words, skipped, numbers, leading, out[done:stop])
        number = u64(number + u64(N_BLOCKS))
        done = stop
        skipped = 0


def elements_kernel(
    kind: int,
    key: tuple[np.uint32, np.uint32],
    index: np.ndarray,
    numbers: Numbers,
    out: np.ndarray,
) -> None:
    """Write the elements of ``index``."""
    words = np.zeros(N_WORDS, np.uint32)
    leading = np.empty(N_WORDS, np.float32)
    for done in range(0, out.size, N_WORDS):
        stop = min(done + N_WORDS, out.size)
        words_of_elements(index[done:stop], key[0], key[1], words)
        write(kind, words, 0, numbers, leading, out[done:stop])


class Kernels:
    """Both kernels, compiled at their first call.

    Raises:
        RuntimeError: if machine code is to be kept and no folder can be written.
    """

    def __init__(self, *, is_cached: bool) -> None:
        self._span = numba.njit(cache=is_cached, **OPTIONS)(span_kernel)
        self._elements = numba.njit(cache=is_cached, **OPTIONS)(elements_kernel)

    def fill(self, recipe: Recipe, key: int, where: Where, out: np.ndarray) -> None:
        """Do what `oracle.fill` does, for float32."""
        bits = UNIFORM_BITS if recipe.kind == UNIFORM else NORMAL_BITS
        factor = np.float32(recipe.scale * 2.0**-bits)
        first = recipe.cut.first_32
        left, limit = u64(2**31 - first), u32(recipe.cut.limit_32)
        numbers = (u64(first), left, limit, factor)
        halves = (u32(key & 0xFFFFFFFF), u32(key >> 32))
        if isinstance(where, range):
            self._span(recipe.kind, halves, u64(where.start), numbers, out)
        else:
            index = np.array(where, dtype=np.uint64)  # one type: one compilation
            self._elements(recipe.kind, halves, index, numbers, out)
