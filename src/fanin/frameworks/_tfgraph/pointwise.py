"""TensorFlow's entry-by-entry operations as NumPy functions of float64 arrays."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.frameworks._tfgraph.steps import Step
    from fanin.graph.draft import PointwiseFunction

RULES: Final = {
    "Add": "add",
    "AddV2": "add",
    "BiasAdd": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "Div": "divide",
    "RealDiv": "divide",
    "Maximum": "maximum",
    "Minimum": "minimum",
}
"""Operations of two operands that the graph knows by their rule of arithmetic."""

# From Klambauer, Unterthiner, Mayr and Hochreiter (2017); TensorFlow has them in its
# kernel of Selu and hands them to nobody.
SELU_SCALE: Final = 1.0507009873554804934193349852946
SELU_ALPHA: Final = 1.6732632423543772848170429916717


def logistic(z: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ᶻ), without overflow for any z.

    >>> float(logistic(np.array(0.0)))
    0.5
    """
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))


def elu(z: np.ndarray) -> np.ndarray:
    """Z for z > 0, else eᶻ − 1.

    >>> elu(np.array([2.0, 0.0])).tolist()
    [2.0, 0.0]
    """
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0.0)))


def selu(z: np.ndarray) -> np.ndarray:
    """λz for z > 0, else λα(eᶻ − 1)."""
    below = SELU_ALPHA * np.expm1(np.minimum(z, 0.0))
    return SELU_SCALE * np.where(z > 0, z, below)


def softplus(z: np.ndarray) -> np.ndarray:
    """log(1 + eᶻ), without overflow for any z."""
    return np.asarray(np.logaddexp(0.0, z))


def clip(z: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Keep z within [low, high]."""
    return np.asarray(np.minimum(np.maximum(z, low), high))


def select(which: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Take from the first where ``which`` is true, else from the second."""
    return np.where(np.not_equal(which, 0), first, second)


def add_all(*arrays: np.ndarray) -> np.ndarray:
    """Add any number of arrays."""
    return np.asarray(sum(arrays[1:], arrays[0]))


def _no_nan(function: Callable[..., Any]) -> PointwiseFunction:
    """Give 0 where the second operand is 0, as DivNoNan and MulNoNan do."""

    def guarded(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.where(np.equal(right, 0), 0.0, function(left, right))

    return guarded


def _times(function: Callable[..., Any]) -> PointwiseFunction:
    """Give x·f(y), and 0 where x is 0, as Xlogy, Xlog1py and Xdivy do."""

    def guarded(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.where(np.equal(left, 0), 0.0, left * function(right))

    return guarded


def _quiet(function: Callable[..., Any]) -> PointwiseFunction:
    """Let infinities and NaN arise without a warning, as they do in TensorFlow."""

    def quiet(*arrays: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(function(*arrays), dtype=np.float64)

    return quiet


def _over(function: Callable[[float], float]) -> PointwiseFunction:
    return np.vectorize(function, otypes=[np.float64])


FUNCTIONS: Final[Mapping[str, PointwiseFunction]] = {
    "Abs": np.abs,
    "Acos": _quiet(np.arccos),
    "Acosh": _quiet(np.arccosh),
    "Add": np.add,
    "AddN": add_all,
    "AddV2": np.add,
    "Asin": _quiet(np.arcsin),
    "Asinh": np.arcsinh,
    "Atan": np.arctan,
    "Atan2": np.arctan2,
    "Atanh": _quiet(np.arctanh),
    "BiasAdd": np.add,
    "Ceil": np.ceil,
    "ClipByValue": clip,
    "Cos": np.cos,
    "Cosh": _quiet(np.cosh),
    "Div": _quiet(np.divide),
    "DivNoNan": _no_nan(np.divide),
    "Elu": elu,
    "Equal": _quiet(np.equal),
    "Erf": _over(math.erf),
    "Erfc": _over(math.erfc),
    "Exp": _quiet(np.exp),
    "Expm1": _quiet(np.expm1),
    "Floor": np.floor,
    "FloorDiv": _quiet(np.floor_divide),
    "FloorMod": _quiet(np.mod),
    "Greater": _quiet(np.greater),
    "GreaterEqual": _quiet(np.greater_equal),
    "Inv": _quiet(np.reciprocal),
    "IsFinite": _quiet(np.isfinite),
    "IsInf": _quiet(np.isinf),
    "IsNan": _quiet(np.isnan),
    "Less": _quiet(np.less),
    "LessEqual": _quiet(np.less_equal),
    "Lgamma": _quiet(_over(math.lgamma)),
    "Log": _quiet(np.log),
    "Log1p": _quiet(np.log1p),
    "LogicalAnd": _quiet(np.logical_and),
    "LogicalNot": _quiet(np.logical_not),
    "LogicalOr": _quiet(np.logical_or),
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Mod": _quiet(np.fmod),
    "Mul": np.multiply,
    "MulNoNan": _no_nan(np.multiply),
    "Neg": np.negative,
    "NotEqual": _quiet(np.not_equal),
    "Pow": _quiet(np.power),
    "RealDiv": _quiet(np.divide),
    "Reciprocal": _quiet(np.reciprocal),
    "Relu": lambda z: np.maximum(z, 0.0),
    "Relu6": lambda z: np.clip(z, 0.0, 6.0),
    "Rint": np.rint,
    "Round": np.rint,
    "Rsqrt": _quiet(lambda z: 1.0 / np.sqrt(z)),
    "Select": select,
    "SelectV2": select,
    "Selu": selu,
    "Sigmoid": logistic,
    "Sign": np.sign,
    "Sin": np.sin,
    "Sinh": _quiet(np.sinh),
    "Softplus": softplus,
    "Softsign": lambda z: z / (1.0 + np.abs(z)),
    "Sqrt": _quiet(np.sqrt),
    "Square": np.square,
    "SquaredDifference": lambda a, b: np.square(a - b),
    "Sub": np.subtract,
    "Tan": np.tan,
    "Tanh": np.tanh,
    "TruncateDiv": _quiet(lambda a, b: np.trunc(a / b)),
    "TruncateMod": _quiet(np.fmod),
    "Xdivy": _times(np.reciprocal),
    "Xlog1py": _times(np.log1p),
    "Xlogy": _times(np.log),
}
"""By TensorFlow's name; logical operations read 0 as false and give 0.0 or 1.0."""


def function_of(step: Step) -> PointwiseFunction | None:
    """Give the NumPy function of a pointwise step, or None for any other operation."""
    if step.kind == "LeakyRelu":
        return partial(_leaky_relu, slope=float(step.attributes["alpha"]))
    if step.kind == "Bucketize":
        borders = np.asarray(step.attributes["boundaries"], dtype=np.float64)
        return partial(_bucket, borders=borders)
    return FUNCTIONS.get(step.kind)


def _leaky_relu(z: np.ndarray, *, slope: float) -> np.ndarray:
    return np.where(z > 0, z, slope * z)


def _bucket(z: np.ndarray, *, borders: np.ndarray) -> np.ndarray:
    return np.searchsorted(borders, z, side="right").astype(np.float64)
