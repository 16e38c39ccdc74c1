"""Activations and their slopes on arrays of any float type, fast enough for a slider.

`fanin.activations` has the same functions in float64 with their moments; a test holds
the values and slopes here to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Array = np.ndarray

SELU_ALPHA: Final = 1.6732632423543772
SELU_FACTOR: Final = 1.0507009873554805
"""Klambauer et al. (2017), equation 2: the fixed point at mean 0 and variance 1."""
LEAK: Final = 0.01
GELU_CUBE: Final = 0.044715
"""Hendrycks & Gimpel (2016), the form with tanh."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """φ and φ′. value: z → φ(z). slope: (z, φ(z)) → φ′(z), at a kink from the left."""

    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]


def _sigmoid(z: Array) -> Array:
    """1 / (1 + e⁻ᶻ), written with tanh: it overflows nowhere."""
    return np.asarray(0.5 * np.tanh(0.5 * z) + 0.5)


def _elu(z: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def _elu_slope(z: Array, y: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, 1, y + alpha).astype(z.dtype)


def _silu_slope(z: Array, _: Array) -> Array:
    gate = _sigmoid(z)
    return np.asarray(gate * (1 + z * (1 - gate)))


def _bend(z: Array) -> Array:
    """Give tanh(√(2/π)·(z + 0.044715·z³)); beyond ±10 it is ±1 in any float type."""
    near = np.clip(z, -10, 10)
    return np.asarray(np.tanh(sqrt(2 / pi) * near * (1 + GELU_CUBE * near * near)))


def _gelu(z: Array) -> Array:
    return np.asarray(0.5 * z * (1 + _bend(z)))


def _gelu_slope(z: Array, _: Array) -> Array:
    near = np.clip(z, -10, 10)
    bend = _bend(z)
    inner = sqrt(2 / pi) * (1 + 3 * GELU_CUBE * near * near)
    return np.asarray(0.5 * (1 + bend) + 0.5 * near * (1 - bend * bend) * inner)


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "relu": Function(
            value=lambda z: np.maximum(z, 0),
            slope=lambda z, _: (z > 0).astype(z.dtype),
        ),
        "leaky_relu": Function(
            value=lambda z: np.where(z > 0, z, LEAK * z),
            slope=lambda z, _: np.where(z > 0, 1, LEAK).astype(z.dtype),
        ),
        "tanh": Function(value=np.tanh, slope=lambda _, y: 1 - y * y),
        "sigmoid": Function(value=_sigmoid, slope=lambda _, y: y * (1 - y)),
        "identity": Function(
            value=lambda z: z.copy(), slope=lambda z, _: np.ones_like(z)
        ),
        "elu": Function(value=_elu, slope=_elu_slope),
        "selu": Function(
            value=lambda z: SELU_FACTOR * _elu(z, SELU_ALPHA),
            slope=lambda z, y: np.where(
                z > 0, SELU_FACTOR, y + SELU_FACTOR * SELU_ALPHA
            ).astype(z.dtype),
        ),
        "silu": Function(value=lambda z: z * _sigmoid(z), slope=_silu_slope),
        "gelu_tanh": Function(value=_gelu, slope=_gelu_slope),
    }
)
"""By the names of `fanin.activations`."""
