"""The first loss that a plan expects is the integral over the logits it aims at."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.sketch import Sketch
from fanin.prescription import Evidence, make_plan
from fanin.prescription.said import named


def relu(x):
    return np.maximum(x, 0.0)


def planned(n_out, loss, target):
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((8, 20)), 40, path="0"), relu)
    graph = sketch.graph(sketch.dense(z, n_out, path="head"))
    return make_plan(graph, evidence=Evidence(loss=loss, target=target))


def gauss(std):
    """Nodes and weights of the mean over N(0, std²)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    return std * nodes, weights / weights.sum()


@pytest.mark.parametrize("rate", [0.5, 0.3, 0.02])
def test_binary_cross_entropy_is_that_of_the_prior_and_of_the_logits_noise(rate):
    target = (np.arange(100_000) < rate * 100_000).astype(float)
    plan = planned(1, "binary_cross_entropy", target)
    z, weights = gauss(plan["head.weight"].predicted)
    logits = (plan["head.bias"].value if plan["head.bias"].values else 0.0) + z

    loss = rate * np.logaddexp(0, -logits) + (1 - rate) * np.logaddexp(0, logits)

    assert plan.first_loss == pytest.approx(float(weights @ loss), abs=3e-4)


@pytest.mark.parametrize("share", [0.5, 0.9], ids=["even", "uneven"])
def test_cross_entropy_of_two_classes_is_that_of_the_prior_and_the_noise(share):
    target = (np.arange(100_000) >= share * 100_000).astype(int)
    plan = planned(2, "cross_entropy", target)
    bias = np.array(plan["head.bias"].values or (0.0, 0.0))
    z, weights = gauss(np.sqrt(2.0) * plan["head.weight"].predicted)  # of z₁ − z₀
    margin = bias[1] - bias[0] + z

    loss = share * np.logaddexp(0, margin) + (1 - share) * np.logaddexp(0, -margin)

    assert plan.first_loss == pytest.approx(float(weights @ loss), abs=5e-4)


def test_a_squared_error_is_the_targets_variance_and_the_outputs():
    target = 5.0 + 3.0 * np.resize([1.0, -1.0], 1000)
    plan = planned(1, "mse", target)

    assert plan["head.bias"].value == pytest.approx(5.0)
    assert plan.first_loss == pytest.approx(
        9.0 + plan["head.weight"].predicted ** 2, rel=1e-9
    )


def test_without_a_loss_nothing_is_expected():
    assert planned(3, None, None).first_loss is None


def test_a_short_list_is_whole_and_a_long_one_says_so():
    assert named(["a"]) == "a"
    assert named("abcdefgh").endswith("e, …")
