"""The kernels as machine code: the oracle's bits, about forty times as fast.

LLVM compiles each kernel in about a tenth of a second at its first use, for the
processor that it runs on; nothing is kept on disk. A call releases the interpreter's
lock, so that threads draw side by side.
"""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any, Final

import llvmlite.binding as llvm
import numpy as np

from fanin.sampler.kernel_code import BLOCKS, NUMBERS, kernel_code, kernel_name
from fanin.sampler.narrow import NORMAL_BITS, UNIFORM_BITS
from fanin.sampler.recipe import UNIFORM, Recipe
from fanin.sampler.table import narrow_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.sampler.oracle import Where

_U64, _U32, _F32 = ctypes.c_uint64, ctypes.c_uint32, ctypes.c_float
SIGNATURE: Final = ctypes.CFUNCTYPE(
    None, _U64, _U64, _U64, _U64, _U32, _U64, _U32, _F32, _U64, _U64, _U64
)


class Kernels:
    """The kernels of one processor, each compiled at its first call.

    Args:
        processor: LLVM's name ("haswell"), for code that other processors run as well;
            None for the one that this runs on.

    Raises:
        RuntimeError: if LLVM cannot write code for this machine.
    """

    def __init__(self, processor: str | None = None) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = "" if processor else llvm.get_host_cpu_features().flatten()
        target = llvm.Target.from_default_triple()
        self._machine = {
            "cpu": processor or llvm.get_host_cpu_name(),
            "features": features,
        }
        self._target = target
        self._engines: list[Any] = []  # machine code lives as long as its engine
        self._found: dict[str, Callable[..., None]] = {}
        self._lock = threading.Lock()
        base, slope = (part.astype(np.uint64) for part in narrow_table())
        self._table = np.ascontiguousarray(base | (slope << np.uint64(32)))

    def fill(self, recipe: Recipe, key: int, where: Where, out: np.ndarray) -> None:
        """Do what `oracle.fill` does, for float32, and for halves rounded once.

        Args:
            recipe: what to draw.
            key: of the parameter, 64 bits.
            where: "n" global indices, in any order.
            out: "n", contiguous: float32, float16 or bfloat16.
        """
        if isinstance(where, range):
            self._fill_span(recipe, key, where.start, out)
        else:
            self._fill_list(recipe, key, np.array(where, dtype=np.uint64), out)

    def _fill_span(self, recipe: Recipe, key: int, start: int, out: np.ndarray) -> None:
        """Write whole groups where they belong, and the ends by way of a group."""
        number, skipped = divmod(start, 4)
        group = np.empty(NUMBERS, dtype=out.dtype)
        done = 0
        if skipped:
            self._run(recipe, key, number, group, 1)
            done = min(NUMBERS - skipped, out.size)
            out[:done] = group[skipped : skipped + done]
            number += BLOCKS
        turns = (out.size - done) // NUMBERS
        if turns:
            self._run(recipe, key, number, out[done:], turns)
            number += turns * BLOCKS
            done += turns * NUMBERS
        if done < out.size:
            self._run(recipe, key, number, group, 1)
            out[done:] = group[: out.size - done]

    def _fill_list(
        self, recipe: Recipe, key: int, index: np.ndarray, out: np.ndarray
    ) -> None:
        turns, rest = divmod(out.size, BLOCKS)
        whole = turns * BLOCKS
        if turns:
            self._run(recipe, key, index, out, turns)
        if rest:
            padded = np.zeros(BLOCKS, dtype=np.uint64)
            padded[:rest] = index[whole:]
            group = np.empty(BLOCKS, dtype=out.dtype)
            self._run(recipe, key, padded, group, 1)
            out[whole:] = group[:rest]

    def _run(
        self,
        recipe: Recipe,
        key: int,
        where: int | np.ndarray,
        out: np.ndarray,
        turns: int,
    ) -> None:
        """Call the kernel: ``where`` is the first block's number, or indices."""
        is_span = isinstance(where, int)
        kernel = self._kernel(recipe.kind, out.dtype.name, is_span=is_span)
        bits = UNIFORM_BITS if recipe.kind == UNIFORM else NORMAL_BITS
        first = recipe.cut.first_32
        kernel(
            0 if isinstance(where, int) else where.ctypes.data,
            where if isinstance(where, int) else 0,
            key & 0xFFFFFFFF,
            key >> 32,
            first,
            2**31 - first,
            recipe.cut.limit_32,
            np.float32(recipe.scale * 2.0**-bits),
            self._table.ctypes.data,
            out.ctypes.data,
            turns,
        )

    def _kernel(self, kind: int, dtype: str, *, is_span: bool) -> Callable[..., None]:
        name = kernel_name(kind, dtype, is_span=is_span)
        with self._lock:
            if name not in self._found:
                code = kernel_code(kind, dtype, is_span=is_span)
                self._found[name] = self._compiled(name, code)
            return self._found[name]

    def _compiled(self, name: str, code: str) -> Callable[..., None]:
        module = llvm.parse_assembly(code)
        module.verify()
        machine = self._target.create_target_machine(opt=3, jit=True, **self._machine)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        self._engines.append(engine)
        return SIGNATURE(engine.get_function_address(name))

    def assembly(self, kind: int, dtype: str, *, is_span: bool) -> str:
        """Give the assembly of a kernel, to be read."""
        module = llvm.parse_assembly(kernel_code(kind, dtype, is_span=is_span))
        machine = self._target.create_target_machine(opt=3, **self._machine)
        return str(machine.emit_assembly(module))
