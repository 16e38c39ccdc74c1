"""Policies "torch", "keras" and "flax" against what the frameworks' layers do draw."""

from __future__ import annotations

from math import sqrt

import keras
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from fanin.api.task import find_framework, make_task
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.recipes.drawn import bound_of

N_DRAWS = 5.0
"""Standard errors that a sample's deviation may lie off."""


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.plain = nn.Conv2d(3, 24, 3)
        self.grouped = nn.Conv2d(24, 48, 3, groups=4, padding=1)
        self.depthwise = nn.Conv2d(48, 48, 5, groups=48, padding=2)
        self.strided = nn.ConvTranspose2d(48, 30, 4, stride=2)
        self.head = nn.Linear(30, 10)

    def forward(self, x):
        x = self.depthwise(torch.relu(self.grouped(torch.relu(self.plain(x)))))
        return self.head(torch.relu(self.strided(torch.relu(x))).mean((2, 3)))


class Sequences(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(40, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.lstm = nn.LSTM(32, 24, num_layers=2, batch_first=True)
        self.gru = nn.GRU(24, 20, batch_first=True)
        self.rnn = nn.RNN(20, 16, batch_first=True)
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        z = self.encoder(self.table(x))
        for cell in (self.lstm, self.gru, self.rnn):
            z, _ = cell(z)
        return self.head(z[:, -1])


def plan_of(model, batch, policy):
    task = make_task(batch, None, None, None, 0)
    return make_plan(find_framework(model).record(model, task), policy=policy)


def images():
    return torch.randn(2, 3, 8, 8)


def tokens():
    return torch.randint(0, 40, (2, 6))


def prepared(build, batch, policy):
    torch.manual_seed(1)
    model = build()
    return model, plan_of(model, batch(), policy)


def require_same_law(prescription, values):
    """The same spread within the sampling error, and the same bound if uniform."""
    values = np.asarray(values, dtype=np.float64)
    if prescription.std == 0.0:
        assert np.all(values == prescription.value)
        return
    # relative standard error of a deviation: √((κ − 1)/4n), κ ≤ 3 for these laws
    tolerance = N_DRAWS / sqrt(2 * values.size)
    assert np.sqrt((values**2).mean()) == pytest.approx(prescription.std, rel=tolerance)
    if prescription.law == "uniform":
        assert np.abs(values).max() <= bound_of(prescription.std) * (1 + 1e-6)


@pytest.mark.parametrize(
    ("build", "batch"), [(Convolutions, images), (Sequences, tokens)]
)
def test_torch_is_what_the_layers_of_torch_have_drawn(build, batch):
    model, plan = prepared(build, batch, "torch")

    for path, values in model.named_parameters():
        require_same_law(plan[path], values.detach())


def test_torch_counts_the_terms_of_torch_exactly():
    _, plan = prepared(Convolutions, images, "torch")

    bounds = {p.path: bound_of(p.std) for p in plan.prescriptions}
    assert bounds["grouped.weight"] == pytest.approx(1 / sqrt(6 * 9))
    assert bounds["depthwise.bias"] == pytest.approx(1 / sqrt(25))
    assert bounds["strided.weight"] == pytest.approx(1 / sqrt(30 * 16))


def test_a_fan_that_is_two_percent_off_is_noticed():
    model, plan = prepared(Sequences, tokens, "torch")
    weight = plan["lstm.weight_hh_l0"]
    wrong = bound_of(weight.std) * 0.98

    assert model.lstm.weight_hh_l0.detach().abs().max() > wrong


def keras_model():
    keras.utils.clear_session()  # layers' names are counted on from model to model
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(16, 3, activation="relu")(inputs)
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2)(x)
    x = keras.layers.Conv2DTranspose(12, 2, strides=2)(x)
    x = keras.layers.Reshape((64, 12))(x)
    x = keras.layers.MultiHeadAttention(3, 4)(x, x)
    x = keras.layers.LSTM(10, return_sequences=True)(x)
    x = keras.layers.GRU(9)(x)
    return keras.Model(inputs, keras.layers.Dense(5)(x))


def test_keras_is_what_the_layers_of_keras_have_drawn():
    keras.utils.set_random_seed(3)
    model = keras_model()
    batch = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    plan = plan_of(model, batch, "keras")

    for variable in model.trainable_variables:
        values = variable.value.detach().numpy()
        prescription = plan[variable.path]
        if prescription.law == "orthogonal":
            assert prescription.std == pytest.approx(np.sqrt((values**2).mean()))
        elif not prescription.parts:
            require_same_law(prescription, values)


def test_keras_opens_the_forget_gate_of_an_lstm_of_torch_once():
    lstm = nn.LSTM(5, 4, batch_first=True)
    plan = plan_of(lstm, torch.randn(2, 3, 5), "keras")
    draws = plan.draws()

    bias = draws["bias_ih_l0"](None) + draws["bias_hh_l0"](None)
    assert bias.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8


class Flaxen(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.table = nnx.Embed(30, 32, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(
            num_heads=4, in_features=32, decode=False, rngs=rngs
        )
        self.conv = nnx.Conv(32, 40, (3,), rngs=rngs)
        self.head = nnx.Linear(40, 7, rngs=rngs)

    def __call__(self, x):
        z = self.attention(self.table(x))
        return self.head(nnx.relu(self.conv(z)).mean(1))


def test_flax_is_what_the_layers_of_flax_have_drawn():
    model = Flaxen()
    batch = np.random.default_rng(0).integers(0, 30, size=(2, 6))
    plan = plan_of(model, batch, "flax")
    held = dict(nnx.to_flat_state(nnx.state(model, nnx.Param)))

    assert len(plan.prescriptions) == len(held)
    for path, values in held.items():
        name = ".".join(str(part) for part in path)
        require_same_law(plan[name], values[...])


def dense_sketch():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 50)), 30, path="0")
    return sketch.graph(sketch.dense(z, 10, path="1"))


@pytest.mark.parametrize(
    ("policy", "std", "law"),
    [
        ("torch", 1 / sqrt(3 * 50), "uniform"),
        ("keras", sqrt(2 / 80), "uniform"),
        ("flax", 1 / sqrt(50), "truncated_normal"),
    ],
)
def test_each_speaks_of_any_framework(policy, std, law):
    weight = make_plan(dense_sketch(), policy=policy)["0.weight"]

    assert (weight.law, weight.std) == (law, pytest.approx(std))
