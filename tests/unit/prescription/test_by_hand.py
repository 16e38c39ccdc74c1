"""A prior that someone has set survives; what a framework or training left does not."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest

from fanin.graph.fans import Fan
from fanin.graph.sketch import Sketch
from fanin.prescription import Evidence, make_plan
from fanin.prescription.by_hand import is_fresh

N_IN, N_OUT = 40, 10


def graph():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((8, 20)), N_IN, path="0"), np.tanh)
    return sketch.graph(sketch.dense(z, N_OUT, path="head"))


def fresh_weight(name="torch", seed=0):
    rng = np.random.default_rng(seed)
    shape, uniform = (N_OUT, N_IN), 1 / sqrt(N_IN)
    if name == "torch":
        return rng.uniform(-uniform, uniform, size=shape)
    if name == "keras":
        bound = sqrt(6 / (N_IN + N_OUT))
        return rng.uniform(-bound, bound, size=shape)
    if name == "flax":
        parent = rng.normal(size=20 * N_IN * N_OUT) * uniform / 0.87962566
        return parent[np.abs(parent) < 2 * uniform / 0.87962566][
            : N_IN * N_OUT
        ].reshape(shape)
    return 0.02 * rng.normal(size=shape)


def planned(bias, weight, **fields):
    values = {"head.bias": np.asarray(bias), "head.weight": weight}
    evidence = Evidence(values=values, loss="cross_entropy", **fields)
    return make_plan(graph(), evidence=evidence)


@pytest.mark.parametrize("name", ["torch", "keras", "flax", "transformers"])
@pytest.mark.parametrize("seed", range(5))
def test_a_weight_as_its_framework_drew_it_is_fresh(name, seed):
    assert is_fresh(fresh_weight(name, seed), Fan(n_in=N_IN, n_out=N_OUT))


@pytest.mark.parametrize("std", [0.03, 0.3, 1.0])
def test_a_weight_of_another_std_is_not_fresh(std):
    weight = std * np.random.default_rng(1).normal(size=(N_OUT, N_IN))

    assert not is_fresh(weight, Fan(n_in=N_IN, n_out=N_OUT))


@pytest.mark.parametrize(
    "bias",
    [np.full(N_OUT, -log(99)), np.full(N_OUT, 0.01), np.linspace(-3, 0, N_OUT)],
    ids=["detector", "small and flat", "log frequencies"],
)
def test_a_prior_that_someone_has_set_is_kept_with_the_reason(bias):
    plan = planned(bias, fresh_weight())

    assert plan["head.bias"].is_kept
    assert "set by hand" in plan["head.bias"].reason
    assert plan.first_loss is None


def test_it_is_kept_where_a_target_says_otherwise_too():
    target = np.repeat(np.arange(N_OUT), [200] + [5] * (N_OUT - 1))

    assert planned(np.full(N_OUT, 3.0), fresh_weight(), target=target)[
        "head.bias"
    ].is_kept


def test_what_the_framework_drew_is_replaced():
    bias = np.random.default_rng(2).uniform(-1, 1, N_OUT) / sqrt(N_IN)

    assert not planned(bias, fresh_weight())["head.bias"].is_kept
    assert not planned(np.zeros(N_OUT), fresh_weight("keras"))["head.bias"].is_kept


def test_what_training_or_another_start_left_is_replaced():
    moved = fresh_weight() + 0.3 * np.random.default_rng(3).normal(size=(N_OUT, N_IN))

    assert not planned(np.full(N_OUT, 3.0), moved)["head.bias"].is_kept
