"""Who fills an array: NumPy or the kernels, on how many threads. The bits are the same.

Loading LLVM costs more than NumPy needs for a few million numbers, so small models
never load it. This is the ski-rental rule: rent NumPy until what was spent on it equals
the price of the kernels, then buy them; never more than twice the best plan.
"""

from __future__ import annotations

import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.sampler import oracle
from fanin.sampler.law import Law
from fanin.sampler.recipe import Recipe, recipe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import DTypeLike

    from fanin.sampler.compiled import Kernels
    from fanin.sampler.oracle import Where

PRICE: Final = 1 << 23
"""Numbers that NumPy draws in the quarter of a second that importing llvmlite and
compiling a kernel take (measured on two cores with AVX-512)."""

ENOUGH_FOR_A_THREAD: Final = 1 << 18

SAMPLE: Final = 1 << 14
"""Numbers of each law on which the kernels are compared with NumPy before use."""


class SlowSamplerWarning(UserWarning):
    """The kernels cannot be used here; NumPy draws the same numbers, more slowly."""


class Engine:
    """Fills arrays, and remembers whether the kernels have been worth loading."""

    def __init__(self, price: int = PRICE) -> None:
        self.price = price
        self.paid = 0
        self._kernels: Kernels | None = None
        self._is_settled = False
        self._lock = threading.Lock()

    def numbers(
        self,
        recipe: Recipe,
        key: int,
        where: Where,
        *,
        dtype: DTypeLike = np.float32,
        n_threads: int | None = None,
    ) -> np.ndarray:
        """Give the numbers of these elements, "n".

        Args:
            recipe: what to draw.
            key: of the parameter.
            where: "n" global indices.
            dtype: float64, float32, or float16 and bfloat16, which are float32 rounded
                once.
            n_threads: at most so many; the cores that this process may use if None.
        """
        out = np.empty(len(where), dtype=dtype)
        fill = self._filler(out)
        threads = min(
            n_threads or available_cores(), 1 + len(where) // ENOUGH_FOR_A_THREAD
        )
        if threads == 1:
            fill(recipe, key, where, out)
            return out
        with ThreadPoolExecutor(max_workers=threads) as pool:
            pieces = list(_pieces(len(where), threads))
            fills = [
                pool.submit(partial(fill, recipe, key), where[piece], out[piece])
                for piece in pieces
            ]
        for done in fills:
            done.result()
        return out

    def _filler(self, out: np.ndarray) -> Callable[..., None]:
        """Give what fills such an array."""
        if out.dtype == np.float64:
            return oracle.fill
        kernels = self._kernels_for(out.size)
        if kernels is not None:
            return kernels.fill
        return oracle.fill if out.dtype == np.float32 else _rounded_fill

    def _kernels_for(self, n_numbers: int) -> Kernels | None:
        """Give the kernels once their price has been paid in numbers drawn."""
        with self._lock:
            self.paid += n_numbers
            if not self._is_settled and self.paid >= self.price:
                self._kernels = load_kernels()
                self._is_settled = True
        return self._kernels


def load_kernels() -> Kernels | None:
    """Load the kernels and compare them with NumPy; None if they cannot be used.

    ``FANIN_SAMPLER=numpy`` in the environment leaves them aside.

    Warns:
        SlowSamplerWarning: if LLVM does not work here.
    """
    if os.environ.get("FANIN_SAMPLER", "").lower() == "numpy":
        return None
    try:
        from fanin.sampler.compiled import Kernels

        kernels = Kernels()
        if agree(kernels):
            return kernels
    except ImportError as error:
        _warn(f"llvmlite cannot be imported ({error})")
    except (OSError, RuntimeError) as error:
        _warn(f"LLVM cannot compile here ({error})")
    else:
        _warn("the kernels give other numbers here")
    return None


def agree(kernels: Kernels) -> bool:
    """Compare the kernels with NumPy on a sample of every law."""
    laws = (
        Law("normal", std=1.0),
        Law("truncated_normal", std=1.0),
        Law("uniform", bound=1.0),
    )
    key, start = 0x243F6A8885A308D3, 2**40 + 3
    span = range(start, start + SAMPLE)
    for recipe in map(recipe_of, laws):
        for where in (span, np.arange(start + SAMPLE, start, -1)[:SAMPLE:7]):
            expected = np.empty(len(where), dtype=np.float32)
            received = np.empty_like(expected)
            oracle.fill(recipe, key, where, expected)
            kernels.fill(recipe, key, where, received)
            if not np.array_equal(expected, received):
                return False
    return True


def available_cores() -> int:
    """Count the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _rounded_fill(recipe: Recipe, key: int, where: Where, out: np.ndarray) -> None:
    """Fill 16-bit numbers: float32 ones, rounded once."""
    exact = np.empty(len(where), dtype=np.float32)
    oracle.fill(recipe, key, where, exact)
    out[:] = exact


def _pieces(n_numbers: int, count: int) -> Iterator[slice]:
    """Cut 0 to n−1 into ``count`` pieces of nearly equal length."""
    for turn in range(count):
        yield slice(n_numbers * turn // count, n_numbers * (turn + 1) // count)


def _warn(reason: str) -> None:
    message = f"fanin draws with NumPy, slower but the same numbers: {reason}."
    warnings.warn(message, SlowSamplerWarning, stacklevel=4)


ENGINE: Final = Engine()
"""The engine of this process."""
