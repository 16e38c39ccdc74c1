"""The rules on updates, on headroom and on the output, in Keras and in JAX."""

from __future__ import annotations

import itertools

import jax
import numpy as np
import optax
import pytest
from flax import nnx

import fanin

RNG = np.random.default_rng(0)
X = RNG.standard_normal((32, 16)).astype("f4")
Y = RNG.integers(10, size=32)


def in_keras(activation="relu", depth=2):
    import keras

    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(16, activation=activation) for _ in range(depth)]
    return keras.Sequential([keras.Input((16,)), *hidden, keras.layers.Dense(10)])


class InFlax(nnx.Module):
    def __init__(self, activation=nnx.relu, depth=2, dtype=np.float32):
        rngs = nnx.Rngs(0)
        sizes = [16] * (depth + 1)
        self.hidden = nnx.List(
            [
                nnx.Linear(a, b, rngs=rngs, param_dtype=dtype, dtype=dtype)
                for a, b in itertools.pairwise(sizes)
            ]
        )
        self.head = nnx.Linear(16, 10, rngs=rngs, param_dtype=dtype, dtype=dtype)
        self.activation = activation

    def __call__(self, x):
        for layer in self.hidden:
            x = self.activation(layer(x))
        return self.head(x)


def codes(model, **told):
    batch = told.pop("batch", X)
    report = fanin.check(model, batch, "cross_entropy", Y, **told)
    return {f.code for f in (*report.findings, *report.consequences)}


def optimizers_of(name):
    import keras

    return {
        "keras": (in_keras, keras.optimizers.Adam, keras.optimizers.SGD),
        "flax": (InFlax, optax.adam, optax.sgd),
    }[name]


@pytest.mark.parametrize("name", ["keras", "flax"])
def test_a_usual_rate_is_passed_over(name):
    make, adam, sgd = optimizers_of(name)
    asked = ["FAN304", "FAN305", "FAN306"]

    assert not codes(make(), optimizer=adam(1e-3), select=asked)
    assert not codes(make(), optimizer=sgd(1e-2), select=asked)


@pytest.mark.parametrize("name", ["keras", "flax"])
def test_a_rate_of_1_is_too_large_for_adam(name):
    make, adam, _ = optimizers_of(name)

    assert codes(make(), optimizer=adam(1.0), select=["FAN306"]) == {"FAN306"}


@pytest.mark.parametrize("name", ["keras", "flax"])
def test_a_vanished_gradient_is_found_at_the_floor_and_lost_without(name):
    make, adam, sgd = optimizers_of(name)
    model = make(jax.nn.sigmoid if name == "flax" else "sigmoid", 16)

    assert "FAN305" in codes(model, optimizer=adam(1e-3))
    assert "FAN304" in codes(model, optimizer=sgd(1e-2))


def test_weights_of_bfloat16_lose_small_steps_in_jax():
    model = InFlax(dtype=jax.numpy.bfloat16)
    asked = ["FAN304"]

    assert codes(model, optimizer=optax.sgd(1e-3), select=asked) == {"FAN304"}
    assert not codes(InFlax(), optimizer=optax.sgd(1e-3), select=asked)


@pytest.mark.parametrize("make", [in_keras, InFlax], ids=["keras", "flax"])
def test_loud_signals_leave_float16_no_room(make):
    told = {"batch": 5000.0 * X, "select": ["FAN205"]}

    assert codes(make(), precision="float16", **told) == {"FAN205"}
    assert not codes(make(), precision="bfloat16", **told)
    assert not codes(make(), precision="float16", select=["FAN205"])


@pytest.mark.parametrize("make", [in_keras, InFlax], ids=["keras", "flax"])
def test_a_deep_sigmoid_net_is_beyond_reach_and_a_shallow_one_is_not(make):
    activation = jax.nn.sigmoid if make is InFlax else "sigmoid"

    assert codes(make(activation, 16), select=["FAN303"]) == {"FAN303"}
    assert not codes(make(depth=2), select=["FAN303"])


def test_an_output_that_is_always_0_is_found_in_keras():
    import keras

    def counting(start):
        keras.utils.set_random_seed(0)
        hidden = keras.layers.Dense(16, activation="relu")
        last = keras.layers.Dense(
            1, activation="relu", bias_initializer=keras.initializers.Constant(start)
        )
        return keras.Sequential([keras.Input((16,)), hidden, last])

    def found(start):
        target = np.ones((32, 1), "f4")
        return fanin.check(counting(start), X, "mse", target, select=["FAN506"])

    assert [f.code for f in found(-100.0).findings] == ["FAN506"]
    assert not found(1.0).findings
