from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
import optax
import pytest
from flax import nnx

from fanin.errors import ArgumentError
from fanin.frameworks import jax as framework


def in_flax():
    rngs = nnx.Rngs(0)
    return nnx.Sequential(nnx.Linear(3, 4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs))


def in_equinox():
    return eqx.nn.MLP(3, 2, 4, 1, key=jax.random.key(0))


def as_pair():
    return (lambda params, x: x @ params["w"], {"w": jax.numpy.ones((3, 2))})


MODELS = {"flax": in_flax, "equinox": in_equinox, "pair": as_pair}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


def steps(model, optimizer, size=0.5):
    values = framework.read(model)
    gradients = {path: np.full(v.shape, size, "f4") for path, v in values.items()}
    facts = framework.optimizer_facts(model, optimizer)
    return facts, facts.first_step(values, gradients)


def test_gradient_descent_is_known_by_its_steps(model):
    facts, found = steps(model, optax.sgd(0.1))

    assert (facts.family, facts.eps) == ("sgd", 0.0)
    assert facts.rate == pytest.approx(0.1, rel=1e-5)
    assert all(np.allclose(step, -0.05) for step in found.values())


@pytest.mark.parametrize("eps", [1e-8, 1e-6])
def test_adam_and_its_eps_are_known_by_their_steps(model, eps):
    facts, found = steps(model, optax.adam(1e-3, eps=eps))

    assert facts.is_dividing
    assert facts.eps == pytest.approx(eps, rel=0.01)
    assert all(np.allclose(step, -1e-3, rtol=1e-3) for step in found.values())


def test_a_chain_with_a_schedule_is_at_step_0():
    schedule = optax.linear_schedule(1e-4, 1e-2, 100)
    chain = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule))
    facts, _ = steps(in_flax(), chain)

    assert facts.rate == pytest.approx(1e-4, rel=1e-3)


def test_a_warm_up_from_0_tells_nothing():
    schedule = optax.linear_schedule(0.0, 1e-2, 100)
    facts, found = steps(in_flax(), optax.adam(schedule))

    assert (facts.family, facts.rate) == ("unknown", None)
    assert not any(np.any(step) for step in found.values())


def test_an_optimizer_of_flax_is_looked_into():
    net = in_flax()
    optimizer = nnx.Optimizer(net, optax.sgd(0.5), wrt=nnx.Param)
    facts, _ = steps(net, optimizer)

    assert facts.rate == pytest.approx(0.5, rel=1e-5)


def test_what_is_no_optimizer_is_refused(model):
    with pytest.raises(ArgumentError, match="optimizer"):
        framework.optimizer_facts(model, object())
