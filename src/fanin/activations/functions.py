"""The named functions on NumPy arrays, in float64, entry by entry."""

from __future__ import annotations

from math import erf as erf_of_float
from math import erfc, exp, pi, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fanin.graph.graph import ScalarFunction

    Floats = NDArray[np.float64]

_ERF_STEP: Final = 2.0**-9
_ERF_PLACES: Final = np.arange(6 * 2**9 + 1) * _ERF_STEP
_ERF_THERE: Final = np.array([erf_of_float(place) for place in _ERF_PLACES])
_ERF_SLOPE: Final = 2.0 / sqrt(pi) * np.exp(-(_ERF_PLACES**2))
"""erf and erf′ at every 1/512 up to 6, where erf is 1 in float64."""


def normal_below(z: float) -> float:
    """Give Φ(z), the share of N(0, 1) below z."""
    return erfc(-z / sqrt(2)) / 2


# E[selu] = 0 and E[selu²] = 1 under N(0, 1), solved for both constants in turn, with
# E[eᶻ; z < 0] = e^½·Φ(−1) and E[e²ᶻ; z < 0] = e²·Φ(−2). Klambauer et al. (2017),
# "Self-Normalizing Neural Networks", equation 14; held against them in the tests.
_SHARE = exp(0.5) * normal_below(-1.0)
SELU_ALPHA: Final = 1 / sqrt(2 * pi) / (0.5 - _SHARE)
SELU_SCALE: Final = (
    0.5 + SELU_ALPHA**2 * (exp(2.0) * normal_below(-2.0) - 2 * _SHARE + 0.5)
) ** -0.5


def identity(x: Floats) -> Floats:
    """Give x."""
    return x


def relu(x: Floats) -> Floats:
    """Give max(0, x)."""
    return np.maximum(x, 0.0)


def leaky_relu(slope: float) -> ScalarFunction:
    """Give x ↦ x for x > 0, slope·x else."""
    return lambda x: np.where(x > 0.0, x, slope * x)


def elu(alpha: float) -> ScalarFunction:
    """Give x ↦ x for x > 0, α(eˣ − 1) else."""
    return lambda x: np.where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def celu(alpha: float) -> ScalarFunction:
    """Give x ↦ x for x > 0, α(e^(x/α) − 1) else."""
    return lambda x: np.where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0) / alpha))


def selu(x: Floats) -> Floats:
    """Give λ·elu(x; α) with the constants that keep mean 0 and variance 1."""
    values: Floats = SELU_SCALE * elu(SELU_ALPHA)(x)
    return values


def erf(x: Floats) -> Floats:
    """Give the error function, to the last digit or two of float64.

    Taylor's series of degree 5 around the next place of a table, of which the rest is
    below 1e-18: erf^(k+1) = (−1)ᵏ·Hₖ·erf′, with Hermite's polynomials Hₖ.
    """
    size = np.abs(x)
    bounded = np.minimum(np.nan_to_num(size, nan=0.0), 6.0)
    index = np.rint(bounded / _ERF_STEP).astype(np.intp)
    p = _ERF_PLACES[index]
    t = bounded - p
    third, fourth = (4.0 * p**2 - 2.0) / 6.0, (12.0 - 8.0 * p**2) * p / 24.0
    fifth = (16.0 * p**4 - 48.0 * p**2 + 12.0) / 120.0
    series = t * (1.0 + t * (-p + t * (third + t * (fourth + t * fifth))))
    values: Floats = np.copysign(_ERF_THERE[index] + _ERF_SLOPE[index] * series, x)
    return np.where(np.isnan(x), np.nan, values)


def gelu(x: Floats) -> Floats:
    """Give x·Φ(x)."""
    return 0.5 * x * (1.0 + erf(x / sqrt(2.0)))


def gelu_tanh(x: Floats) -> Floats:
    """Give the approximation ½x(1 + tanh(√(2/π)(x + 0.044715x³)))."""
    return 0.5 * x * (1.0 + np.tanh(sqrt(2.0 / pi) * (x + 0.044715 * x * x * x)))


def quick_gelu(x: Floats) -> Floats:
    """Give the approximation x·sigmoid(1.702x)."""
    return x * sigmoid(1.702 * x)


def sigmoid(x: Floats) -> Floats:
    """Give 1 / (1 + e⁻ˣ), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, small) / (1.0 + small)


def silu(x: Floats) -> Floats:
    """Give x·sigmoid(x)."""
    return x * sigmoid(x)


def softplus(beta: float) -> ScalarFunction:
    """Give x ↦ ln(1 + e^(βx)) / β."""
    return lambda x: np.logaddexp(0.0, beta * x) / beta


def log_sigmoid(x: Floats) -> Floats:
    """Give ln sigmoid(x)."""
    return -np.logaddexp(0.0, -x)


def mish(x: Floats) -> Floats:
    """Give x·tanh(softplus(x))."""
    return x * np.tanh(np.logaddexp(0.0, x))


def hard_sigmoid(x: Floats) -> Floats:
    """Give relu6(x + 3) / 6."""
    return np.clip(x + 3.0, 0.0, 6.0) / 6.0


def hard_swish(x: Floats) -> Floats:
    """Give x·relu6(x + 3) / 6."""
    return x * hard_sigmoid(x)


def hard_tanh(bound: float) -> ScalarFunction:
    """Give x ↦ x clipped to (−bound, bound)."""
    return lambda x: np.clip(x, -bound, bound)


def relu6(x: Floats) -> Floats:
    """Give x clipped to (0, 6)."""
    return np.clip(x, 0.0, 6.0)


def relu_squared(x: Floats) -> Floats:
    """Give max(0, x)²."""
    return np.maximum(x, 0.0) ** 2


def softsign(x: Floats) -> Floats:
    """Give x / (1 + |x|)."""
    return x / (1.0 + np.abs(x))


def tanhshrink(x: Floats) -> Floats:
    """Give x − tanh(x)."""
    return x - np.tanh(x)


def soft_shrink(width: float) -> ScalarFunction:
    """Give x ↦ x moved towards 0 by width, 0 within it."""
    return lambda x: np.sign(x) * np.maximum(np.abs(x) - width, 0.0)


def hard_shrink(width: float) -> ScalarFunction:
    """Give x ↦ x, 0 within width: it jumps at both ends."""
    return lambda x: np.where(np.abs(x) > width, x, 0.0)


def step(x: Floats) -> Floats:
    """Give 1 for x > 0, else 0."""
    return (x > 0.0).astype(np.float64)
