"""Which outputs are centred, and what a plan makes of what calibration found."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.calibration import Calibration
from fanin.graph.sketch import Sketch
from fanin.prescription import calibration_aims, make_plan, with_calibration
from fanin.prescription.aims import LEAST_SAMPLES, centred_biases
from fanin.prescription.evidence import Evidence


def net(n_samples=LEAST_SAMPLES, *, has_bias=True):
    sketch = Sketch()
    z = sketch.dense(sketch.input((n_samples, 20)), 16, path="first")
    z = sketch.apply(z, lambda x: np.maximum(x, 0.0))
    return sketch.graph(sketch.dense(z, 4, path="head", has_bias=has_bias))


def test_the_head_is_centred_and_nothing_else():
    graph = net()

    aims = calibration_aims(make_plan(graph), graph)

    assert {path: aim.n_centred for path, aim in aims.items()} == {
        "first.weight": 0,
        "head.weight": 4,
    }


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

    assert not centred_biases(plan, graph)


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
