from __future__ import annotations

import jax
import jax.numpy as jnp

from fanin.frameworks._jaxpr.probe import gradients

ONES = jnp.ones(3)


def test_what_the_objective_does_not_depend_on_has_no_gradient():
    @jax.jit
    def inner(used, unused, stopped):
        return jnp.sum(jax.nn.relu(used)), jax.lax.stop_gradient(stopped).sum()

    def objective(values):
        used, unused, stopped, scaled, compared, picked = values
        total, other = inner(used, unused, stopped)
        chosen = jnp.where(compared > 0, 1.0, 2.0).sum()
        return total + other + 0.0 * scaled.sum() + chosen + jnp.argmax(picked)

    _, found = gradients(objective, [ONES] * 6)
    assert [g is None for g in found] == [False, True, True, False, True, True]
    assert not found[3].any()


def test_the_objective_is_given_too():
    value, _ = gradients(lambda v: v[0].sum() * 2.0, [ONES])

    assert float(value) == 6.0
