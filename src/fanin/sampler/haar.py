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

ROWS_AT_ONCE: Final = 512
"""Of a product that is subtracted: so many rows of it are in memory at a time."""


def reflect(numbers: np.ndarray) -> None:
    """Turn normal numbers into matrices with orthonormal columns, in place.

    What stands above the diagonal is not read. Blocks of reflections are one product
    each, 1 − V M⁻¹ Vᵀ, with M + Mᵀ = VᵀV and M upper triangular (Puglisi 1992). M is
    computed in float64 whatever the dtype: then each block is orthogonal to the
    rounding of its products, and float32 leaves |QᵀQ − 1| < 10⁻⁶.

    Beside the array itself it takes some hundred columns and rows.

    Args:
        numbers: "n_matrices n_long n_short", float32 or float64, n_long ≥ n_short;
            independent normal numbers, none of them 0; their std does not matter. Its
            matrices may be transposed (columns side by side in memory).

    >>> row = np.array([[[3.0], [4.0]]])
    >>> reflect(row)
    >>> row[0, :, 0].round(12).tolist()
    [0.6, 0.8]
    """
    n_short = numbers.shape[2]
    for start in reversed(range(0, n_short, REFLECTIONS_AT_ONCE)):
        stop = min(n_short, start + REFLECTIONS_AT_ONCE)
        vectors, signs = _vectors(numbers[:, start:, start:stop])
        inverse = np.linalg.inv(_middle(vectors))
        _reflect_the_rest(numbers, start, stop, vectors, inverse)
        _reflect_the_axes(numbers[:, start:, start:stop], vectors, signs, inverse)


def _vectors(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give what the reflections reflect along, x + σ‖x‖e, and the signs σ.

    Both are of the dtype of the numbers; ‖x‖ is summed in float64.
    """
    count = numbers.shape[2]
    steps = np.arange(count)
    vectors = numbers.copy()
    vectors[:, :count] = np.tril(vectors[:, :count])
    squares = np.einsum("nij,nij->nj", vectors, vectors, dtype=np.float64)
    diagonal = vectors[:, steps, steps]
    signs = np.where(diagonal < 0, -1.0, 1.0)
    vectors[:, steps, steps] = diagonal + signs * np.sqrt(squares)
    return vectors, signs


def _middle(vectors: np.ndarray) -> np.ndarray:
    """Give M, upper triangular with M + Mᵀ = VᵀV, in float64."""
    exact = vectors.astype(np.float64)
    products = np.swapaxes(exact, 1, 2) @ exact
    middle = np.triu(products)
    steps = np.arange(middle.shape[1])
    middle[:, steps, steps] /= 2
    return middle


def _reflect_the_rest(
    numbers: np.ndarray,
    start: int,
    stop: int,
    vectors: np.ndarray,
    inverse: np.ndarray,
) -> None:
    """Reflect the columns behind a block, which are 0 in the block's own rows."""
    if stop == numbers.shape[2]:
        return
    count = stop - start
    upper, lower = vectors[:, :count], vectors[:, count:]
    rest = numbers[:, stop:, stop:]
    along = np.swapaxes(lower, 1, 2) @ rest
    along = inverse.astype(numbers.dtype) @ along
    numbers[:, start:stop, stop:] = -(upper @ along)
    _subtract_product(rest, lower, along)


def _reflect_the_axes(
    target: np.ndarray, vectors: np.ndarray, signs: np.ndarray, inverse: np.ndarray
) -> None:
    """Write a block's own columns: its reflections of −σe, the axes."""
    count = target.shape[2]
    steps = np.arange(count)
    upper = np.swapaxes(vectors[:, :count], 1, 2).astype(np.float64)
    along = inverse @ (upper * signs[:, None, :])
    target[...] = vectors @ along.astype(target.dtype)
    target[:, steps, steps] -= signs.astype(target.dtype)


def _subtract_product(target: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Subtract left @ right, some rows at a time, in the order of the memory."""
    if target.strides[1] < target.strides[2]:
        target, left, right = (
            np.swapaxes(each, 1, 2) for each in (target, right, left)
        )
    for start in range(0, target.shape[1], ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        target[:, rows] -= left[:, rows] @ right
