"""What the three variances keep, what they do not, and what happens when swapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.printing import Label, chain
from fanin.derivation.proving import checked, decimal, equal, proved, refuted
from fanin.derivation.scales.gaussian import (
    MOMENTS,
    Moments,
    numeric_square,
    settled_square,
)
from fanin.derivation.scales.symbols import FAN_IN, FAN_OUT, SLOPE, VARIANCE
from fanin.graph.fans import Fan
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from fanin.derivation.records import Claim

ONE = sympy.Integer(1)
SCHEME = {"glorot": "glorot_normal", "he": "he_normal", "lecun": "lecun_normal"}


def forward_factor(variance: Expr, moments: Moments) -> Expr:
    """Give what a layer multiplies the second moment of z by."""
    return sympy.simplify(FAN_IN * variance * moments.forward)


def backward_factor(variance: Expr, moments: Moments) -> Expr:
    """Give what a layer multiplies the error's second moment by."""
    return sympy.simplify(FAN_OUT * variance * moments.backward)


def solution_keeps(moments: Moments, variance: Expr) -> Claim:
    """Prove what the variance keeps: forward, or both where the fans are equal."""
    same = {FAN_OUT: FAN_IN}
    forward = forward_factor(variance, moments)
    backward = backward_factor(variance, moments)
    words = "" if moments.is_exact else " for small q"
    factor = Label("factor forward", r"\text{factor forward}")
    back = Label("factor backward", r"\text{factor backward}")
    if forward == 1:
        return proved(
            f"This variance keeps the second moment forward{words}, for any fans.",
            [
                equal("Forward:", factor, forward, ONE),
                equal(
                    "Backward, where fan_out = fan_in:",
                    back,
                    sympy.simplify(backward.subs(same)),
                    ONE,
                ),
            ],
        )
    return proved(
        f"This variance keeps both second moments{words} where fan_in = fan_out.",
        [
            equal("Forward:", factor, FAN_IN * variance * moments.forward, forward),
            equal("With equal fans:", factor, sympy.simplify(forward.subs(same)), ONE),
            equal("Backward:", back, FAN_OUT * variance * moments.backward, backward),
            equal("With equal fans:", back, sympy.simplify(backward.subs(same)), ONE),
        ],
    )


def scheme_formula(name: str, activation: str, variance: Expr) -> tuple[Claim, ...]:
    """Prove that what fanin draws with is what was derived here."""
    scheme = find_scheme(SCHEME[name])
    fan = Fan(n_in=FAN_IN, n_out=FAN_OUT)
    gain = {
        "relu": sympy.sqrt(2),
        "leaky_relu": sympy.sqrt(2 / (1 + SLOPE**2)),
    }.get(activation, ONE)
    formula = scheme.variance(fan, gain)
    return (
        proved(
            f"fanin's scheme {scheme.name} draws with this variance.",
            [
                equal(
                    "Its formula, given symbols for the fans:",
                    sympy.simplify(formula),
                    sympy.simplify(variance),
                    formula=chain(VARIANCE, sympy.simplify(formula)),
                )
            ],
        ),
    )


def both_conditions(moments: Moments) -> Claim:
    """Refute "one variance keeps both second moments for any fans"."""
    forward = sympy.solve(sympy.Eq(FAN_IN * VARIANCE * moments.forward, 1), VARIANCE)[0]
    backward = sympy.solve(
        sympy.Eq(FAN_OUT * VARIANCE * moments.backward, 1), VARIANCE
    )[0]
    values = {FAN_IN: 100, FAN_OUT: 400}
    needed = [float(side.subs(values).subs(SLOPE, 0)) for side in (forward, backward)]
    return refuted(
        "One variance keeps the second moment forward and backward, for any fans.",
        [
            equal(
                "Both hold at once only where the two are equal, fan_in = fan_out:",
                sympy.solve(sympy.Eq(forward, backward), FAN_OUT)[0],
                FAN_IN,
                formula=chain(FAN_OUT, FAN_IN),
            ),
            checked(
                f"With fan_in = 100, fan_out = 400 forward needs {decimal(needed[0])}, "
                f"backward {decimal(needed[1])}.",
                needed[0] != needed[1],
                chain(Label("Var(w)", r"\mathrm{Var}(w)"), forward),
            ),
        ],
        {"fan_in": 100.0, "fan_out": 400.0},
    )


