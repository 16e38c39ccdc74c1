"""Who fills an array: NumPy or the kernels, on how many threads. The bits are the same.

Loading LLVM costs more than NumPy needs for a few million numbers, so small models
never load it. This is the ski-rental rule: rent NumPy until what was spent on it equals
the price of the kernels, then buy them; never more than twice the best plan. Who knows
how much is to come says so (`Engine.expect`), and the kernels are bought at once.
"""

from __future__ import annotations

import os
import threading
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.sampler import oracle
from fanin.sampler.rows import Rows
from fanin.sampler.threads import available_threads, run_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import DTypeLike

    from fanin.sampler.compiled import Kernels
    from fanin.sampler.recipe import Recipe
    from fanin.sampler.rows import Where

PRICE: Final = 1 << 22
"""Numbers that NumPy draws in the tenth of a second that importing llvmlite and
compiling a kernel take (measured on two cores with AVX-512)."""

A_CALL: Final = 1 << 12
"""Numbers that NumPy draws in the time that a call of it takes before the first."""

ENOUGH_FOR_A_THREAD: Final = 1 << 18
TURN: Final = 1 << 20
"""Numbers that a thread takes at a time."""

SAMPLE: Final = 1 << 12
"""Numbers on which each kernel is compared with NumPy before it is used."""


class SlowSamplerWarning(UserWarning):
    """The kernels cannot be used here; NumPy draws the same numbers, more slowly."""


class Engine:
    """Fills arrays, and remembers whether the kernels have been worth loading."""

    def __init__(self, price: int = PRICE) -> None:
        self.price = price
        self.paid = 0
        self._kernels: Kernels | None = None
        self._is_settled = False
        self._agreed: set[tuple[int, np.dtype[Any], type]] = set()
        self._lock = threading.RLock()

    def expect(self, n_numbers: int, n_calls: int = 1) -> None:
        """Be told what is to come: the kernels are loaded now if that is worth it."""
        with self._lock:
            self.paid += n_numbers + A_CALL * n_calls
            if not self._is_settled and self.paid >= self.price:
                self._kernels = load_kernels()
                self._is_settled = True

    def numbers(
        self,
        recipe: Recipe,
        key: int,
        where: Where,
        *,
        dtype: DTypeLike = np.float32,
        n_threads: int | None = None,
    ) -> np.ndarray:
        """Give the numbers of these elements, "n", as `fill` writes them."""
        out = np.empty(len(where), dtype=dtype)
        self.fill(recipe, key, where, out, n_threads=n_threads)
        return out

    def fill(
        self,
        recipe: Recipe,
        key: int,
        where: Where,
        out: np.ndarray,
        *,
        n_threads: int | None = None,
    ) -> None:
        """Write the numbers of these elements.

        Args:
            recipe: what to draw.
            key: of the parameter.
            where: "n" global indices.
            out: "n", contiguous: float64, float32, or float16 and bfloat16 (ml_dtypes',
                or its bits as uint16), which are float32 rounded once.
            n_threads: at most so many; `available_threads` if None.
        """
        fill = self._writer(recipe, where, out)
        threads = 1 + out.size // ENOUGH_FOR_A_THREAD
        if threads > 1:
            most = available_threads() if n_threads is None else n_threads
            threads = min(most, threads)
        if threads <= 1:
            fill(recipe, key, where, out)
            return
        write = partial(fill, recipe, key)
        pieces = _pieces(where, out, threads)
        run_all((partial(write, *piece) for piece in pieces), threads)

    def _writer(
        self, recipe: Recipe, where: Where, out: np.ndarray
    ) -> Callable[..., None]:
        """Give what fills such an array."""
        if not self._is_settled:
            self.expect(out.size)
        kernels = self._kernels
        if kernels is None:
            return oracle.fill
        kind = (recipe.kind, out.dtype, type(where))
        if kind not in self._agreed:
            with self._lock:
                if self._kernels is not None and not _is_right(kernels, recipe, *kind):
                    self._kernels = None
                self._agreed.add(kind)
        return oracle.fill if self._kernels is None else kernels.fill


def load_kernels() -> Kernels | None:
    """Load the kernels; None if they cannot be used.

    ``FANIN_SAMPLER=numpy`` in the environment leaves them aside.

    Warns:
        SlowSamplerWarning: if LLVM does not work here.
    """
    if os.environ.get("FANIN_SAMPLER", "").lower() == "numpy":
        return None
    try:
        from fanin.sampler.compiled import Kernels
        from fanin.sampler.kernel_cache import KernelCache

        return Kernels(cache=KernelCache())
    except ImportError as error:
        _warn(f"llvmlite cannot be imported ({error})")
    except (OSError, RuntimeError) as error:
        _warn(f"LLVM cannot compile here ({error})")
    return None


def agree(kernels: Kernels, recipe: Recipe, dtype: DTypeLike, form: type) -> bool:
    """Compare a kernel with NumPy on a sample.

    Args:
        kernels: of this machine.
        recipe: of which law.
        dtype: of what is filled.
        form: of what names the elements: range, `Rows`, or an array of indices.
    """
    key, start = 0x243F6A8885A308D3, 2**40 + 3
    samples: dict[type, Where] = {
        range: range(start, start + SAMPLE),
        Rows: Rows(np.arange(start, start + SAMPLE, 16), 9),
        np.ndarray: np.arange(start + SAMPLE, start, -1)[:SAMPLE:7],
    }
    where = samples[form]
    expected = np.empty(len(where), dtype=dtype)
    received = np.empty_like(expected)
    oracle.fill(recipe, key, where, expected)
    kernels.fill(recipe, key, where, received)
    return expected.tobytes() == received.tobytes()


def _is_right(
    kernels: Kernels, recipe: Recipe, kind: int, dtype: np.dtype[Any], form: type
) -> bool:
    """Say whether a kernel can be used, and warn if it cannot."""
    del kind
    try:
        if agree(kernels, recipe, dtype, form):
            return True
        _warn("the kernels give other numbers here")
    except (OSError, RuntimeError) as error:
        _warn(f"LLVM cannot compile here ({error})")
    return False


def _pieces(
    where: Where, out: np.ndarray, n_threads: int
) -> Iterator[tuple[Where, np.ndarray]]:
    """Cut the work for several threads: the elements of a piece, and where they go."""
    size = max(1, min(TURN, -(-out.size // n_threads)))
    if not isinstance(where, Rows):
        size = -(-size // 128) * 128  # whole lines of the cache
        for start in range(0, out.size, size):
            yield where[start : start + size], out[start : start + size]
        return
    length = where.length
    if length > size:
        for turn, head in enumerate(where.heads.tolist()):
            run = out[turn * length : (turn + 1) * length]
            yield from _pieces(range(head, head + length), run, n_threads)
        return
    several = max(4, size // max(1, length) // 4 * 4)
    for start in range(0, len(where.heads), several):
        part = where.runs(slice(start, start + several))
        yield part, out[start * length :][: len(part)]


def _warn(reason: str) -> None:
    message = f"fanin draws with NumPy, slower but the same numbers: {reason}."
    warnings.warn(message, SlowSamplerWarning, stacklevel=4)


ENGINE: Final = Engine()
"""The engine of this process."""

expect = ENGINE.expect
