"""Whatever a plan holds, its script does, in each framework."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import keras
import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanin.frameworks.keras.arrays import to_numpy

sys.path.insert(0, str(Path(__file__).parent))
from random_plans import plans
from script_checks import SENTINEL, assert_follows, executed

sys.path.pop(0)

SOME = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
DEVIATIONS = 6.5
"""Small arrays have long tails, and there are thousands of them."""


@SOME
@given(plan=plans("torch"))
def test_a_script_in_torch_does_what_the_plan_says(plan):
    model = torch.nn.Module()
    for p in plan.prescriptions:
        *owners, name = p.path.split(".")
        held = model
        for owner in owners:
            if not hasattr(held, owner):
                held.add_module(owner, torch.nn.Module())
            held = held.get_submodule(owner)
        full = torch.full(p.shape, SENTINEL, dtype=getattr(torch, p.dtype))
        held.register_parameter(name, torch.nn.Parameter(full))
    before = of_torch(model)

    executed(plan.code("torch"))["init_weights"](model)

    assert_follows(plan, before, of_torch(model), DEVIATIONS)


def of_torch(model):
    return {n: w.detach().double().numpy() for n, w in model.named_parameters()}


class Holder(keras.layers.Layer):
    def __init__(self, shapes, name):
        super().__init__(name=name)
        for variable, shape, dtype in shapes:
            self.add_weight(
                shape=shape,
                dtype=dtype,
                name=variable,
                initializer=keras.initializers.Constant(SENTINEL),
            )
        self.built = True


class Stack(keras.Model):
    def __init__(self, holders):
        super().__init__()
        self.holders = holders
        self.built = True


@SOME
@given(plan=plans("keras"))
def test_a_script_in_keras_does_what_the_plan_says(plan):
    shapes = {}
    for p in plan.prescriptions:
        layer, name = p.path.split("/")
        shapes.setdefault(layer, []).append((name, p.shape, p.dtype))
    model = Stack([Holder(held, name) for name, held in shapes.items()])
    before = of_keras(model)

    executed(plan.code("keras"))["init_weights"](model)

    assert_follows(plan, before, of_keras(model), DEVIATIONS)


def of_keras(model):
    return {v.path: to_numpy(v.value).astype(np.float64) for v in model.variables}


@settings(SOME, max_examples=4)
@given(plan=plans("jax"), seed=st.integers(0, 2**31))
def test_a_script_in_jax_does_what_the_plan_says(plan, seed):
    params = {}
    for p in plan.prescriptions:
        _, layer, name = p.path.split(".")
        held = params.setdefault("layers", {}).setdefault(layer, {})
        held[name] = jnp.full(p.shape, SENTINEL, p.dtype)
    before = of_jax(params)

    after = executed(plan.code("jax"))["init_params"](params, jax.random.key(seed))

    assert_follows(plan, before, of_jax(after), DEVIATIONS)
    assert_follows(plan, before, before | of_jax(after), DEVIATIONS)


def of_jax(params):
    return {
        f"layers.{layer}.{name}": np.asarray(leaf, dtype=np.float64)
        for layer, held in params["layers"].items()
        for name, leaf in held.items()
    }
