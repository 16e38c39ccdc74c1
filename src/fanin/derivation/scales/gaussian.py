"""E[φ(z)²] and E[φ′(z)²] for z ~ N(0, q), integrated by SymPy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.functions import NONLINEARITIES
from fanin.derivation.functions import Z as ARGUMENT
from fanin.derivation.printing import Label
from fanin.derivation.proving import equal, proved
from fanin.derivation.scales.symbols import SLOPE, Q, Z

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.derivation.records import Claim


def density() -> Expr:
    """Give the density of N(0, q)."""
    return sympy.exp(-(Z**2) / (2 * Q)) / sympy.sqrt(2 * sympy.pi * Q)


def half_mean(expression: Expr, *, is_upper: bool) -> Expr:
    """Give the integral of an expression in z over one half line, under N(0, q).

    >>> half_mean(Z**2, is_upper=True)
    q/2
    """
    limits = (Z, 0, sympy.oo) if is_upper else (Z, -sympy.oo, 0)
    return sympy.simplify(sympy.integrate(expression * density(), limits))


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Both second moments of one activation, as functions of q.

    forward: E[φ²]/q, backward: E[φ′²]; both without q where φ is positively
    homogeneous (ReLU, leaky ReLU, identity), limits for q → 0 for tanh.
    is_exact: False for the limits.
    """

    forward: Expr
    backward: Expr
    is_exact: bool
    claim: Claim


@lru_cache(maxsize=8)
def two_slopes(name: str, below: Expr) -> Moments:
    """Give the moments of φ = z above 0 and below·z under it."""
    upper = half_mean(Z**2, is_upper=True)
    lower = half_mean((below * Z) ** 2, is_upper=False)
    total = sympy.simplify(upper + lower)
    slope_upper = half_mean(sympy.Integer(1), is_upper=True)
    slope_lower = half_mean(below**2, is_upper=False)
    slopes = sympy.simplify(slope_upper + slope_lower)
    expected = (1 + below**2) / 2
    statement = f"For {name} E[φ²] = {_words(below)}·q and E[φ′²] is the same number."
    first = Label(r"∫ z²·p(z) dz over z > 0", r"\int_0^\infty z^2 \, p(z) \, dz")
    second = Label(
        r"∫ φ(z)²·p(z) dz over z < 0",
        r"\int_{-\infty}^0 \varphi(z)^2 \, p(z) \, dz",
    )
    square = Label("E[φ²]", r"E[\varphi^2]")
    return Moments(
        forward=sympy.simplify(total / Q),
        backward=slopes,
        is_exact=True,
        claim=proved(
            statement,
            [
                equal("Above 0 φ(z) = z:", first, upper, Q / 2),
                equal("Below 0:", second, lower, below**2 * Q / 2),
                equal("Together:", square, total, expected * Q),
                equal(
                    "φ′ is 1 above 0 and the slope below it, each half the time:",
                    Label("E[φ′²]", r"E[\varphi'^2]"),
                    slopes,
                    expected,
                ),
            ],
        ),
    )


def _words(below: Expr) -> str:
    if below == 0:
        return "½"
    return "1" if below == 1 else "(1 + α²)/2"


@lru_cache(maxsize=8)
def near_zero(name: str) -> Moments:
    """Give the limits for small q of a smooth φ with φ(0) = 0, from its series."""
    phi = NONLINEARITIES[name].expression.subs(ARGUMENT, Z)
    series = sympy.series(phi, Z, 0, 6).removeO()
    square = _gaussian_mean(sympy.expand(series**2), 3)
    slope = _gaussian_mean(sympy.expand(sympy.diff(series, Z) ** 2), 2)
    forward = sympy.limit(square / Q, Q, 0)
    backward = sympy.limit(slope, Q, 0)
    statement = (
        f"For {name} E[φ²]/q and E[φ′²] go to 1 as q → 0: near 0 it is the identity."
    )
    claim = proved(
        statement,
        [
            equal(
                f"The series of {name} at 0:",
                Label(f"{name}(z)", rf"\mathrm{{{name}}}(z)"),
                series,
                sympy.series(phi, Z, 0, 6).removeO(),
            ),
            equal(
                "Squared and integrated term by term with E[z²] = q, E[z⁴] = 3·q²:",
                Label("E[φ²]", r"E[\varphi^2]"),
                square,
                sympy.expand(square),
            ),
            equal(
                "The share that passes, for q → 0:",
                Label("E[φ²]/q", r"E[\varphi^2]/q"),
                forward,
                sympy.Integer(1),
            ),
            equal(
                "The same for the derivative:",
                Label("E[φ′²]", r"E[\varphi'^2]"),
                backward,
                sympy.Integer(1),
            ),
        ],
    )
    return Moments(forward=forward, backward=backward, is_exact=False, claim=claim)


def _gaussian_mean(polynomial: Expr, n_powers: int) -> Expr:
    """Give E of a polynomial in z, leaving out powers of q from ``n_powers`` on."""
    total = sympy.Integer(0)
    for (power,), coefficient in sympy.Poly(polynomial, Z).terms():
        if power % 2 == 0 and power // 2 < n_powers:
            total += coefficient * 2 * half_mean(Z**power, is_upper=True)
    return sympy.expand(total)


MOMENTS: dict[str, Callable[[], Moments]] = {
    "relu": lambda: two_slopes("relu", sympy.Integer(0)),
    "leaky_relu": lambda: two_slopes("leaky_relu", SLOPE),
    "identity": lambda: two_slopes("identity", sympy.Integer(1)),
    "tanh": lambda: near_zero("tanh"),
    "sin": lambda: near_zero("sin"),
}


def numeric_square(name: str, q: float) -> float:
    """Give E[φ(z)²] for z ~ N(0, q): quadrature with mpmath, |error| < 1e-10."""
    import mpmath

    phi = sympy.lambdify(ARGUMENT, NONLINEARITIES[name].expression, "mpmath")
    root = mpmath.sqrt(q)
    weight = mpmath.mpf(1) / mpmath.sqrt(2 * mpmath.pi)
    value = mpmath.quad(
        lambda t: phi(root * t) ** 2 * weight * mpmath.exp(-t * t / 2),
        [-12, -2, 0, 2, 12],
    )
    return float(value)


def settled_square(name: str, factor: float) -> float:
    """Give the q > 0 that a layer leaves as it is: q = factor·E[φ(z)²], z ~ N(0, q).

    The secant method on the quadrature; |error| < 1e-9.
    """
    import mpmath

    root = mpmath.findroot(
        lambda q: factor * numeric_square(name, float(q)) - q, (0.5, 1.0), tol=1e-18
    )
    return float(root)
