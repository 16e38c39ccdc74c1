"""Weights that begin with the same numbers: FAN803, FAN804, FAN805."""

from __future__ import annotations

import copy

import jax
import keras
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import fanin
from fanin.rules.fan805_same_stream import same_streams

WIDTH = 16


def found(model, *codes, batch=None):
    given = torch.ones(4, WIDTH) if batch is None else batch
    return list(fanin.check(model, given, select=codes).findings)


def rows():
    return np.ones((4, WIDTH), np.float32)


def test_a_layer_that_was_copied_is_named_and_only_the_copies_need_a_draw():
    torch.manual_seed(0)
    first = nn.Linear(WIDTH, WIDTH)
    model = nn.Sequential(first, nn.ReLU(), copy.deepcopy(first), nn.ReLU(), first)
    model[4] = copy.deepcopy(first)

    (finding,) = found(model, "FAN803")

    assert finding.paths == ("0.weight", "2.weight", "4.weight")
    assert finding.mended_by == ("2.weight", "4.weight")
    assert (finding.value, finding.interval) == (1.0, (3.0, 3.0))


class Mixing(nn.Module):
    """Every layer mixes by a table that a formula made, as RWKV's does."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        shares = (torch.arange(5 * WIDTH) / (5 * WIDTH)).reshape(5, WIDTH) ** 0.7
        self.shares = nn.ParameterList([nn.Parameter(shares.clone()) for _ in "ab"])
        self.layers = nn.ModuleList([nn.Linear(WIDTH, WIDTH) for _ in "ab"])

    def forward(self, x):
        for share, layer in zip(self.shares, self.layers, strict=True):
            x = torch.tanh(layer(x * share))
        return x.mean(1)


def test_tables_that_a_formula_made_are_no_clones():
    assert not found(Mixing(), "FAN803", "FAN805", batch=torch.ones(4, 5, WIDTH))


def test_a_generator_that_is_set_back_before_each_draw_is_named():
    model = nn.Sequential(nn.Linear(WIDTH, 32), nn.ReLU(), nn.Linear(32, 8))
    for layer in (model[0], model[2]):
        torch.manual_seed(0)
        nn.init.kaiming_normal_(layer.weight)

    (finding,) = found(model, "FAN805")

    assert finding.paths == ("0.weight", "2.weight")
    assert finding.mended_by == ("2.weight",)


def test_layers_drawn_one_after_the_other_are_silent():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(WIDTH, 32), nn.ReLU(), nn.Linear(32, 8))

    assert not found(model, "FAN803", "FAN804", "FAN805")


def keras_model(initializers, widths):
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(n, kernel_initializer=initializer, activation="relu")
        for n, initializer in zip(widths, initializers, strict=True)
    ]
    return keras.Sequential([keras.Input((WIDTH,)), *layers])


def test_two_keras_initializers_with_one_seed_are_named_with_the_seed():
    he = keras.initializers.HeNormal
    model = keras_model([he(seed=7), he(seed=7)], [WIDTH, WIDTH])

    (finding,) = found(model, "FAN803", "FAN804", "FAN805", batch=rows())

    assert finding.code == "FAN804"
    assert "HeNormal(seed=7)" in finding.message
    assert finding.mended_by == finding.paths[1:]


def test_one_keras_seed_and_two_shapes_are_one_stream():
    he = keras.initializers.HeNormal
    model = keras_model([he(seed=7), he(seed=7)], [32, 8])

    (finding,) = found(model, "FAN803", "FAN804", "FAN805", batch=rows())

    assert finding.code == "FAN805"
    assert "HeNormal(seed=7)" in finding.message


@pytest.mark.parametrize("seeds", [(1, 2), (None, None)])
def test_keras_initializers_of_their_own_are_silent(seeds):
    he = keras.initializers.HeNormal
    model = keras_model([he(seed=seed) for seed in seeds], [WIDTH, WIDTH])

    assert not found(model, "FAN803", "FAN804", "FAN805", batch=rows())


def flax_model(keys, laws):
    class Net(nnx.Module):
        def __init__(self):
            self.first = nnx.Linear(WIDTH, 32, rngs=nnx.Rngs(0))
            self.second = nnx.Linear(32, 8, rngs=nnx.Rngs(1))
            for layer, key, law in zip(
                (self.first, self.second), keys, laws, strict=True
            ):
                layer.kernel[...] = law(key, layer.kernel.shape)

        def __call__(self, x):
            return self.second(nnx.relu(self.first(x)))

    return Net()


LAWS = {
    "normal": jax.nn.initializers.normal(0.1),
    "he": jax.nn.initializers.he_normal(),
    "uniform": jax.nn.initializers.glorot_uniform(),
}


@pytest.mark.parametrize("second", LAWS)
def test_a_jax_key_that_is_used_twice_is_named_whatever_the_law(second):
    keys = [jax.random.key(3)] * 2
    model = flax_model(keys, [LAWS["normal"], LAWS[second]])

    (finding,) = found(model, "FAN805", batch=rows())

    assert set(finding.paths) == {"first.kernel", "second.kernel"}


def test_jax_keys_that_were_split_are_silent():
    keys = jax.random.split(jax.random.key(3))

    model = flax_model(list(keys), [LAWS["normal"], LAWS["he"]])

    assert not found(model, "FAN803", "FAN805", batch=rows())


def test_independent_weights_are_never_one_stream():
    rng = np.random.default_rng(0)
    values = {str(i): rng.normal(size=(4, 8)) for i in range(2000)}

    assert not same_streams(values)
