"""The kernels as machine code: the oracle's bits, about forty times as fast.

LLVM compiles each kernel in about a tenth of a second at its first use, for the
processor that it runs on, and `kernel_cache` keeps it for the processes to come. A call
releases the interpreter's lock, so that threads draw side by side.
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from fanin.graph.rounding import stored_as
from fanin.sampler import narrow, wide
from fanin.sampler.kernel_code import (
    LIST,
    NUMBERS,
    ROWS,
    SPAN,
    kernel_code,
    kernel_name,
)
from fanin.sampler.kernel_wide import STRIDE
from fanin.sampler.kernel_words import BLOCKS
from fanin.sampler.recipe import UNIFORM, Recipe
from fanin.sampler.rows import Rows
from fanin.sampler.table import narrow_table, wide_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fanin.sampler.kernel_cache import KernelCache
    from fanin.sampler.rows import Where

_U64 = ctypes.c_uint64
SIGNATURE: Final = ctypes.CFUNCTYPE(
    None, *(_U64,) * 7, *(ctypes.c_double,) * 2, *(_U64,) * 3
)

LONG: Final = 1 << 13
"""Runs from this length on are drawn one by one; shorter ones many at a time."""

CHUNK: Final = 1 << 17
"""Numbers of short runs at a time: what is listed for them stays in the cache."""


class Kernels:
    """The kernels of one processor, each compiled at its first call.

    Args:
        processor: LLVM's name ("haswell"), for code that other processors run as well;
            None for the one that this runs on.
        cache: where machine code is kept between processes; None keeps none.

    Raises:
        RuntimeError: if LLVM cannot write code for this machine.
    """

    def __init__(
        self, processor: str | None = None, cache: KernelCache | None = None
    ) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = "" if processor else llvm.get_host_cpu_features().flatten()
        target = llvm.Target.from_default_triple()
        self._machine = {
            "cpu": processor or llvm.get_host_cpu_name(),
            "features": features,
        }
        self._target = target
        self._cache = cache
        self._engines: list[Any] = []  # machine code lives as long as its engine
        self._found: dict[tuple[int, str, str], Callable[..., None]] = {}
        self._lock = threading.Lock()

    def fill(self, recipe: Recipe, key: int, where: Where, out: np.ndarray) -> None:
        """Do what `oracle.fill` does, and for halves round once.

        Args:
            recipe: what to draw.
            key: of the parameter, 64 bits.
            where: "n" global indices, in any order.
            out: "n", contiguous: float64, float32, float16, or bfloat16 or its bits.
        """
        task = _Task(self, recipe, key, out)
        if isinstance(where, range):
            task.span(where.start, 0, out.size)
        elif isinstance(where, Rows):
            task.rows(where)
        else:
            task.listed(np.ascontiguousarray(where, dtype=np.uint64))

    def kernel(self, kind: int, dtype: str, form: str) -> Callable[..., None]:
        """Give a kernel, compiled if it is the first time."""
        found = self._found.get((kind, dtype, form))
        if found is None:
            with self._lock:
                found = self._found.get((kind, dtype, form))
                if found is None:
                    found = self._compiled(kind, dtype, form)
                    self._found[kind, dtype, form] = found
        return found

    def _compiled(self, kind: int, dtype: str, form: str) -> Callable[..., None]:
        name, code = kernel_name(kind, dtype, form), kernel_code(kind, dtype, form)
        machine = self._target.create_target_machine(opt=3, jit=True, **self._machine)
        module = llvm.parse_assembly(code)
        engine = llvm.create_mcjit_compiler(module, machine)
        if self._cache is not None:
            self._cache.attach(
                engine, (llvmlite.__version__, *self._machine.values(), code)
            )
        engine.finalize_object()
        self._engines.append(engine)
        return SIGNATURE(engine.get_function_address(name))

    def assembly(self, kind: int, dtype: str, form: str) -> str:
        """Give the assembly of a kernel, to be read."""
        module = llvm.parse_assembly(kernel_code(kind, dtype, form))
        module.verify()
        machine = self._target.create_target_machine(opt=3, **self._machine)
        return str(machine.emit_assembly(module))


class _Task:
    """One call of `fill`: what stays the same over all calls of kernels."""

    def __init__(
        self, kernels: Kernels, recipe: Recipe, key: int, out: np.ndarray
    ) -> None:
        self.out = out
        self.kernels = kernels
        self.kind = recipe.kind
        self.dtype = stored_as(out.dtype)
        self.address = out.ctypes.data
        self.law = (key & 0xFFFFFFFF, key >> 32, *_numbers(recipe, self.dtype))

    def run(self, form: str, where: int, number: int, out: int, turns: int) -> None:
        """Call a kernel; ``where`` and ``out`` are addresses."""
        kernel = self.kernels.kernel(self.kind, self.dtype, form)
        kernel(where, number, *self.law, out, turns)

    def span(self, start: int, first: int, end: int) -> None:
        """Write elements ``start`` … at places first … end − 1 of the array.

        Whole groups are written where they belong, the ends by way of a group.
        """
        number, skipped = divmod(start, 4)
        done = first
        if skipped and done < end:
            group = self.group(SPAN, 0, number)
            done = min(first + NUMBERS - skipped, end)
            self.out[first:done] = group[skipped : skipped + done - first]
            number += BLOCKS
        turns = (end - done) // NUMBERS
        if turns:
            address = self.address + done * self.out.itemsize
            self.run(SPAN, 0, number, address, turns)
            number += turns * BLOCKS
            done += turns * NUMBERS
        if done < end:
            self.out[done:end] = self.group(SPAN, 0, number)[: end - done]

    def group(self, form: str, where: int, number: int) -> np.ndarray:
        """Give the numbers of one turn."""
        group = np.empty(NUMBERS, dtype=self.out.dtype)
        self.run(form, where, number, group.ctypes.data, 1)
        return group

    def rows(self, rows: Rows) -> None:
        """Write runs, long ones one by one."""
        length = rows.length
        if length >= LONG:
            for turn, head in enumerate(rows.heads.tolist()):
                self.span(head, turn * length, (turn + 1) * length)
            return
        is_aligned = length % 4 == 0 and not (rows.heads & 3).any()
        several = max(4, CHUNK // max(1, length) // 4 * 4)
        write = self._aligned_rows if is_aligned else self._other_rows
        for start in range(0, len(rows.heads), several):
            part = rows.runs(slice(start, start + several))
            write(part, self.out[start * length :][: len(part)])

    def _aligned_rows(self, rows: Rows, out: np.ndarray) -> None:
        """Write runs of whole blocks where they belong."""
        blocks = (rows.heads >> 2)[:, None] + np.arange(rows.length // 4)
        self._blocks(blocks.reshape(-1), out)

    def _other_rows(self, rows: Rows, out: np.ndarray) -> None:
        """Write the blocks that hold the runs, and take the runs out of them."""
        n_blocks = (rows.length + 2) // 4 + 1
        blocks = (rows.heads >> 2)[:, None] + np.arange(n_blocks)
        scratch = np.empty((len(rows.heads), 4 * n_blocks), dtype=out.dtype)
        self._blocks(blocks.reshape(-1), scratch.reshape(-1))
        target = out.reshape(len(rows.heads), rows.length)
        for here, skip in _by_skip(rows.heads & 3):
            target[here] = scratch[here, skip : skip + rows.length]

    def _blocks(self, blocks: np.ndarray, out: np.ndarray) -> None:
        """Write the numbers of listed blocks (int64), one behind the other."""
        turns, rest = divmod(len(blocks), BLOCKS)
        if turns:
            self.run(ROWS, blocks.ctypes.data, 0, out.ctypes.data, turns)
        if rest:
            padded = np.zeros(BLOCKS, dtype=np.int64)
            padded[:rest] = blocks[turns * BLOCKS :]
            group = self.group(ROWS, padded.ctypes.data, 0)
            out[turns * NUMBERS :] = group[: 4 * rest]

    def listed(self, index: np.ndarray) -> None:
        """Write the numbers of listed elements."""
        turns, rest = divmod(index.size, BLOCKS)
        whole = turns * BLOCKS
        if turns:
            self.run(LIST, index.ctypes.data, 0, self.address, turns)
        if rest:
            padded = np.zeros(BLOCKS, dtype=np.uint64)
            padded[:rest] = index[whole:]
            group = self.group(LIST, padded.ctypes.data, 0)
            self.out[whole:] = group[:rest]


def _by_skip(skips: np.ndarray) -> Iterator[tuple[slice | np.ndarray, int]]:
    """Yield which runs begin so many elements after the start of a block."""
    if len(skips) < 8 or not np.array_equal(skips[4:], skips[:-4]):
        for skip in np.unique(skips).tolist():
            yield skips == skip, skip
        return
    for turn, skip in enumerate(skips[:4].tolist()):  # runs at even distances
        yield slice(turn, None, 4), skip


def _numbers(recipe: Recipe, dtype: str) -> tuple[int, int, int, float, float, int]:
    """Give a law's numbers in the order of the kernel's arguments, the table last."""
    cut = recipe.cut
    if dtype == "float64":
        bits = wide.UNIFORM_BITS if recipe.kind == UNIFORM else wide.NORMAL_BITS
        factor = recipe.scale * 2.0**-bits
        left, table = 2**63 - cut.first_64, _tables()[1]
        return cut.first_64, left, cut.limit_64, factor, recipe.times, table
    bits = narrow.UNIFORM_BITS if recipe.kind == UNIFORM else narrow.NORMAL_BITS
    factor = float(np.float32(recipe.scale * 2.0**-bits))
    times = float(np.float32(recipe.times))
    left, table = 2**31 - cut.first_32, _tables()[0]
    return cut.first_32, left, cut.limit_32, factor, times, table


@cache
def _tables() -> tuple[int, int]:
    """Give the addresses of the tables."""
    narrow_part, wide_part = _laid_out()
    return narrow_part.ctypes.data, wide_part.ctypes.data


@cache
def _laid_out() -> tuple[np.ndarray, np.ndarray]:
    """Lay the tables out for the kernels: slope · 2³² + base; a segment a line."""
    base, slope = (part.astype(np.uint64) for part in narrow_table())
    coefficients = wide_table()
    by_segment = np.zeros((coefficients.shape[1], STRIDE), dtype=np.int64)
    by_segment[:, : len(coefficients)] = coefficients.T
    return np.ascontiguousarray(base | (slope << np.uint64(32))), by_segment
