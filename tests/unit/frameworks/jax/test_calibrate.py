"""Calibration in JAX: what is centred, followed, computed, or inside a long loop."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fanin.errors import SignalError
from fanin.frameworks import jax as framework
from fanin.graph import Task
from fanin.graph.calibration import Aim

GENERATOR = np.random.default_rng(4)
X = GENERATOR.normal(size=(32, 6)).astype(np.float32)


def drawn(*shape):
    return GENERATOR.normal(size=shape).astype(np.float32)


def size(numbers):
    return float(np.sqrt(np.mean(np.square(np.asarray(numbers, np.float64)))))


def calibrated(apply, params, aims, x=X):
    task = Task(batch=x)
    return framework.calibrate((apply, params), task, dict(params), aims)


def test_a_centred_output_has_its_size_around_its_means():
    params = {"w": drawn(6, 5), "b": drawn(5)}
    x = X + 2.0

    found = calibrated(
        lambda p, x: x @ p["w"] + p["b"],
        params,
        {"w": Aim(size=0.5, n_centred=5)},
        x,
    )

    product = x @ params["w"]
    factor = 0.5 / size(product - product.mean(0))
    assert found.factors["w"] == pytest.approx(factor, rel=1e-4)
    np.testing.assert_allclose(
        found.centres["w"], factor * product.mean(0), rtol=1e-3, atol=1e-4
    )


def test_a_bias_that_follows_its_weight_counts():
    params = {"w": drawn(6, 5), "v": drawn(5, 4)}
    params["b"] = (-0.7 * params["w"].sum(0)).astype(np.float32)

    found = calibrated(
        lambda p, x: jnp.maximum(x @ p["w"] + p["b"], 0) @ p["v"],
        params,
        {"w": Aim(size=1.0, follower="b"), "v": Aim(size=1.0)},
    )

    first = X @ params["w"] + params["b"]
    assert found.factors["w"] == pytest.approx(1.0 / size(first), rel=1e-4)
    second = np.maximum(first / size(first), 0.0) @ params["v"]
    assert found.factors["v"] == pytest.approx(1.0 / size(second), rel=1e-4)


def test_the_length_of_a_normed_weight_is_scaled():
    params = {"g": np.float32([1.0, 2.0, 3.0]), "v": drawn(6, 3), "u": drawn(3, 4)}

    def apply(p, x):
        weight = p["g"] * p["v"] / jnp.sqrt(jnp.sum(p["v"] ** 2, 0))
        return jnp.tanh(x @ weight) @ p["u"]

    found = calibrated(apply, params, {"g": Aim(size=0.5), "u": Aim(size=1.0)})

    weight = params["g"] * params["v"] / np.sqrt(np.sum(params["v"] ** 2, 0))
    factor = 0.5 / size(X @ weight)
    assert found.factors["g"] == pytest.approx(factor, rel=1e-4)
    second = np.tanh(factor * X @ weight) @ params["u"]
    assert found.factors["u"] == pytest.approx(1.0 / size(second), rel=1e-4)


def test_a_weight_inside_a_loop_that_runs_whole_is_scaled_by_its_numbers():
    """A long scan cannot be changed from outside: the parameter itself is scaled."""
    rounds = 100
    params = {"w": 3.0 * drawn(6, 8), "u": 0.1 * drawn(8, 8), "head": drawn(8, 2)}

    def apply(p, x):
        def body(carry, _):
            return jnp.tanh(x @ p["w"] + carry @ p["u"]), None

        last, _ = jax.lax.scan(body, jnp.zeros((len(x), 8)), length=rounds)
        return last @ p["head"]

    found = calibrated(apply, params, {"w": Aim(size=0.5), "head": Aim(size=1.0)})

    w = params["w"] * found.factors["w"]
    assert size(X @ w) == pytest.approx(0.5, rel=3e-3)
    state = np.zeros((len(X), 8))
    for _ in range(rounds):
        state = np.tanh(X @ w + state @ params["u"])
    head = params["head"] * found.factors["head"]
    assert size(state @ head) == pytest.approx(1.0, rel=3e-3)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_half_precision_is_calibrated_to_its_own_rounding(dtype):
    params = {"w": drawn(6, 64).astype(dtype), "v": drawn(64, 64).astype(dtype)}
    x = X.astype(dtype)

    def apply(p, x):
        return jnp.tanh(x @ p["w"]) @ p["v"]

    found = calibrated(apply, params, {"w": Aim(size=0.5), "v": Aim(size=1.0)}, x)

    scaled = {p: (np.float32(params[p]) * f) for p, f in found.factors.items()}
    hidden = np.tanh(np.float32(x) @ scaled["w"])
    assert size(np.float32(x) @ scaled["w"]) == pytest.approx(0.5, rel=5e-3)
    assert size(hidden @ scaled["v"]) == pytest.approx(1.0, rel=5e-3)


def test_numbers_that_are_not_finite_are_named():
    params = {"w": drawn(6, 20), "v": drawn(20, 4)}

    with pytest.raises(SignalError, match="output of 'v' is not finite"):
        calibrated(
            lambda p, x: jnp.log(x @ p["w"]) @ p["v"],
            params,
            {"w": Aim(size=1.0), "v": Aim(size=1.0)},
        )


def test_silent_units_are_named():
    params = {"w": drawn(6, 20), "v": drawn(20, 4)}

    with pytest.raises(SignalError, match="output of 'v' is always 0"):
        calibrated(
            lambda p, x: jnp.maximum(x @ p["w"] - 1e4, 0.0) @ p["v"],
            params,
            {"v": Aim(size=1.0)},
        )


def test_samples_that_are_all_alike_are_not_told_apart_by_their_rounding():
    params = {"w": drawn(6, 5)}
    x = np.ones((16, 6), np.float32)

    found = calibrated(
        lambda p, x: x @ p["w"], params, {"w": Aim(size=0.5, n_centred=5)}, x
    )

    expected = 0.5 / size(x @ params["w"])
    assert found.factors["w"] == pytest.approx(expected, rel=1e-4)
