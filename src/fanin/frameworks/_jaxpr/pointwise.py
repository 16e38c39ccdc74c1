"""JAX's entry-by-entry primitives as NumPy functions of float64 arrays."""

from __future__ import annotations

import math
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.frameworks._jaxpr.steps import Step
    from fanin.graph.draft import PointwiseFunction

TO_NEAREST_EVEN: Final = 1
"""``jax.lax.RoundingMethod``'s number for it."""

RULES: Final = {
    "add": "add",
    "add_any": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
}
"""Primitives of two operands that the graph knows by their rule of arithmetic."""


def logistic(z: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ᶻ), without overflow for any z.

    >>> float(logistic(np.array(0.0)))
    0.5
    """
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))


def select(which: np.ndarray, *cases: np.ndarray) -> np.ndarray:
    """Take from the case that ``which`` counts, entry by entry.

    >>> select(np.array([0.0, 1.0]), np.array(5.0), np.array(7.0)).tolist()
    [5.0, 7.0]
    """
    return np.choose(np.asarray(which).astype(np.int64), list(cases), mode="clip")


def clamp(low: np.ndarray, z: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Keep z within [low, high], as ``jax.lax.clamp`` orders its arguments."""
    return np.asarray(np.minimum(np.maximum(z, low), high))


def round_away(z: np.ndarray) -> np.ndarray:
    """Round halves away from zero, as ``jax.lax.round`` does unless told otherwise."""
    return np.asarray(np.sign(z) * np.floor(np.abs(z) + 0.5))


def inverse_erf(p: float) -> float:
    """Give the x with erf(x) = p: ±∞ at ±1, NaN beyond.

    >>> round(inverse_erf(math.erf(0.75)), 12)
    0.75
    """
    if abs(p) >= 1.0:
        return math.copysign(math.inf, p) if abs(p) == 1.0 else math.nan
    return NormalDist().inv_cdf((p + 1.0) / 2.0) / math.sqrt(2.0)


def _divide(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.divide(left, right))


def _quiet(function: Callable[..., Any]) -> PointwiseFunction:
    """Let infinities and NaN arise without a warning, as they do in JAX."""

    def quiet(*arrays: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(function(*arrays))

    return quiet


def _over(function: Callable[[float], float]) -> PointwiseFunction:
    return np.vectorize(function, otypes=[np.float64])


FUNCTIONS: Final[Mapping[str, PointwiseFunction]] = {
    "abs": np.abs,
    "acos": _quiet(np.arccos),
    "acosh": _quiet(np.arccosh),
    "add": np.add,
    "add_any": np.add,
    "and": lambda a, b: np.asarray((a != 0) & (b != 0)).astype(float),
    "asin": _quiet(np.arcsin),
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": _quiet(np.arctanh),
    "cbrt": np.cbrt,
    "ceil": np.ceil,
    "clamp": clamp,
    "cos": np.cos,
    "cosh": _quiet(np.cosh),
    "div": _divide,
    "eq": lambda a, b: np.equal(a, b).astype(float),
    "erf": _over(math.erf),
    "erfc": _over(math.erfc),
    "erf_inv": _over(inverse_erf),
    "exp": _quiet(np.exp),
    "exp2": _quiet(np.exp2),
    "expm1": _quiet(np.expm1),
    "floor": np.floor,
    "ge": lambda a, b: np.greater_equal(a, b).astype(float),
    "gt": lambda a, b: np.greater(a, b).astype(float),
    "is_finite": lambda z: np.isfinite(z).astype(float),
    "le": lambda a, b: np.less_equal(a, b).astype(float),
    "lgamma": _quiet(_over(math.lgamma)),
    "log": _quiet(np.log),
    "log1p": _quiet(np.log1p),
    "logistic": logistic,
    "lt": lambda a, b: np.less(a, b).astype(float),
    "max": np.maximum,
    "min": np.minimum,
    "mul": np.multiply,
    "ne": lambda a, b: np.not_equal(a, b).astype(float),
    "neg": np.negative,
    "nextafter": np.nextafter,
    "not": lambda z: np.equal(z, 0).astype(float),
    "or": lambda a, b: np.asarray((a != 0) | (b != 0)).astype(float),
    "pow": _quiet(np.power),
    "real": lambda z: z,
    "rem": _quiet(np.fmod),
    "rsqrt": _quiet(lambda z: 1.0 / np.sqrt(z)),
    "select_n": select,
    "sign": np.sign,
    "sin": np.sin,
    "sinh": _quiet(np.sinh),
    "sqrt": _quiet(np.sqrt),
    "square": np.square,
    "sub": np.subtract,
    "tan": np.tan,
    "tanh": np.tanh,
    "xor": lambda a, b: np.not_equal(a != 0, b != 0).astype(float),
}
"""By JAX's name; logical primitives read 0 as false and give 0.0 or 1.0."""


def function_of(step: Step) -> PointwiseFunction | None:
    """Give the NumPy function of a pointwise step, or None for any other primitive."""
    if step.primitive == "integer_pow":
        return partial(_integer_power, exponent=int(step.params["y"]))
    if step.primitive == "round":
        is_even = int(step.params["rounding_method"]) == TO_NEAREST_EVEN
        return np.rint if is_even else round_away
    return FUNCTIONS.get(step.primitive)


def _integer_power(z: np.ndarray, *, exponent: int) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(np.asarray(z, dtype=np.float64) ** exponent)
