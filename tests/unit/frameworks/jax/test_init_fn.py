"""A plan's numbers as a function for jax.jit."""

from __future__ import annotations

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

import fanin
from fanin.errors import ArgumentError, NoStorageError, ShapeError

X = np.random.default_rng(1).normal(size=(32, 4)).astype(np.float32) + 1.0
Y = np.random.default_rng(2).normal(size=(32, 3)).astype(np.float32)


def apply(params, x):
    hidden = jnp.tanh(x @ params["first"]["kernel"] + params["first"]["bias"])
    return hidden @ params["last"]


def params(n=6):
    return {
        "first": {"kernel": jnp.full((4, n), 7.0), "bias": jnp.full((n,), 7.0)},
        "last": jnp.full((n, 3), 7.0),
    }


PAIR = (apply, params())


def same(left, right):
    pairs = zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_flax_takes_the_state_that_it_gives():
    model = nnx.Linear(4, 3, rngs=nnx.Rngs(0))
    plan = fanin.plan(model, X, seed=1)
    made = jax.jit(fanin.init_fn(plan, model))()
    nnx.update(model, made)
    other = nnx.Linear(4, 3, rngs=nnx.Rngs(5))
    fanin.apply(plan, other)

    assert same(nnx.state(model), nnx.state(other))


def test_equinox_takes_the_tree_that_it_gives():
    module = eqx.nn.MLP(4, 3, 8, 2, key=jax.random.key(0))
    plan = fanin.plan(module, X, seed=1)
    made = jax.jit(fanin.init_fn(plan, module))()
    whole = eqx.combine(made, module)

    assert whole(jnp.ones(4)).shape == (3,)
    assert fanin.verify(whole, plan, sample=None)


def test_a_calibrated_plan_with_biases_that_follow_data_is_given_whole():
    plan = fanin.plan(PAIR, X, "mse", Y, policy="lsuv", seed=1)
    made = jax.jit(fanin.init_fn(plan, PAIR))()

    assert same(made, fanin.apply(plan, PAIR)[1])


def test_what_is_kept_stays_in_a_pair():
    plan = fanin.plan(PAIR, X, skip="last", seed=1)
    made = jax.jit(fanin.init_fn(plan, PAIR))()

    assert np.all(made["last"] == 7.0)
    assert same(made, fanin.apply(plan, PAIR)[1])


def test_a_large_matrix_is_drawn_by_the_host_when_the_function_runs():
    model = (
        lambda p, x: x @ p["w"],
        {"w": jax.ShapeDtypeStruct((200, 200), "float32")},
    )
    plan = fanin.plan(model, jnp.ones((2, 200)), scheme="orthogonal", seed=1)
    function = fanin.init_fn(plan, model)
    text = str(jax.make_jaxpr(function)())

    assert "pure_callback" in text
    assert same(jax.jit(function)(), fanin.apply(plan, model)[1])


def test_another_seed_gives_the_numbers_that_apply_writes_from_it():
    plan = fanin.plan(PAIR, X, seed=1)
    made = jax.jit(fanin.init_fn(plan, PAIR, seed=9))()

    assert same(made, fanin.apply(plan, PAIR, seed=9)[1])
    assert not same(made, fanin.apply(plan, PAIR)[1])


def test_the_models_own_dtype_is_kept():
    narrow = (apply, jax.tree.map(lambda a: a.astype(jnp.bfloat16), params()))
    plan = fanin.plan(PAIR, X, seed=1)
    made = jax.jit(fanin.init_fn(plan, narrow))()

    assert {str(leaf.dtype) for leaf in jax.tree.leaves(made)} == {"bfloat16"}
    assert same(made, fanin.apply(plan, narrow)[1])


def test_a_model_of_another_framework_is_refused():
    net = torch.nn.Linear(3, 2)
    plan = fanin.plan(net, torch.ones(4, 3), seed=0)

    with pytest.raises(ArgumentError, match=r"fanin\.init writes into a model"):
        fanin.init_fn(plan, net)


def test_another_shape_is_refused():
    plan = fanin.plan(PAIR, X, seed=1)

    with pytest.raises(ShapeError, match=r"'first\.bias' has shape \(5,\)"):
        fanin.init_fn(plan, (apply, params(5)))


def test_a_tree_of_numbers_and_shapes_is_refused():
    plan = fanin.plan(PAIR, X, seed=1)
    kept = tuple(
        replace(p, law="keep") if p.path == "last" else p for p in plan.prescriptions
    )
    shapes = (apply, jax.eval_shape(params))

    with pytest.raises(NoStorageError, match="'last'"):
        fanin.init_fn(replace(plan, prescriptions=kept), shapes)
