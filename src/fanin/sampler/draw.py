"""Draw a parameter: numbers from its name, the seed and the indices, and nothing else.

No order of calls, number of threads, shard or framework changes a bit. docs/sampler.md
is the specification.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final, SupportsIndex

import numpy as np

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.sampler.engine import ENGINE
from fanin.sampler.filling import filling
from fanin.sampler.key import key_of
from fanin.sampler.law import MATRICES
from fanin.sampler.law import Law as Law
from fanin.sampler.ranges import lengths_of, require_range
from fanin.sampler.recipe import recipe_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike

DTYPES: Final = ("float32", "float64", "float16", "bfloat16")


def draw(  # noqa: PLR0913  # an address has that many parts
    name: str,
    shape: Sequence[SupportsIndex],
    law: Law,
    *,
    seed: int,
    dtype: DTypeLike = "float32",
    index: ArrayLike | None = None,
    stream: int = 0,
) -> np.ndarray:
    """Draw the parameter of that name, or some of its elements.

    Args:
        name: of the parameter; attributes of wrappers (``_orig_mod.``) in
            it do not count.
        shape: of the whole parameter, also where only a part is asked for.
        law: what to draw from.
        seed: 0 to 2⁶⁴−1.
        dtype: "float32", "float64", "float16" or "bfloat16". The two of 16 bits are the
            float32 draw rounded once, to nearest, ties to even.
        index: 1-D global row-major indices, in any order; None for all elements.
        stream: 0 to 2⁶⁴−1; other numbers under the same name.

    Returns:
        For ``index=None`` an array of ``shape``; else 1-D, bit-equal to those elements
        of the whole. An orthogonal law computes the whole and then takes them.

    Raises:
        ArgumentError: if an argument is out of range, or an index is not in the shape.
        MissingDependencyError: for bfloat16 without ml_dtypes (it comes with JAX).

    >>> draw("0.bias", (3,), Law("constant", value=0.5), seed=0).tolist()
    [0.5, 0.5, 0.5]
    >>> weight = draw("0.weight", (4, 2), Law("normal", std=0.1), seed=0)
    >>> part = draw("0.weight", (4, 2), Law("normal", std=0.1), seed=0, index=[7, 0])
    >>> bool((part == weight.ravel()[[7, 0]]).all())
    True
    """
    lengths = lengths_of(shape)
    target = dtype_of(dtype)
    if index is None:
        out = np.empty(lengths, dtype=target)
        filling(out, name, lengths, law, seed=seed, stream=stream)()
        return out
    where = _where(index, prod(lengths))
    if law.kind in MATRICES:
        whole = draw(name, lengths, law, seed=seed, dtype=dtype, stream=stream)
        found: np.ndarray = whole.reshape(-1)[where]
        return found
    key = key_of(name, seed=seed, stream=stream)
    require_range(law, target.name)
    return _elements(law, key, where, target)


def _elements(
    law: Law, key: int, where: np.ndarray, dtype: np.dtype[Any]
) -> np.ndarray:
    """Draw from a law whose elements are independent, or constant."""
    if law.kind == "constant":
        wide = np.float64 if dtype == np.float64 else np.float32
        return np.full(len(where), law.value, dtype=wide).astype(dtype, copy=False)
    if law.std == 0 or law.bound == 0:
        return np.zeros(len(where), dtype=dtype)
    return ENGINE.numbers(recipe_of(law), key, where, dtype=dtype)


def _where(index: ArrayLike, size: int) -> np.ndarray:
    """Give the elements asked for, all of them inside the shape."""
    indices = np.asarray(index)
    if indices.ndim == 1 and not indices.size:
        return np.zeros(0, dtype=np.int64)
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        received = f"{indices.dtype} of shape {indices.shape}"
        raise ArgumentError.of(
            argument="index", received=received, expected="1-D whole numbers"
        )
    lowest, highest = int(indices.min()), int(indices.max())
    if lowest < 0 or highest >= size:
        outside = lowest if lowest < 0 else highest
        expected = f"global row-major indices from 0 to {size - 1}"
        raise ArgumentError.of(argument="index", received=outside, expected=expected)
    return indices


def dtype_of(dtype: DTypeLike) -> np.dtype[Any]:
    """Give NumPy's dtype of that name, one of `DTYPES`.

    Raises:
        ArgumentError: if it is none of them.
        MissingDependencyError: for bfloat16 without ml_dtypes (it comes with JAX).

    >>> dtype_of("float16")
    dtype('float16')
    """
    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    if name not in DTYPES:
        raise ArgumentError.of(
            argument="dtype", received=dtype, expected=f"one of {', '.join(DTYPES)}"
        )
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError as error:
        raise MissingDependencyError.of(
            package="ml_dtypes", purpose="A bfloat16 draw", extra="jax"
        ) from error
    bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return bfloat16
