"""Decay rates and step sizes: kept where they are laid out, made where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import Evidence, make_plan

N_UNITS, N_STATES = 16, 4


def softplus(x):
    return np.logaddexp(x, 0.0)


def decaying(rates):
    """Draw h = exp(Δ·A)·x with Δ = softplus(W·x + b) and A = rates(parameter)."""
    sketch = Sketch()
    x = sketch.input((4, N_UNITS))
    u = sketch.dense(x, N_UNITS, path="u")
    step = sketch.apply(sketch.dense(x, N_UNITS, path="dt"), softplus)
    step = sketch.add_node(Op.REARRANGE, (step,), shape=(4, N_UNITS, 1), unit_axis=1)
    own = sketch.apply(sketch.parameter("A", (N_UNITS, N_STATES)), rates)
    product = sketch.add_node(
        Op.MULTIPLY, (own, step), shape=(4, N_UNITS, N_STATES), unit_axis=1
    )
    decay = sketch.apply(product, np.exp)
    u = sketch.add_node(Op.REARRANGE, (u,), shape=(4, N_UNITS, 1), unit_axis=1)
    h = sketch.add_node(
        Op.MULTIPLY, (decay, u), shape=(4, N_UNITS, N_STATES), unit_axis=1
    )
    y = sketch.add_node(
        Op.REDUCE,
        (h,),
        shape=(4, N_UNITS),
        unit_axis=1,
        details={"kind": "sum", "window": N_STATES, "axes": (2,)},
    )
    return sketch.graph(sketch.dense(y, 3, path="head"))


def planned(values, rates=lambda x: -np.exp(x)):
    return make_plan(decaying(rates), evidence=Evidence(values=values))


def numbers(plan, path):
    return plan.draws()[path](None)


@pytest.mark.parametrize("garbage", [0.0, 0.7, np.nan])
def test_rates_that_are_all_alike_are_laid_out_through_the_models_own_function(garbage):
    plan = planned({"A": np.full((N_UNITS, N_STATES), garbage)})

    rates = -np.exp(numbers(plan, "A").astype(np.float64))

    assert rates == pytest.approx(np.tile([-1.0, -2.0, -3.0, -4.0], (N_UNITS, 1)))


def test_rates_that_the_authors_laid_out_are_kept():
    rows = np.tile(np.log([1.0, 3.0, 9.0, 27.0]), (N_UNITS, 1))

    assert planned({"A": rows})["A"].is_kept


def test_rates_behind_a_function_that_is_not_known_are_kept():
    alike = {"A": np.zeros((N_UNITS, N_STATES))}

    assert planned(alike, rates=lambda x: -np.exp(x) - 5.0)["A"].is_kept


def test_step_sizes_that_are_all_alike_are_spread_evenly_in_their_logarithm():
    plan = planned({"dt.bias": np.zeros(N_UNITS)})

    steps = np.sort(softplus(numbers(plan, "dt.bias").astype(np.float64)))
    ratios = steps[1:] / steps[:-1]

    assert ratios == pytest.approx(100 ** (1 / N_UNITS), rel=1e-4)
    assert 1e-3 < steps[0] < steps[-1] < 1e-1


def test_step_sizes_that_differ_are_kept():
    values = {"dt.bias": np.linspace(-7.0, -2.0, N_UNITS)}

    assert planned(values)["dt.bias"].is_kept
