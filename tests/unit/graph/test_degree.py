"""How what is computed from parameters grows with one of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.graph import Parameter
from fanin.graph.builder import GraphBuilder
from fanin.graph.degree import DegreesOf, power_of


@pytest.fixture
def builder():
    held = [Parameter(path=p, shape=(3, 3), dtype="float32") for p in ("v", "w")]
    return GraphBuilder(framework="torch", parameters=held, batch_size=4)


def pointwise(builder, function, *values, rule=""):
    return builder.pointwise(function.__name__, values, function, rule=rule)


@given(st.floats(-3, 3).map(lambda p: round(p, 3)), st.floats(0.1, 10))
def test_a_power_is_told_from_its_values(power, factor):
    found = power_of(lambda x: factor * np.abs(x) ** power)

    assert found == pytest.approx(power, abs=1e-8)


@pytest.mark.parametrize("function", [np.exp, np.tanh, lambda x: x + 1.0, np.cos])
def test_what_is_no_power_is_none(function):
    assert power_of(function) is None


def test_a_moved_parameter_is_of_degree_1(builder):
    turned = builder.permute("t", builder.parameter("v"), (1, 0))

    assert DegreesOf(builder.drafts).of(turned) == {"v": 1.0}


def test_degrees_of_a_product_add_up_and_those_of_a_quotient_subtract(builder):
    v, w = builder.parameter("v"), builder.parameter("w")
    both = pointwise(builder, np.multiply, v, v, rule="multiply")
    over = pointwise(builder, np.divide, both, w, rule="divide")

    assert DegreesOf(builder.drafts).of(over) == {"v": 2.0, "w": -1.0}


def test_a_sum_of_different_degrees_is_of_none(builder):
    v, w = builder.parameter("v"), builder.parameter("w")
    total = pointwise(builder, np.add, v, w, rule="add")
    shifted = pointwise(builder, np.add, v, builder.constant(1.0), rule="add")

    degrees = DegreesOf(builder.drafts)

    # v + w is multiplied by c only if both are: in v alone it is no power.
    assert degrees.of(total) == {"v": None, "w": None}
    assert degrees.of(shifted) == {"v": None}


def test_a_normalized_direction_is_of_degree_0(builder):
    v = builder.parameter("v")
    square = pointwise(builder, np.square, v)
    total = builder.reduce("sum", square, (0, 1), kind="sum")
    unit = pointwise(
        builder, np.divide, v, pointwise(builder, np.sqrt, total), rule="divide"
    )

    assert DegreesOf(builder.drafts).of(unit) == {"v": 0.0}


def test_what_depends_on_the_batch_has_no_degree(builder):
    x = builder.input((4, 3))
    made = builder.contract("mm", x, builder.parameter("v"), "ab,bc->ac")

    degrees = DegreesOf(builder.drafts)

    assert degrees.of(made) is None
    assert degrees.weight_in(builder.drafts[made]) == {"v": 1.0}


def test_a_product_of_parameters_alone_is_no_layer(builder):
    """As the power iteration of a spectral norm multiplies its weight."""
    v = builder.parameter("v")
    made = builder.contract("mv", v, builder.constant(np.ones(3)), "ab,b->a")

    degrees = DegreesOf(builder.drafts)

    assert degrees.weight_in(builder.drafts[made]) is None
    assert degrees.of(made) == {"v": 1.0}