def compromise_is_the_mean(moments: Moments) -> Claim:
    """Prove that Glorot's factors forward and backward have the mean 1."""
    variance = 2 / (FAN_IN + FAN_OUT)
    forward = FAN_IN * variance * moments.forward
    backward = FAN_OUT * variance * moments.backward
    return proved(
        "With Glorot's variance the factors forward and backward average to 1.",
        [
            equal("The mean of the two factors:", (forward + backward) / 2, ONE)
            if moments.forward == 1
            else checked(
                "The mean of the two factors is the share that the activation passes.",
                sympy.simplify((forward + backward) / 2 - moments.forward) == 0,
            )
        ],
    )


def glorot_with_relu() -> Claim:
    """Refute "Glorot keeps the second moment with ReLU": it halves it each layer."""
    relu = MOMENTS["relu"]()
    variance = (2 / (FAN_IN + FAN_OUT)).subs(FAN_OUT, FAN_IN)
    factor = sympy.simplify(FAN_IN * variance * relu.forward)
    depth = sympy.Symbol("L", positive=True, integer=True)
    left = factor**10
    return refuted(
        "Glorot's variance keeps the second moment with ReLU.",
        [
            equal(
                "ReLU passes half, so a square layer halves the second moment:",
                Label("factor", r"\text{factor}"),
                factor,
                sympy.Rational(1, 2),
            ),
            equal(
                "From one layer to the next, so for L layers:",
                factor**depth * factor,
                factor ** (depth + 1),
            ),
            checked(
                f"After 10 layers {decimal(float(left))} of it is left.",
                float(left) < 1,
            ),
        ],
        {"L": 10.0},
    )


def he_with_tanh() -> Claim:
    """Refute "He keeps the second moment with tanh": small signals double."""
    tanh = MOMENTS["tanh"]()
    small = sympy.simplify(FAN_IN * (2 / FAN_IN) * tanh.forward)
    at_one = 2 * numeric_square("tanh", 1.0)
    rest = settled_square("tanh", 2.0)
    return refuted(
        "He's variance keeps the second moment with tanh.",
        [
            equal(
                "tanh passes all of a small signal, so the factor 2 doubles it:",
                Label("factor for q → 0", r"\text{factor for } q \to 0"),
                small,
                sympy.Integer(2),
            ),
            checked(
                f"At q = 1 the next layer has q = 2·E[tanh²] = {decimal(at_one)}, "
                f"and layer upon layer q goes to {decimal(rest)} (by quadrature): the "
                "units sit where tanh bends.",
                abs(at_one - 1) > 1e-3
                and abs(2 * numeric_square("tanh", rest) - rest) < 1e-6,
            ),
        ],
        {"q": 1.0},
    )


def first_layer() -> Claim:
    """Prove that the first layer needs no factor 2: no ReLU stands before it."""
    identity = MOMENTS["identity"]()
    variance = 1 / FAN_IN
    return proved(
        "The first layer needs no factor 2: its inputs have passed no ReLU.",
        [
            equal(
                "With inputs of second moment 1 and Var(w) = 1/fan_in:",
                Label("E[z²]", "E[z^2]"),
                sympy.simplify(FAN_IN * variance * identity.forward),
                ONE,
            ),
            equal(
                "With 2/fan_in it is twice that, in this one layer:",
                Label("E[z²]", "E[z^2]"),
                sympy.simplify(FAN_IN * (2 / FAN_IN) * identity.forward),
                sympy.Integer(2),
            ),
        ],
    )


def fan_in_or_fan_out(moments: Moments) -> Claim:
    """Prove that fan_in or fan_out hardly matters: the other factor telescopes."""
    first, last, later = sympy.symbols("n_{0} n_{l} n_{l+1}", positive=True)
    variance = (1 / (moments.forward * FAN_IN)).subs(FAN_IN, last)
    step = sympy.simplify(later * variance * moments.backward)
    so_far = last / first
    return proved(
        "With fan_in the error backward is off by one factor for the whole net: the "
        "last width over the first, however deep it is.",
        [
            equal(
                "A layer from width nₗ to nₗ₊₁ multiplies the error's second moment:",
                Label("factor", r"\text{factor}"),
                step,
                later / last,
            ),
            equal(
                "If l layers have nₗ/n₀ together, one more makes it nₗ₊₁/n₀: the "
                "widths between cancel.",
                Label("product", r"\text{product}"),
                sympy.simplify(so_far * step),
                later / first,
            ),
        ],
        kind="induction",
    )
