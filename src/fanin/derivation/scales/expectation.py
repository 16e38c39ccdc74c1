"""Sums of independent terms: E[z²] for any number of terms, by induction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.printing import Label, chain
from fanin.derivation.proving import equal, proved
from fanin.derivation.scales.symbols import (
    FAN_IN,
    FAN_OUT,
    SQUARE_A,
    SQUARE_BELOW,
    SQUARE_DELTA,
    SQUARE_SLOPE,
    SQUARE_Z,
    VARIANCE,
)

if TYPE_CHECKING:
    from fanin.derivation.records import Claim

WEIGHT = sympy.Symbol("w", real=True)
SIGNAL = sympy.Symbol("a", real=True)
SUM = sympy.Symbol("S", real=True)
SQUARE_SUM = sympy.Symbol("E[S^2]", positive=True)


def mean_over_weight(expression: Expr) -> Expr:
    r"""Give E over one weight: E[w] = 0, E[w²] = Var(w); w is independent of the rest.

    >>> mean_over_weight(SUM + 3 * WEIGHT + WEIGHT**2)
    S + \mathrm{Var}(w)
    """
    polynomial = sympy.Poly(expression, WEIGHT)
    moments = {0: sympy.Integer(1), 1: sympy.Integer(0), 2: VARIANCE}
    return sympy.expand(
        sympy.Add(*[c * moments[power] for (power,), c in polynomial.terms()])
    )


def _means(expression: Expr, square: Expr) -> Expr:
    """Give E of what is left: a² → its second moment, S² → E[S²]."""
    return sympy.expand(expression).subs({SIGNAL**2: square, SUM**2: SQUARE_SUM})


def sum_of_terms(*, is_backward: bool = False) -> Claim:
    """Prove E[z²] = n·Var(w)·E[a²] for any number n of terms, by induction over n."""
    square = SQUARE_DELTA if is_backward else SQUARE_A
    n = FAN_OUT if is_backward else FAN_IN
    one = _means(mean_over_weight((WEIGHT * SIGNAL) ** 2), square)
    more = _means(mean_over_weight((SUM + WEIGHT * SIGNAL) ** 2), square)
    count = sympy.Symbol("n", positive=True)
    so_far = count * VARIANCE * square
    term = r"w \, \delta" if is_backward else r"w \, a"
    word = "w·δ" if is_backward else "w·a"
    lines = [
        equal(
            "One term:",
            Label(f"E[({word})²]", f"E[({term})^2]"),
            one,
            VARIANCE * square,
        ),
        equal(
            "One term more: the cross term has mean 0, since w has mean 0 and is "
            "independent of the rest.",
            Label(f"E[(S + {word})²]", f"E[(S + {term})^2]"),
            more,
            SQUARE_SUM + VARIANCE * square,
        ),
        equal(
            "So the sum of n + 1 terms has one such part more than that of n terms:",
            so_far + VARIANCE * square,
            (count + 1) * VARIANCE * square,
            more.subs(SQUARE_SUM, so_far),
        ),
    ]
    if is_backward:
        statement = (
            "Backward: E[(dL/da)²] = fan_out·Var(w)·E[δ²], the sum over the fan_out "
            "units that an activation feeds."
        )
        total = chain(SQUARE_BELOW, n * VARIANCE * square * SQUARE_SLOPE)
        words = (
            "Through φ the error is multiplied by φ′(z), which is independent of it:"
        )
        passed = so_far.subs(count, n) * SQUARE_SLOPE
        line = equal(words, passed, n * VARIANCE * square * SQUARE_SLOPE, formula=total)
        return proved(statement, [*lines, line], kind="induction")
    statement = "Forward: E[z²] = fan_in·Var(w)·E[a²], the sum over fan_in terms."
    total = chain(SQUARE_Z, n * VARIANCE * square)
    line = equal(
        "With fan_in terms:",
        so_far.subs(count, n),
        n * VARIANCE * square,
        formula=total,
    )
    return proved(statement, [*lines, line], kind="induction")
