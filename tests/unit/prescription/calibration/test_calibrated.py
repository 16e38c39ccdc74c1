"""Calibration is asked for what a factor can change, and changes what follows too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fanin.errors import SignalError
from fanin.graph.sketch import Sketch
from fanin.prescription import Plan, Prescription, calibration_targets, make_plan
from fanin.prescription.calibration.calibrated import (
    calibration_followers,
    scaled,
    with_factors,
)


def weight_normed():
    """g·v/‖v‖ of 25 inputs, as the builder writes it down."""
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 25)), 4, path="v", has_bias=False)
    sketch.hold("g", (4, 1))
    graph = sketch.graph(sketch.dense(sketch.apply(z, abs), 2, path="head"))
    computed = {"computed_from": ("g", "v.weight"), "length": "g"}
    nodes = tuple(
        replace(node, details={**node.details, **computed}) if node.id == 1 else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def prescription(path, law, **fields):
    return Prescription(
        path=path,
        shape=(2,),
        dtype="float32",
        role="",
        scheme="",
        law=law,
        reason="",
        **fields,
    )


def test_of_a_weight_norm_the_length_is_asked_for():
    graph = weight_normed()
    targets = calibration_targets(make_plan(graph), graph)

    assert targets["g"] == pytest.approx(1.0)
    assert "v.weight" not in targets


def test_a_length_that_the_caller_has_set_is_not():
    graph = weight_normed()

    assert "g" not in calibration_targets(
        make_plan(graph, overrides={"g": "ones"}), graph
    )


def test_a_length_is_multiplied_as_the_number_that_it_is():
    plan = make_plan(weight_normed())
    found = with_factors(plan, {"g": 2.0})

    assert found["g"].value == pytest.approx(2.0 * plan["g"].value)
    assert found["g"].scheme == f"constant({found['g'].value:.6g})"
    assert found["v.weight"] == plan["v.weight"]


def test_listed_values_and_their_centre_are_multiplied_together():
    values = prescription(
        "b", "values", values=(1.0, -3.0), centre=(0.5, 0.0), value=-1
    )

    found = scaled(values, 2.0)

    assert (found.values, found.centre, found.value) == ((2.0, -6.0), (1.0, 0.0), -2.0)


def test_a_factor_leaves_what_is_kept_as_it_is():
    kept = prescription("b", "keep")

    assert scaled(kept, 2.0) is kept


def test_the_biases_that_follow_are_given_by_their_weight():
    follower = prescription("b", "offset", weight="w", value=0.5)

    assert calibration_followers(Plan(prescriptions=(follower,), seed=0)) == {"w": "b"}


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_factor_that_is_none_is_refused_with_the_place(factor):
    plan = make_plan(weight_normed())

    with pytest.raises(SignalError, match=r"'head\.weight' is constant or not finite"):
        with_factors(plan, {"head.weight": factor})


def test_weights_that_are_zero_are_not_asked_for():
    graph = weight_normed()
    plan = make_plan(graph, overrides={"head.weight": "zeros"})

    assert set(calibration_targets(plan, graph)) == {"g"}
    assert np.all(plan.draws()["head.weight"](None) == 0.0)
