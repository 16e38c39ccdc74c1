"""Fixed numbers that stand in for a loss: generic, and the same in every framework."""

from __future__ import annotations

from math import prod

import numpy as np

GOLDEN = (5.0**0.5 - 1.0) / 2.0
SQUARES = 2.0**0.5 - 1.0
"""Two irrational steps: multiples of one alone would repeat along an axis."""


def projection(shape: tuple[int, ...]) -> np.ndarray:
    """Give numbers of mean 0 and mean square 1 that no symmetry of a model shares.

    p_k = √2·cos(2π·(k·φ + k²·ψ)), in row-major order: the phases of a quadratic
    sequence with irrational coefficients are spread evenly over the circle (Weyl,
    1916, "Über die Gleichverteilung von Zahlen mod. Eins"), where cos has mean 0 and
    cos² has mean ½. No generator is drawn from, so that nothing has to be put back.

    Args:
        shape: of the output to be projected.

    Returns:
        float64 numbers in that shape.

    >>> bool(abs(np.mean(projection((100, 100)) ** 2) - 1.0) < 0.02)
    True
    """
    k = np.arange(1, prod(shape) + 1, dtype=np.float64)
    turns = np.mod(k * GOLDEN, 1.0) + np.mod(np.mod(k, 65536.0) ** 2 * SQUARES, 1.0)
    return np.asarray(2.0**0.5 * np.cos(2.0 * np.pi * turns)).reshape(shape)
