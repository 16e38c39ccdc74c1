"""Loops of JAX and Keras, whose steps are told; and the probe of a single step."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import fanin
from fanin.rules import Verdict


def params(*, is_zero=False):
    keys = jax.random.split(jax.random.key(0), 2)
    made = {
        "first": {"w": jax.random.normal(keys[0], (6, 16)) * 0.4, "b": jnp.zeros(16)},
        "last": {"w": jax.random.normal(keys[1], (16, 3)) * 0.3, "b": jnp.zeros(3)},
    }
    return jax.tree.map(jnp.zeros_like, made) if is_zero else made


def apply(held, x):
    hidden = jax.nn.relu(x @ held["first"]["w"] + held["first"]["b"])
    return hidden @ held["last"]["w"] + held["last"]["b"]


def data():
    x = jax.random.normal(jax.random.key(1), (32, 6))
    return x, (x[:, 0] > 0).astype(int)


@jax.jit
def loss_and_gradient(held):
    x, y = data()

    def loss_of(held):
        logits = jax.nn.log_softmax(apply(held, x))
        return -jnp.take_along_axis(logits, y[:, None], axis=1).mean()

    return jax.value_and_grad(loss_of)(held)


def train(held, n_steps=5):
    with fanin.watch((apply, held)) as w:
        for _ in range(n_steps):
            loss, slopes = loss_and_gradient(held)
            held = jax.tree.map(lambda p, g: p - 0.1 * g, held, slopes)
            w.step((apply, held), loss=loss, gradients=slopes)
    return w


def test_a_jax_loop_is_watched_with_the_model_that_each_step_gives():
    w = train(params())
    trace = w.trace

    assert trace.paths == ("first.b", "first.w", "last.b", "last.w")
    assert trace.update == pytest.approx(0.1 * trace.gradient, rel=1e-3)
    assert trace.loss[-1] < trace.loss[0]
    assert w.report.verdict is Verdict.HEALTHY


def test_dead_layers_of_a_jax_loop_are_found():
    w = train(params(is_zero=True), n_steps=10)
    (finding,) = w.report.errors

    assert finding.code == "FAN106"
    assert finding.paths == ("first.b", "first.w", "last.w")


def test_a_module_that_is_changed_in_place_needs_no_new_one():
    model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
    with fanin.watch(model, steps=1) as w:
        model.kernel[...] = model.kernel[...] + 0.5
        w.step()
        model.kernel[...] = model.kernel[...] + 0.5
        w.step()  # past the steps that are watched

    assert w.n_steps == 1
    assert w.trace.update[0, w.trace.paths.index("kernel")] == pytest.approx(0.5)


def test_a_probe_says_what_one_step_did_and_changes_nothing():
    before = params()
    loss, slopes = loss_and_gradient(before)
    after = jax.tree.map(lambda p, g: p - 0.1 * g, before, slopes)
    kept = jax.tree.map(np.array, before)
    trace = fanin.probe(before, after, slopes, loss=loss)
    place = trace.paths.index("first.w")

    size = float(np.sqrt(np.mean(np.asarray(slopes["first"]["w"], np.float64) ** 2)))
    assert trace.gradient[0, place] == pytest.approx(size, rel=1e-6)
    assert trace.update[0, place] == pytest.approx(0.1 * size, rel=1e-3)
    assert trace.loss.tolist() == [float(loss)]
    assert jax.tree.all(jax.tree.map(np.array_equal, kept, before))


def test_a_probe_counts_the_entries_that_rounding_took():
    before = {"w": jnp.ones(4, jnp.bfloat16)}
    slopes = {"w": jnp.array([0.0, 1.0, 1.0, 1.0], jnp.bfloat16)}
    after = {"w": before["w"] - jnp.array([0.0, 1e-4, 1e-4, 0.5], jnp.bfloat16)}
    trace = fanin.probe(before, after, slopes)

    assert trace.lost[0, 0] == pytest.approx(2 / 3)


def test_a_probe_shows_weights_that_broke():
    trace = fanin.probe({"w": np.ones(2)}, {"w": np.array([1.0, np.nan])})

    assert np.isinf(trace.update[0, 0])
