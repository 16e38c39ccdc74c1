"""What holds for every policy on every kind of net."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fanin.graph.sketch import Sketch
from fanin.prescription import Plan, make_plan
from fanin.prescription.policies import POLICIES
from tests.unit.prescription.policies.streams import (
    encoder_decoder,
    gated_mlp,
    relu,
    residual_mlp,
    transformer,
)


def plain():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((8, 20)), 12, path="0"), relu)
    return sketch.graph(sketch.dense(z, 4, path="1"))


GRAPHS = {
    "plain": plain(),
    "residual": residual_mlp(3),
    "normed": residual_mlp(3, end_norm=True),
    "scaled": residual_mlp(3, scale=(16,)),
    "gated": gated_mlp(3),
    "transformer": transformer(2),
    "two": encoder_decoder(2, 2),
}


def frozen(graph, path):
    parameters = tuple(
        replace(p, is_trainable=p.path != path) for p in graph.parameters
    )
    return replace(graph, parameters=parameters)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("policy", POLICIES)
def test_every_number_is_finite_and_the_plan_survives_json(policy, graph):
    plan = make_plan(graph, policy=policy)

    assert [p.path for p in plan.prescriptions] == [p.path for p in graph.parameters]
    assert Plan.from_json(plan.to_json()) == plan
    assert all(np.isfinite(draw(None)).all() for draw in plan.draws().values())


@pytest.mark.parametrize("policy", POLICIES)
def test_a_frozen_end_keeps_its_values(policy):
    plan = make_plan(frozen(residual_mlp(3), "1.end.weight"), policy=policy)

    assert plan["1.end.weight"].is_kept


@pytest.mark.parametrize("policy", POLICIES)
def test_what_a_caller_asks_for_decides(policy):
    wanted = {"1.end.weight": "normal(std=0.5)"}
    plan = make_plan(residual_mlp(3), policy=policy, overrides=wanted)

    assert plan["1.end.weight"].std == 0.5
