"""Mean field theory's public names: limits, refusals, and agreement of two ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fanin
from fanin.activations import ACTIVATIONS, GATES
from fanin.errors import ArgumentError, UnknownNameError
from fanin.theory import (
    MeanField,
    Phase,
    Stability,
    correlation_map,
    depth_scale,
    edge_at,
    edge_of_chaos,
    edge_rate,
    fixed_points,
    gains,
    jacobian_spread,
    moment_spread,
    phase_diagram,
    portrait,
    settles_at,
)

ORDINARY = ("tanh", "erf", "gelu", "silu", "elu", "selu", "softplus", "hardtanh")


@settings(deadline=None, max_examples=6)
@given(
    name=st.sampled_from(ORDINARY),
    sigma_w=st.floats(0.3, 3.0),
    sigma_b=st.floats(0.05, 0.8),
)
def test_a_fixed_point_is_kept_and_its_stability_is_what_iteration_does(
    name, sigma_w, sigma_b
):
    field = MeanField.of(name, sigma_w=sigma_w, sigma_b=sigma_b)

    for point in fixed_points(field):
        assert field.next_moment(point.q) == pytest.approx(point.q, rel=1e-9)
        nudged = point.q * (1 + 1e-6)
        moved = (field.next_moment(nudged) - point.q) / (nudged - point.q)
        if abs(abs(point.slope) - 1) > 1e-3:
            assert (abs(moved) < 1) is point.attracts


@settings(deadline=None, max_examples=5)
@given(
    name=st.sampled_from(ORDINARY),
    sigma_w=st.floats(0.3, 2.2),
    sigma_b=st.floats(0.05, 0.8),
    q=st.floats(0.01, 20.0),
)
def test_where_second_moments_settle_is_where_iteration_ends(name, sigma_w, sigma_b, q):
    field = MeanField.of(name, sigma_w=sigma_w, sigma_b=sigma_b)
    here = settles_at(field, q)
    end = field.moments_by_layer(q, 150)[-1]

    if math.isinf(here):
        assert end > q
    else:
        slope = min(abs(field.slope(here)), 1.0)
        off = abs(q - here) * max(slope, 0.5) ** 150
        assert abs(end - here) <= 50 * off + 1e-8 * here + 0.2 * here * (slope > 0.95)


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "swiglu"])
def test_the_phase_diagram_agrees_with_the_fixed_points(name):
    sigma_w, sigma_b = (0.6, 1.1, 2.1), (0.15, 0.55)
    drawn = phase_diagram(name, sigma_w, sigma_b).cells

    for i, b in enumerate(sigma_b):
        for j, w in enumerate(sigma_w):
            found = portrait(name, sigma_w=w, sigma_b=b, depth=2).phase
            words = {"without bound": Phase.WITHOUT_BOUND, "ordered": Phase.ORDERED}
            assert Phase(drawn[i, j]) is words.get(found, Phase.CHAOTIC)


@pytest.mark.parametrize("name", [*ACTIVATIONS, *GATES])
def test_every_named_activation_has_a_whole_picture(name):
    found = portrait(name, sigma_w=1.1, sigma_b=0.1, depth=3)

    assert len(found.moments[1.0]) == 4
    assert len(found.gradients) == 3
    assert found.gradients[-1] == 1.0
    assert found.phase in {
        "ordered", "chaotic", "edge of chaos", "without bound", "without a fixed point",
    }  # fmt: skip
    for point in found.points:
        assert isinstance(point.stability, Stability)
        assert 0 <= point.correlation <= 1


def test_gradients_multiply_by_the_growth_of_each_layer():
    field = MeanField.of("tanh", sigma_w=1.4, sigma_b=0.2)
    q = (0.3, *field.moments_by_layer(0.3, 3))

    gradients = field.gradients_by_layer(0.3, 4)
    assert gradients[0] == pytest.approx(math.prod(field.growth(x) for x in q[:3]))


@pytest.mark.parametrize(
    ("slope", "scale"),
    [(1.0, math.inf), (0.0, 0.0), (math.e, -1.0), (-1 / math.e, 1.0)],
)
def test_a_depth_scale_is_signed(slope, scale):
    assert depth_scale(slope) == pytest.approx(scale)


def test_a_jump_has_infinite_growth_and_a_correlation_below_one():
    field = MeanField.of(np.sign, sigma_w=1.0, sigma_b=0.1)
    (point,) = fixed_points(field)

    assert point.growth == math.inf
    assert point.phase == "chaotic"
    # E[sign u·sign v] = (2/π)·asin c: solve c·q = asin(c)·2/π + 0.01 for q = 1.01.
    c = point.correlation
    assert c * 1.01 == pytest.approx(2 / math.pi * math.asin(c) + 0.01, abs=1e-9)
    assert c < 1


def test_the_module_is_at_hand_and_its_names_are_documented():
    modules = {name for name in vars(fanin.theory) if name[0].islower()}
    public = [
        thing
        for name, thing in vars(fanin.theory).items()
        if not name.startswith("_") and callable(thing)
    ]

    assert len(public) > 20
    assert {"fixed_points", "edge_of_chaos", "gains", "predict"} <= modules
    for thing in public:
        assert len(thing.__doc__) > 50


REFUSED = [
    (lambda: MeanField.of("tanh", sigma_w=0.0), "'sigma_w'"),
    (lambda: MeanField.of("tanh", sigma_w=math.nan), "'sigma_w'"),
    (lambda: MeanField.of("tanh", sigma_w=1.0, sigma_b=-0.1), "'sigma_b'"),
    (lambda: MeanField(function="tanh", weight_variance=-1.0), "'weight_variance'"),
    (lambda: gains("tanh", q=0.0), "'q'"),
    (lambda: edge_at("tanh", -1.0), "'q'"),
    (lambda: edge_at("softplus", 1.0), "edge of chaos"),
    (lambda: edge_of_chaos("tanh", sigma_b=-1.0), "'sigma_b'"),
    (lambda: correlation_map(MeanField.of("tanh", sigma_w=1), 0.0), "'q'"),
    (lambda: edge_rate(MeanField.of("tanh", sigma_w=2), 1.0), "χ₁ = 1"),
    (lambda: edge_rate(MeanField.of("swiglu", sigma_w=2), 1.0), "gated unit"),
    (lambda: portrait("tanh", sigma_w=1.0, depth=0), "'depth'"),
    (lambda: portrait("tanh", sigma_w=1.0, width=0), "'width'"),
    (
        lambda: moment_spread(MeanField.of("tanh", sigma_w=1), 1.0, width=0, depth=1),
        "width",
    ),
    (
        lambda: jacobian_spread(
            MeanField.of("tanh", sigma_w=1), 1.0, depth=1, weights="sparse"
        ),
        "'orthogonal'",
    ),
    (
        lambda: moment_spread(MeanField.of("glu", sigma_w=1), 1.0, width=9, depth=1),
        "not a gated unit",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_out_of_range_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UnknownNameError, match="gelu"):
        MeanField.of("gelo", sigma_w=1.0)
