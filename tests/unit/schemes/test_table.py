"""Schemes by name and by spec, with the numbers of the papers."""

from __future__ import annotations

import math

import pytest
import sympy as sp

from fanin.errors import ArgumentError, UnknownNameError
from fanin.graph.fans import Fan
from fanin.schemes import SCHEMES, find_scheme

FAN = Fan(n_in=300.0, n_out=100.0)


@pytest.mark.parametrize(
    ("spec", "variance"),
    [
        ("zeros", 0.0),
        ("ones", 0.0),
        ("constant(0.5)", 0.0),
        ("normal(std=0.01)", 1e-4),
        ("uniform(bound=0.3)", 0.03),
        ("truncated_normal(std=0.02)", 4e-4),
        ("lecun_normal", 1 / 300),
        ("lecun_uniform", 1 / 300),
        ("glorot_normal", 2 / 400),
        ("glorot_uniform", 2 / 400),
        ("he_normal", 2 / 300),
        ("he_truncated", 2 / 300),
        ("he_normal(mode=fan_out)", 2 / 100),
        ("he_normal(mode=fan_avg)", 4 / 400),
        ("he_normal(gain=1)", 1 / 300),
        ("he_uniform(mode=fan_out, gain=3)", 9 / 100),
        ("he_uniform(3, fan_out)", 9 / 100),
        ("orthogonal", 1 / 300),
        ("orthogonal(gain=1.4)", 1.96 / 300),
        ("identity(gain=0.5)", 0.25 / 300),
    ],
)
def test_a_spec_has_its_variance(spec, variance):
    assert find_scheme(spec).std(FAN) == pytest.approx(math.sqrt(variance), rel=1e-14)


def test_glorot_prints_the_bound_of_equation_16():
    fan = Fan(n_in=sp.Symbol("n", positive=True), n_out=sp.Symbol("m", positive=True))
    bound = find_scheme("glorot_uniform").bound(fan, sp.Integer(1))

    assert sp.simplify(bound - sp.sqrt(6) / sp.sqrt(fan.n_in + fan.n_out)) == 0


@pytest.mark.parametrize(
    ("spec", "value"), [("zeros", 0.0), ("ones", 1.0), ("constant(-2)", -2.0)]
)
def test_a_constant_has_its_value(spec, value):
    assert find_scheme(spec).value == value


@pytest.mark.parametrize(
    ("spec", "law"),
    [
        ("xavier_uniform", "uniform"),
        ("kaiming_normal", "normal"),
        ("kaiming_truncated", "truncated_normal"),
        ("he", "normal"),
        ("eye", "identity"),
    ],
)
def test_an_alias_finds_the_law(spec, law):
    assert find_scheme(spec).law == law


def test_the_gain_is_the_activations_until_a_spec_sets_it():
    free, fixed = find_scheme("he_normal"), find_scheme("he_normal(gain=1.4)")

    assert free.gain_for(1.6) == 1.6
    assert fixed.gain_for(1.6) == 1.4
    assert find_scheme("constant").gain_for(1.6) == 1.0


@pytest.mark.parametrize(
    "spec",
    [
        "he_normal(mode=fan_out)",
        "he_normal(gain=1.4, mode=fan_out)",
        "constant(value=0.25)",
        "normal(std=0.01)",
    ],
)
def test_a_spec_finds_the_very_scheme_that_wrote_it(spec):
    scheme = find_scheme(spec)

    assert scheme.spec == spec
    assert find_scheme(scheme.spec) == scheme


def test_setting_an_option_leaves_the_table_as_it_was():
    before = SCHEMES["he_normal"]
    find_scheme("he_normal(mode=fan_out)")

    assert SCHEMES["he_normal"] is before
    assert before.settings == ()


def test_the_order_of_options_does_not_matter():
    first = find_scheme("he_normal(mode=fan_out, gain=1.4)")
    second = find_scheme("he_normal(gain=1.4, mode=fan_out)")

    assert first.std(FAN) == second.std(FAN)
    assert first.keeps == second.keeps


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("he_nornal", "There is no scheme 'he_nornal'. Did you mean 'he_normal'"),
        ("he_normal(std=1)", "no option of he_normal 'std'. Known: gain, mode"),
        ("normal(stdd=1)", "Did you mean 'std'"),
    ],
)
def test_an_unknown_name_gets_the_nearest(spec, message):
    with pytest.raises(UnknownNameError, match=message):
        find_scheme(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("zeros(3)", "'zeros' must be named without options"),
        ("zeros(value=3)", "'zeros' must be named without options"),
        ("normal(1, 2)", r"'normal' must be given at most 1 options \(std\)"),
        ("normal(1, std=2)", "set once: by position or by name"),
        ("normal(std=-1)", "must be a finite number above 0"),
        ("normal(std=0)", "must be a finite number above 0"),
        ("normal(std=True)", "must be a finite number above 0"),
        ("normal(std=big)", "must be a finite number above 0"),
        ("normal(std=1e999)", "must be a finite number above 0"),
        ("constant(x)", "must be a finite number"),
        ("he_normal(mode=fan_inn)", "must be one of fan_in, fan_out, fan_avg"),
        ("he_normal(mode=2)", "must be one of fan_in, fan_out, fan_avg"),
        ("he_normal(", "must be a name such as 'zeros'"),
    ],
)
def test_a_wrong_option_is_refused(spec, message):
    with pytest.raises(ArgumentError, match=message):
        find_scheme(spec)
