"""Which outputs are centred, and what a plan makes of what calibration found."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.calibration import Calibration
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import calibration_aims, make_plan, with_calibration
from fanin.prescription.calibration.aims import LEAST_SAMPLES, centred_biases
from fanin.prescription.evidence import Evidence


def net(n_samples=LEAST_SAMPLES, *, has_bias=True):
    sketch = Sketch()
    z = sketch.dense(sketch.input((n_samples, 20)), 16, path="first")
    z = sketch.apply(z, lambda x: np.maximum(x, 0.0))
    return sketch.graph(sketch.dense(z, 4, path="head", has_bias=has_bias))


def test_heads_are_centred_always_and_others_where_samples_share_more_than_chance():
    graph = net()

    aims = calibration_aims(make_plan(graph), graph)

    assert {p: (aim.n_centred, aim.least_shared) for p, aim in aims.items()} == {
        "first.weight": (16, 0.35),
        "head.weight": (4, 0.0),
    }
    assert aims["first.weight"].most == float("inf")
    assert aims["head.weight"].most == 1.0


def test_an_output_of_which_samples_share_too_little_keeps_its_bias():
    graph = net()
    plan = make_plan(graph)
    found = Calibration(
        factors={"first.weight": 1.5}, centres={"first.weight": np.zeros(16)}
    )

    made = with_calibration(plan, found, graph)

    assert made["first.bias"] == plan["first.bias"]
    assert made["first.weight"].std == pytest.approx(1.5 * plan["first.weight"].std)


@pytest.mark.parametrize(
    ("graph", "wishes"),
    [
        (net(LEAST_SAMPLES - 1), {}),
        (net(has_bias=False), {}),
        (net(), {"overrides": {"head.bias": "zeros"}}),
        (net(), {"skip": ["head.bias"]}),
        (net(), {"policy": "torch"}),
    ],
    ids=["few samples", "no bias", "asked for", "kept", "another policy"],
)
def test_a_head_is_not_centred(graph, wishes):
    plan = make_plan(graph, **wishes)

    assert "head.weight" not in centred_biases(plan, graph)


def test_the_bias_is_the_prior_less_the_mean_and_keeps_the_two_apart():
    graph = net()
    target = np.repeat([0, 1, 2, 3], [40, 30, 20, 10])
    plan = make_plan(graph, evidence=Evidence(loss="cross_entropy", target=target))
    prior = np.array(plan["head.bias"].values)
    means = np.array([0.3, -0.2, 0.0, 0.1])

    made = with_calibration(
        plan,
        Calibration(factors={"head.weight": 2.0}, centres={"head.weight": means}),
        graph,
    )

    np.testing.assert_allclose(made["head.bias"].values, prior - means)
    np.testing.assert_allclose(made["head.bias"].centre, -means)
    np.testing.assert_allclose(made.draws(seed=9)["head.bias"](None), prior, rtol=1e-6)
    assert made["head.weight"].std == pytest.approx(2.0 * plan["head.weight"].std)
    assert "Salimans & Kingma" in made["head.bias"].reason


def test_where_nothing_normalizes_a_stream_all_that_is_more_than_chance_is_taken_off():
    shares = {}
    for is_normed in (False, True):
        sketch = Sketch()
        x = sketch.dense(sketch.input((16, 20)), 16, path="stem")
        z = sketch.normalize(x, path="norm", kind="layer") if is_normed else x
        z = sketch.apply(sketch.dense(z, 16, path="up"), lambda x: np.maximum(x, 0.0))
        end = sketch.dense(z, 16, path="end")
        graph = sketch.graph(sketch.combine(Op.ADD, x, end))
        aims = calibration_aims(make_plan(graph), graph)
        shares[is_normed] = aims["end.weight"].least_shared

    assert shares == {False: 1 / LEAST_SAMPLES, True: 0.35}
