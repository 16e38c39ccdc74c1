"""What every scheme must do, whichever it is; a new one is tested by being listed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from fanin.graph.fans import Fan
from fanin.graph.layouts import (
    keras_conv_transpose,
    keras_dense,
    torch_conv,
    torch_linear,
)
from fanin.sampler.draw import draw
from fanin.sampler.law import Law
from fanin.schemes import SCHEMES, find_scheme
from fanin.schemes.laws import LAWS

N_IN, N_OUT, GAIN = sp.symbols("n_in n_out gain", positive=True)
SIDES = st.floats(1.0, 1e6)

every_scheme = pytest.mark.parametrize(
    "scheme", SCHEMES.values(), ids=lambda scheme: scheme.name
)
every_mode = pytest.mark.parametrize(
    "spec",
    [
        *SCHEMES,
        "he_normal(mode=fan_out)",
        "he_uniform(mode=fan_avg)",
        "lecun_truncated(mode=fan_out, gain=1.3)",
        "orthogonal(gain=1.4)",
        "uniform(bound=0.2)",
    ],
)


@every_mode
@given(n_in=SIDES, n_out=SIDES, gain=st.floats(0.1, 10.0))
def test_number_and_symbol_agree(spec, n_in, n_out, gain):
    scheme = find_scheme(spec)
    formula = scheme.variance(Fan(n_in=N_IN, n_out=N_OUT), GAIN)
    values = {N_IN: n_in, N_OUT: n_out, GAIN: gain}

    expected = float(sp.sympify(formula).subs(values))
    assert scheme.variance(Fan(n_in=n_in, n_out=n_out), gain) == pytest.approx(
        expected, rel=1e-14
    )


def is_zero(expression):
    """Say whether it is 0: exactly where symbols are in it, else to float64."""
    simple = sp.simplify(expression)
    return simple == 0 or (not simple.free_symbols and abs(simple) < 1e-17)


@every_mode
def test_std_and_bound_run_on_symbols_and_stay_exact(spec):
    scheme = find_scheme(spec)
    fan = Fan(n_in=N_IN, n_out=N_OUT)
    variance = sp.sympify(scheme.variance(fan, GAIN))

    std, bound = scheme.std(fan, GAIN), scheme.bound(fan, GAIN)
    assert is_zero(std**2 - variance)
    assert is_zero(bound**2 - 3 * variance)


@every_scheme
def test_a_scheme_says_where_it_comes_from_and_what_it_keeps(scheme):
    assert scheme.formula
    assert scheme.keeps
    assert scheme.assumes
    for source in scheme.sources:
        assert source.authors
        assert 1950 < source.year < 2030
        assert source.title
        assert source.url.startswith("http")
    assert scheme.sources


@every_scheme
def test_a_scheme_is_found_by_each_of_its_names_and_by_its_spec(scheme):
    for name in (scheme.name, *scheme.aliases, scheme.name.upper()):
        assert find_scheme(name) == scheme
    assert find_scheme(scheme.spec) == scheme


@every_scheme
def test_a_scheme_has_a_law_and_an_honest_gain(scheme):
    assert scheme.law in LAWS
    fan = Fan(n_in=N_IN, n_out=N_OUT)
    speaks_of_gain = sp.sympify(scheme.variance(fan, GAIN)).has(GAIN)

    assert not scheme.uses_gain or speaks_of_gain


W = sp.Symbol("w", real=True)
STD = sp.Symbol("std", positive=True)
SHRINK = sp.sqrt(1 - 4 * sp.exp(-2) / (sp.sqrt(2 * sp.pi) * sp.erf(sp.sqrt(2))))
"""Std of N(0, 1) cut at ±2; derived in tests/claims/test_truncated.py."""


def symbolic_law(law, scale):
    """Give density and support, written from the definition; scale: before a cut."""
    normal = sp.exp(-(W**2) / (2 * scale**2)) / (scale * sp.sqrt(2 * sp.pi))
    edge = sp.sqrt(3) * scale
    return {
        "normal": (normal, -sp.oo, sp.oo),
        "uniform": (1 / (2 * edge), -edge, edge),
        "truncated_normal": (normal / sp.erf(sp.sqrt(2)), -2 * scale, 2 * scale),
    }[law]


@pytest.mark.parametrize("law", ["normal", "uniform", "truncated_normal"])
def test_a_law_has_the_variance_promised(law):
    density, low, high = symbolic_law(law, STD)
    lost = SHRINK if law == "truncated_normal" else 1

    assert sp.simplify(sp.integrate(density, (W, low, high))) == 1
    second_moment = sp.integrate(W**2 * density, (W, low, high))
    assert sp.simplify(second_moment - (lost * STD) ** 2) == 0


@pytest.mark.parametrize("n_entries", [2, 3, 5])
def test_an_entry_of_an_orthogonal_matrix_has_variance_one_over_n(n_entries):
    front = sp.gamma(sp.Rational(n_entries, 2)) / (
        sp.sqrt(sp.pi) * sp.gamma(sp.Rational(n_entries - 1, 2))
    )
    density = front * (1 - W**2) ** sp.Rational(n_entries - 3, 2)
    std = n_entries**-0.5

    assert sp.simplify(sp.integrate(density, (W, -1, 1))) == 1
    assert sp.simplify(sp.integrate(W**2 * density, (W, -1, 1))) == sp.Rational(
        1, n_entries
    )
    for place in (-0.9, 0.0, 0.3):
        assert LAWS["orthogonal"].density(place, std) == pytest.approx(
            float(density.subs(W, place)), rel=1e-12
        )


@pytest.mark.parametrize("law", ["normal", "uniform", "truncated_normal"])
@given(std=st.floats(1e-4, 10.0), place=st.floats(-3.0, 3.0))
def test_the_density_is_that_of_the_law(law, std, place):
    scale = std / float(SHRINK) if law == "truncated_normal" else std
    density, low, high = symbolic_law(law, sp.Float(scale))
    inside = low <= place * std <= high
    expected = float(density.subs(W, place * std).evalf()) if inside else 0.0

    assert LAWS[law].density(place * std, std) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("law", ["uniform", "truncated_normal", "orthogonal"])
def test_nothing_is_drawn_beyond_reach(law):
    reach = LAWS[law].reach(0.5)

    assert LAWS[law].density(1.001 * reach, 0.5) == 0.0
    assert LAWS[law].density(0.999 * reach, 0.5) > 0.0


@pytest.mark.parametrize(
    "scheme",
    [
        scheme
        for scheme in SCHEMES.values()
        if scheme.law not in {"constant", "identity"}  # points have no density
    ],
    ids=lambda scheme: scheme.name,
)
def test_the_density_of_a_scheme_integrates_to_its_variance(scheme):
    fan = Fan(n_in=20.0, n_out=30.0)
    gain = 1.5
    std = scheme.std(fan, gain)
    reach = min(gain * LAWS[scheme.law].reach(std / gain), 12 * std)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    density = np.array([scheme.density(reach * node, fan, gain) for node in nodes])

    assert reach * (weights @ density) == pytest.approx(1.0, rel=1e-9)
    assert reach**3 * (weights @ (nodes**2 * density)) == pytest.approx(
        std**2, rel=1e-9
    )


def test_an_orthogonal_scheme_speaks_of_the_matrix_and_not_of_the_stride():
    roles = torch_conv(2, strides=2)
    shape = (64, 3, 3, 3)
    orthogonal, he = find_scheme("orthogonal"), find_scheme("he_normal(mode=fan_out)")

    assert orthogonal.fan_of(shape, roles) == Fan(n_in=27.0, n_out=64.0)
    assert he.fan_of(shape, roles) == Fan(n_in=27.0, n_out=144.0)
    assert orthogonal.fan_of((5, 7), torch_linear()) == Fan(n_in=7.0, n_out=5.0)


LAYERS = [
    pytest.param((6, 6), torch_linear(), id="square"),
    pytest.param((4, 9), torch_linear(), id="wide"),
    pytest.param((9, 4), keras_dense(), id="tall, Keras"),
    pytest.param((16, 4, 3, 3), torch_conv(2, strides=2), id="convolution"),
    pytest.param((16, 4, 1), torch_conv(1, groups=4), id="convolution in groups"),
    pytest.param((3, 3, 8, 6), keras_conv_transpose(2, strides=2), id="transposed"),
]


@pytest.mark.parametrize(("shape", "roles"), LAYERS)
@pytest.mark.parametrize(
    "spec",
    ["orthogonal(gain=1.4)", "delta_orthogonal(gain=1.4)", "identity(gain=0.7)"],
)
def test_a_drawn_matrix_has_exactly_the_mean_square_promised(spec, shape, roles):
    scheme = find_scheme(spec)
    law = Law(scheme.law, gain=scheme.gain, roles=roles)
    weight = draw("weight", shape, law, seed=3, dtype="float64")

    std = scheme.std(scheme.fan_of(shape, roles))
    assert std == pytest.approx(math.sqrt((weight**2).mean()), rel=1e-12)


@every_scheme
def test_a_drawn_weight_has_the_variance_promised(scheme):
    shape, roles = (400, 300), torch_linear()
    fan = scheme.fan_of(shape, roles)
    numbers = {
        "constant": {"value": scheme.value},
        "orthogonal": {"gain": scheme.gain},
        "delta_orthogonal": {"gain": scheme.gain},
        "identity": {"gain": scheme.gain},
    }
    law = Law(scheme.law, **numbers.get(scheme.law, {"std": scheme.std(fan)}))
    weight = draw("weight", shape, law, seed=8, dtype="float64") - scheme.value
    squares = weight**2
    error = squares.std() / math.sqrt(squares.size)
    variance = scheme.variance(fan, scheme.gain)

    assert abs(squares.mean() - variance) <= 5 * error + 1e-15
    is_seen = scheme.law not in {"constant", "identity"}
    assert (abs(squares.mean() - 1.04 * variance) > 5 * error) == is_seen
