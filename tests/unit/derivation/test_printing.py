"""Formulas as a learner would write them, in both forms."""

import pytest
import sympy

from fanin.derivation.functions import NONLINEARITIES, VALUE, Z
from fanin.derivation.notation import Entry, real, unicode_name, x, y, y_hat
from fanin.derivation.printing import LATEX, TEXT, Label, Product, chain, written

C = sympy.Symbol("c")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (
            sympy.factor_terms(2 * (y_hat(1, 1) - y(1, 1)) * C * x(1)),
            "2·(ŷ − y)·c·x₁",
        ),
        (-2 * y(1, 1), "−2·y"),
        (sympy.Rational(1, 2), "½"),
        (C / 4, "c/4"),
        (sympy.sqrt(6) / sympy.sqrt(C), "√6/√c"),
        (C**2, "c²"),
        (1 / (1 + sympy.exp(-Z)), "1/(1 + e^(−z))"),
        (sympy.Max(0, Z), "max(0, z)"),
        (sympy.log(C), "ln(c)"),
        (sympy.pi * C, "π·c"),
        (x(1) - x(2), "x₁ − x₂"),
        (-x(1) + x(2), "x₂ − x₁"),
    ],
)
def test_an_expression_is_written_as_by_hand(expression, text):
    assert written(expression, TEXT) == text


def test_a_product_keeps_its_zero_factors():
    shown = Product((C, sympy.Integer(0), x(1) + x(2)))

    assert written(shown, TEXT) == "c·0·(x₁ + x₂)"
    assert written(shown, LATEX) == r"c \cdot 0 \cdot \left(x_{1} + x_{2}\right)"


def test_a_value_that_repeats_is_written_once():
    assert chain(Label("a", "a"), C, C, C + 1).text == "a = c = c + 1"


def test_an_arrow_keeps_both_sides():
    assert chain(C, C, relation="←").text == "c ← c"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (Entry(1, 1, 2), "w₁₂"),
        (Entry(3, 2, 1), "w₂₁⁽³⁾"),
        (Entry(2, 0, 1), "b₂₁"),
        (Entry(1, 11, 2), "w₁₁,₂"),
    ],
)
def test_an_entry_is_named_from_and_to(entry, text):
    assert str(entry) == text


def test_a_mark_of_the_derivative_is_a_prime():
    assert unicode_name(real(r"\mathrm{relu}'(z_{11})").name) == "relu′(z₁₁)"


@pytest.mark.parametrize("name", list(NONLINEARITIES))
def test_a_slope_is_the_limit_of_differences(name):
    function = NONLINEARITIES[name]
    step = sympy.Rational(1, 10**8)
    for point in (sympy.Rational(-7, 5), sympy.Rational(3, 4)):
        rise = (function.at(point + step) - function.at(point - step)) / (2 * step)

        assert float(sympy.N(rise - function.slope_at(point), 30)) == pytest.approx(
            0, abs=1e-12
        )


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_the_slope_shown_is_the_slope(name):
    function = NONLINEARITIES[name]
    shown = function.slope_shown.subs(VALUE, function.expression)

    assert sympy.simplify(shown - function.slope) == 0
