"""Draw a parameter: numbers from its name, the seed and the indices, and nothing else.

No order of calls, number of threads, shard or framework changes a bit. docs/sampler.md
is the specification.
"""

from __future__ import annotations

import operator
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, Final, SupportsIndex

import numpy as np

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.sampler.engine import ENGINE
from fanin.sampler.key import key_of
from fanin.sampler.law import MATRICES
from fanin.sampler.law import Law as Law
from fanin.sampler.matrices import fill_matrix
from fanin.sampler.recipe import recipe_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike

    from fanin.sampler.oracle import Where

DTYPES: Final = ("float32", "float64", "float16", "bfloat16")
MOST_ELEMENTS: Final = 2**63
LARGEST_FLOAT16: Final = 65504.0
LARGEST_NORMAL: Final = 6.5
"""No float32 normal is larger, in units of its std: the table ends at 6.24."""


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
    lengths = _lengths(shape)
    target = dtype_of(dtype)
    where = _where(index, prod(lengths))
    key = key_of(name, seed=seed, stream=stream)
    _require_range(law, target)
    if law.kind in MATRICES:
        numbers = _matrix(law, lengths, key, target).reshape(-1)
        if not isinstance(where, range):
            numbers = numbers[where]
    else:
        numbers = _elements(law, key, where, target)
    wide = np.float64 if target == np.float64 else np.float32
    if numbers.dtype != target:  # halves are rounded once, from float32
        numbers = numbers.astype(wide, copy=False).astype(target, copy=False)
    return numbers.reshape(lengths) if index is None else numbers


def _elements(law: Law, key: int, where: Where, dtype: np.dtype[Any]) -> np.ndarray:
    """Draw from a law whose elements are independent, or constant."""
    if law.kind == "constant":
        wide = np.float64 if dtype == np.float64 else np.float32
        return np.full(len(where), law.value, dtype=wide)
    if law.std == 0 or law.bound == 0:
        return np.zeros(len(where), dtype=dtype)
    return ENGINE.numbers(recipe_of(law), key, where, dtype=dtype)


def _matrix(
    law: Law, shape: tuple[int, ...], key: int, dtype: np.dtype[Any]
) -> np.ndarray:
    """Draw a whole weight of a law of matrices."""
    out = np.empty(shape, dtype=dtype)
    gaussians = partial(ENGINE.numbers, recipe_of(Law("normal", std=1.0)), key)
    fill_matrix(law, out, gaussians)
    return out


def _lengths(shape: Sequence[SupportsIndex]) -> tuple[int, ...]:
    try:
        lengths = tuple(operator.index(length) for length in shape)
    except TypeError:
        lengths = (-1,)
    if any(length < 0 for length in lengths) or prod(lengths) > MOST_ELEMENTS:
        expected = "a sequence of whole numbers from 0 on, their product at most 2⁶³"
        raise ArgumentError.of(argument="shape", received=shape, expected=expected)
    return lengths


def _where(index: ArrayLike | None, size: int) -> Where:
    """Give the elements asked for, all of them inside the shape."""
    if index is None:
        return range(size)
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


def _require_range(law: Law, dtype: np.dtype[Any]) -> None:
    """Refuse a law whose numbers the dtype cannot hold."""
    sizes = {
        "normal": LARGEST_NORMAL * (law.std or 0.0),
        "truncated_normal": LARGEST_NORMAL * (law.std or 0.0),
        "uniform": law.half_width,
        "constant": abs(law.value or 0.0),
    }
    largest = sizes.get(law.kind, abs(law.factor))
    limit = LARGEST_FLOAT16 if dtype == np.float16 else 3.38e38
    if dtype != np.float64 and largest > limit:
        expected = f"a law whose numbers {dtype} can hold (up to {limit})"
        raise ArgumentError.of(argument="law", received=law, expected=expected)
