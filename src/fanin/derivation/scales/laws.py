"""From a variance to a law: the uniform bound, and the normal that is cut at ±2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.printing import Label, chain
from fanin.derivation.proving import checked, decimal, equal, proved, refuted
from fanin.derivation.scales.symbols import BOUND, VARIANCE, Z

if TYPE_CHECKING:
    from fanin.derivation.records import Claim

CUT = 2


def uniform_bound(variance: Expr, name: str) -> Claim:
    """Prove the bound of the uniform law with that variance."""
    integral = sympy.integrate(Z**2 / (2 * BOUND), (Z, -BOUND, BOUND))
    bound = sympy.solve(sympy.Eq(integral, VARIANCE), BOUND)[0]
    filled = sympy.simplify(bound.subs(VARIANCE, variance))
    expected = sympy.sqrt(3 * variance)
    return proved(
        f"{name} uniform draws from U(−b, b) with b = √(3·Var(w)).",
        [
            equal(
                "The variance of U(−b, b):",
                Label("∫ w²/(2b) dw", r"\int_{-b}^{b} \frac{w^2}{2b} \, dw"),
                integral,
                BOUND**2 / 3,
            ),
            checked(
                "Solved for b:",
                sympy.simplify(integral.subs(BOUND, bound) - VARIANCE) == 0,
                chain(BOUND, bound),
            ),
            equal("So here:", filled, expected, formula=chain(BOUND, filled)),
        ],
    )


def truncated_std() -> Expr:
    """Give the std of N(0, 1) cut at ±2, exactly.

    >>> round(float(truncated_std()), 8)
    0.87962566
    """
    density = sympy.exp(-(Z**2) / 2) / sympy.sqrt(2 * sympy.pi)
    mass = sympy.integrate(density, (Z, -CUT, CUT))
    square = sympy.integrate(Z**2 * density, (Z, -CUT, CUT))
    return sympy.sqrt(sympy.simplify(square / mass))


def cut_normal() -> Claim:
    """Refute "a normal cut at ±2 std keeps its std"."""
    std = truncated_std()
    value = float(std)
    return refuted(
        "A normal law that is cut at two standard deviations keeps its std.",
        [
            checked(
                f"Its std is {decimal(value)} of what it was, so the law is widened by "
                f"1/{decimal(value)} before it is cut.",
                abs(value - 1) > 1e-3,
                chain(Label("std", r"\mathrm{std}"), std),
            )
        ],
        {},
    )
