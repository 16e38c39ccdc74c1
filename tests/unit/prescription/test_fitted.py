"""Gains with an offset start where the gain is 1; lengths fit the weights' std."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest

from fanin.graph.roles import RoleKind, roles
from fanin.graph.sketch import Sketch
from fanin.prescription.choosing.choices import HEAD_RMS
from fanin.prescription.make import make_plan


def normed(**details):
    sketch = Sketch()
    z = sketch.normalize(sketch.dense(sketch.input((8, 4)), 4, path="0"), path="norm")
    graph = sketch.graph(sketch.dense(z, 2, path="1"))
    nodes = tuple(
        replace(node, details={**node.details, **details}) if node.scale else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def weight_normed(*, is_head=False):
    """g·v/‖v‖ of 25 inputs, as the builder writes it down."""
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 25)), 4, path="v", has_bias=False)
    sketch.hold("g", (4, 1))
    if not is_head:
        z = sketch.dense(sketch.apply(z, abs), 2, path="head")
    graph = sketch.graph(z)
    computed = {"computed_from": ("g", "v.weight"), "length": "g"}
    nodes = tuple(
        replace(node, details={**node.details, **computed}) if node.id == 1 else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


@pytest.mark.parametrize(
    ("details", "value"),
    [({}, 1.0), ({"gain_offset": 1.0}, 0.0), ({"gain_factor": 4.0}, 0.25)],
    ids=["plain", "offset", "factor"],
)
def test_the_gain_is_1_through_what_is_done_to_the_parameter(details, value):
    assert make_plan(normed(**details))["norm.weight"].value == value


def test_the_length_of_weight_norm_is_told_from_the_direction():
    found = roles(weight_normed())

    assert found["g"].kind is RoleKind.WEIGHT_LENGTH
    assert found["v.weight"].kind is RoleKind.INPUT_LAYER


@pytest.mark.parametrize("is_head", [False, True], ids=["hidden", "head"])
def test_the_length_is_that_of_the_weights_at_their_std(is_head):
    plan = make_plan(weight_normed(is_head=is_head))

    assert plan["g"].value == pytest.approx(plan["v.weight"].std * sqrt(25), rel=1e-12)
    assert plan["v.weight"].std == pytest.approx(
        HEAD_RMS / 5 if is_head else 0.2, rel=1e-12
    )


def test_the_length_fits_a_scheme_that_the_caller_names():
    plan = make_plan(weight_normed(), overrides={"v.weight": "normal(std=0.5)"})

    assert plan["g"].value == pytest.approx(2.5, rel=1e-12)


def test_a_length_that_the_caller_names_stays():
    plan = make_plan(weight_normed(), overrides={"g": "constant(3.0)"})

    assert plan["g"].value == 3.0
