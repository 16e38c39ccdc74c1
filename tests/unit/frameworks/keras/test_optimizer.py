from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, optimizers

from fanin.errors import ArgumentError
from fanin.frameworks import keras as framework
from fanin.frameworks.keras.arrays import to_numpy


def dense():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(4, activation="tanh"), layers.Dense(3)]
    )


def gradients_for(values):
    rng = np.random.default_rng(0)
    return {path: rng.normal(size=v.shape).astype("f4") for path, v in values.items()}


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: optimizers.Adam(0.1),
    "rmsprop": lambda: optimizers.RMSprop(0.1),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "lion": lambda: optimizers.Lion(0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_first_step_is_the_one_that_the_optimizer_takes(name):
    model = dense()
    values = framework.read(model)
    gradients = gradients_for(values)
    facts = framework.optimizer_facts(model, OPTIMIZERS[name]())
    foretold = facts.first_step(values, gradients)
    given = [keras.ops.convert_to_tensor(gradients[p]) for p in values]
    OPTIMIZERS[name]().apply(given, model.trainable_variables)

    for path, new in framework.read(model).items():
        assert foretold[path] == pytest.approx(new - values[path], abs=1e-5)


def test_foretelling_changes_neither_model_nor_optimizer():
    model, optimizer = dense(), optimizers.Adam(0.1)
    before = framework.read(model)
    facts = framework.optimizer_facts(model, optimizer)
    facts.first_step(before, gradients_for(before))

    assert not optimizer.built
    assert all(np.array_equal(a, before[p]) for p, a in framework.read(model).items())


def test_a_schedule_is_read_at_step_0():
    schedule = optimizers.schedules.CosineDecay(
        1e-4, 1000, warmup_target=1e-2, warmup_steps=100
    )
    facts = framework.optimizer_facts(dense(), optimizers.Adam(schedule))

    assert facts.rate_of("dense/kernel") == pytest.approx(1e-4, rel=1e-5)
    assert facts.eps == 1e-7


def test_what_rescales_the_loss_is_looked_through():
    wrapped = optimizers.LossScaleOptimizer(optimizers.SGD(0.5))
    facts = framework.optimizer_facts(dense(), wrapped)

    assert (facts.family, facts.rate) == ("sgd", 0.5)


def test_variables_that_an_optimizer_was_not_built_for_are_named():
    model, optimizer = dense(), optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables[:2])
    facts = framework.optimizer_facts(model, optimizer)

    assert len(facts.unstepped) == 2
    assert to_numpy(model.trainable_variables[0].value).shape == (5, 4)


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(ArgumentError, match="optimizer"):
        framework.optimizer_facts(dense(), object())
