"""Losses and the output functions that go with them, in symbols.

Per sample, averaged over outputs as PyTorch and Keras do: mse, linear output;
binary cross-entropy, sigmoid output; categorical cross-entropy, softmax output with a
one-hot target. A batch's loss is the mean over its samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A loss with its output function.

    output: "linear", "sigmoid" or "softmax". value(ŷs, ys): L of one sample.
    slope(ŷ, y, n): dL/dŷ_k. delta(ŷ, y, n): dL/dz_k at the output, simplified; n is
    the number of outputs.

    >>> MSE.delta(*sympy.symbols("p y"), 1)
    2*p - 2*y
    """

    name: str
    output: str
    value: Callable[[Sequence[Expr], Sequence[Expr]], Expr]
    slope: Callable[[Expr, Expr, int], Expr]
    delta: Callable[[Expr, Expr, int], Expr]
    aliases: tuple[str, ...] = ()
    fits_one_output: bool = True


LOSSES: Registry[Loss] = Registry("loss")


def _mean_square(predictions: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
    pairs = zip(predictions, targets, strict=True)
    return sum((p - t) ** 2 for p, t in pairs) / sympy.Integer(len(targets))


def _binary(predictions: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
    pairs = zip(predictions, targets, strict=True)
    terms = [t * sympy.log(p) + (1 - t) * sympy.log(1 - p) for p, t in pairs]
    return -sympy.Add(*terms) / sympy.Integer(len(targets))


def _categorical(predictions: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
    pairs = zip(predictions, targets, strict=True)
    return -sympy.Add(*[t * sympy.log(p) for p, t in pairs])


def _share(n: int) -> Expr:
    return sympy.Rational(1, n)


MSE = LOSSES.register(
    Loss(
        name="mse",
        aliases=("mean_squared_error",),
        output="linear",
        value=_mean_square,
        slope=lambda p, t, n: 2 * _share(n) * (p - t),
        delta=lambda p, t, n: 2 * _share(n) * (p - t),
    )
)
BINARY = LOSSES.register(
    Loss(
        name="binary_cross_entropy",
        aliases=("bce", "binary_crossentropy"),
        output="sigmoid",
        value=_binary,
        slope=lambda p, t, n: _share(n) * (p - t) / (p * (1 - p)),
        delta=lambda p, t, n: _share(n) * (p - t),
    )
)
CATEGORICAL = LOSSES.register(
    Loss(
        name="categorical_cross_entropy",
        aliases=("cce", "cross_entropy", "ce", "categorical_crossentropy"),
        output="softmax",
        value=_categorical,
        slope=lambda p, t, _: -t / p,
        delta=lambda p, t, _: p - t,
        fits_one_output=False,
    )
)
