"""Uniformly distributed orthogonal matrices, made of normal numbers where they stand.

Stewart, "The efficient generation of random orthogonal matrices" (1980): Q is
H₁ H₂ … H_n D. H_k reflects the lower part x of column k of the numbers, from row k on,
onto the axis; D has the signs that make column k of H_k D equal to x/‖x‖. There is no
QR: a reflection is a column of numbers, so all work is products of matrices.
"""

from __future__ import annotations

from typing import Final

import numpy as np

REFLECTIONS_AT_ONCE: Final = 128
"""Columns of a block. 64 to 256 take the same time, within a tenth, from 512 × 512 to
4096 × 4096; a block's own work grows with their number."""

BYTES_AT_ONCE: Final = 1024
"""Of a column that is summed, or written, at a time. OpenBLAS cuts longer sums in two,
at another place with one thread than with two; so long ones it leaves whole."""

INVERTED_WHOLE: Final = 8
"""Triangular matrices up to so many rows are given to LAPACK."""


def reflect(numbers: np.ndarray) -> None:
    """Turn normal numbers into matrices with orthonormal columns, in place.

    What stands above the diagonal is not read. Blocks of reflections are one product
    each, 1 − V M⁻¹ Vᵀ, with M + Mᵀ = VᵀV and M upper triangular (Puglisi 1992). M is
    computed in float64 whatever the dtype: then each block is orthogonal to the
    rounding of its products, and float32 leaves |QᵀQ − 1| < 10⁻⁶.

    Beside the array itself it takes the memory of less than 700 columns.

    Args:
        numbers: "n_matrices n_long n_short", float32 or float64, n_long ≥ n_short;
            independent normal numbers, none of them 0; their std does not matter. Its
            matrices may be transposed (columns side by side in memory).

    >>> row = np.array([[[3.0], [4.0]]])
    >>> reflect(row)
    >>> row[0, :, 0].round(12).tolist()
    [0.6, 0.8]
    """
    n_matrices, n_long, n_short = numbers.shape
    is_transposed = numbers.strides[1] < numbers.strides[2]
    length = n_long if is_transposed else n_short
    room = np.empty(n_matrices * _rows_at_once(numbers) * length, numbers.dtype)
    for start in reversed(range(0, n_short, REFLECTIONS_AT_ONCE)):
        stop = min(n_short, start + REFLECTIONS_AT_ONCE)
        own = numbers[:, start:, start:stop]
        vectors, signs, middle = _vectors(own)
        inverse = inverse_of_upper(middle)
        if stop < n_short:
            _reflect_the_rest(numbers[:, start:, stop:], vectors, inverse, room)
        _reflect_the_axes(own, vectors, signs, inverse)


def _vectors(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give what a block's reflections reflect along, x + σ‖x‖e, the signs σ, and M.

    M is upper triangular with M + Mᵀ = VᵀV, in float64. XᵀX gives the lengths ‖x‖, and
    VᵀV by what is added to X's diagonal.
    """
    count = numbers.shape[2]
    steps = np.arange(count)
    vectors = numbers.copy(order="K")
    vectors[:, :count] = np.tril(vectors[:, :count])
    products = _exact_products(vectors)
    upper = vectors[:, :count].astype(np.float64)
    diagonal = upper[:, steps, steps]
    signs = np.where(diagonal < 0, -1.0, 1.0)
    lengths = np.sqrt(products[:, steps, steps])
    vectors[:, steps, steps] = diagonal + signs * lengths
    added = vectors[:, steps, steps] - diagonal
    products += np.swapaxes(upper, 1, 2) * added[:, None, :]
    products[:, steps, steps] *= 0.5
    products[:, steps, steps] += (0.5 * diagonal + 0.5 * added) * added
    return vectors, signs, np.triu(products)


def _exact_products(vectors: np.ndarray) -> np.ndarray:
    """Give VᵀV in float64."""
    n_matrices, n_rows, count = vectors.shape
    products = np.zeros((n_matrices, count, count))
    step = _rows_at_once(products)
    for start in range(0, n_rows, step):
        exact = vectors[:, start : start + step].astype(np.float64)
        products += np.swapaxes(exact, 1, 2) @ exact
    return products


def inverse_of_upper(matrices: np.ndarray) -> np.ndarray:
    """Give the inverses of upper triangular matrices "n_matrices n n".

    The inverse of [[A, B], [0, C]] is [[A⁻¹, −A⁻¹ B C⁻¹], [0, C⁻¹]]; the halves of all
    are inverted together.

    >>> inverse_of_upper(np.array([[[2.0, 1.0], [0.0, 4.0]]])).tolist()
    [[[0.5, -0.125], [0.0, 0.25]]]
    """
    n_matrices, n, _ = matrices.shape
    if n % 2 or n <= INVERTED_WHOLE:
        return np.linalg.inv(matrices)
    half = n // 2
    upper, lower = matrices[:, :half, :half], matrices[:, half:, half:]
    halves = inverse_of_upper(np.concatenate([upper, lower]))
    first, last = halves[:n_matrices], halves[n_matrices:]
    inverse = np.zeros_like(matrices)
    inverse[:, :half, :half] = first
    inverse[:, half:, half:] = last
    inverse[:, :half, half:] = -(first @ matrices[:, :half, half:] @ last)
    return inverse


def _reflect_the_rest(
    numbers: np.ndarray, vectors: np.ndarray, inverse: np.ndarray, room: np.ndarray
) -> None:
    """Reflect the columns behind a block, which are 0 in the block's own rows."""
    count = vectors.shape[2]
    upper, lower = vectors[:, :count], vectors[:, count:]
    rest = numbers[:, count:]
    along = inverse.astype(numbers.dtype) @ _summed(lower, rest)
    np.matmul(-upper, along, out=numbers[:, :count])
    _subtract_product(rest, lower, along, room)


def _summed(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Give leftᵀ @ right, summed over some rows at a time."""
    step = _rows_at_once(right)
    across = np.swapaxes(left, 1, 2)
    total: np.ndarray = across[:, :, :step] @ right[:, :step]
    for start in range(step, left.shape[1], step):
        rows = slice(start, start + step)
        total += across[:, :, rows] @ right[:, rows]
    return total


def _reflect_the_axes(
    target: np.ndarray, vectors: np.ndarray, signs: np.ndarray, inverse: np.ndarray
) -> None:
    """Write a block's own columns: its reflections of −σe, the axes."""
    count = target.shape[2]
    steps = np.arange(count)
    upper = np.swapaxes(vectors[:, :count], 1, 2).astype(np.float64)
    along = inverse @ (upper * signs[:, None, :])
    np.matmul(vectors, along.astype(target.dtype), out=target)
    target[:, steps, steps] -= signs.astype(target.dtype)


def _subtract_product(
    target: np.ndarray, left: np.ndarray, right: np.ndarray, room: np.ndarray
) -> None:
    """Subtract left @ right, some rows at a time, in the order of the memory.

    room: memory for those rows of the product.
    """
    if target.strides[1] < target.strides[2]:
        target, right, left = (
            np.swapaxes(each, 1, 2) for each in (target, left, right)
        )
    step = _rows_at_once(target)
    for start in range(0, target.shape[1], step):
        rows = target[:, start : start + step]
        product = room[: rows.size].reshape(rows.shape)
        np.matmul(left[:, start : start + step], right, out=product)
        rows -= product


def _rows_at_once(array: np.ndarray) -> int:
    return BYTES_AT_ONCE // array.itemsize
