"""Layers that are frozen, tied or repeated though nobody meant it: FAN005, 806, 810."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.rules import Evidence, Severity
from fanin.rules.fan810_equal_shards import equal_blocks

WIDTH = 16


def found(model, code, batch=None):
    given = torch.ones(4, WIDTH) if batch is None else batch
    return list(fanin.check(model, given, select=[code]).findings)


def stack(n=5):
    torch.manual_seed(0)
    hidden = [
        nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU())
        for _ in range(n)
    ]
    return nn.Sequential(*hidden, nn.Linear(WIDTH, 3))


def frozen(model, *layers):
    for i in layers:
        model[i].requires_grad_(False)
    return model


# FAN005


def test_a_frozen_layer_between_trained_sisters_is_a_note():
    findings = found(frozen(stack(), 3), "FAN005")

    assert {f.severity for f in findings} == {Severity.INFO}
    assert {p for f in findings for p in f.paths} == {
        "3.0.weight",
        "3.0.bias",
        "3.1.weight",
        "3.1.bias",
    }


@pytest.mark.parametrize(
    "layers",
    [(), (0,), (0, 1), (0, 1, 2, 3, 4), (5,), (1, 2, 3, 4, 5)],
    ids=["nothing", "first", "first two", "backbone", "head", "all but the first"],
)
def test_the_usual_ways_of_freezing_are_silent(layers):
    assert not found(frozen(stack(), *layers), "FAN005")


def test_adapters_beside_a_frozen_model_are_silent():
    class Adapted(nn.Module):
        def __init__(self):
            super().__init__()
            self.base = nn.Linear(WIDTH, WIDTH).requires_grad_(False)
            self.down = nn.Linear(WIDTH, 2, bias=False)
            self.up = nn.Linear(2, WIDTH, bias=False)

        def forward(self, x):
            return self.base(x) + self.up(self.down(x))

    model = nn.Sequential(*[Adapted() for _ in range(4)], nn.Linear(WIDTH, 3))

    assert not found(model, "FAN005")


def test_a_frozen_bias_alone_is_silent():
    model = stack()
    model[3][0].bias.requires_grad_(False)

    assert not found(model, "FAN005")


def test_a_frozen_keras_layer_between_trained_sisters_is_a_note():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(WIDTH, activation="relu") for _ in range(5)]
    model = keras.Sequential([keras.Input((WIDTH,)), *layers, keras.layers.Dense(3)])
    layers[3].trainable = False

    (finding,) = found(model, "FAN005", np.ones((4, WIDTH), np.float32))

    assert finding.where.endswith("dense_3")


# FAN806


def test_a_layer_put_into_a_list_several_times_is_a_note():
    layer = nn.Linear(WIDTH, WIDTH)

    (finding,) = found(nn.Sequential(*[layer] * 3, nn.Linear(WIDTH, 3)), "FAN806")

    assert finding.severity is Severity.INFO
    assert finding.paths == ("0.weight", "0.bias")
    assert finding.value == 3.0
    assert "several times" in finding.message


def test_layers_of_their_own_are_silent():
    assert not found(stack(), "FAN806")


def test_a_table_that_the_head_reads_as_well_is_silent():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(20, WIDTH)
            self.head = nn.Linear(WIDTH, 20, bias=False)
            self.head.weight = self.table.weight

        def forward(self, ids):
            return self.head(self.table(ids))

    assert not found(Tied(), "FAN806", torch.arange(8).reshape(2, 4))


def test_two_weights_over_one_memory_are_a_note():
    model = stack()
    model[1][0].weight = model[4][0].weight

    (finding,) = found(model, "FAN806")

    assert finding.paths == ("1.0.weight",)


def test_a_shared_layer_of_flax_is_a_note():
    from flax import nnx

    class Shared(nnx.Module):
        def __init__(self):
            self.first = nnx.Linear(WIDTH, WIDTH, rngs=nnx.Rngs(0))
            self.second = self.first

        def __call__(self, x):
            return self.second(nnx.relu(self.first(x)))

    (finding,) = found(Shared(), "FAN806", np.ones((4, WIDTH), np.float32))

    assert finding.value == 2.0


# FAN810


def sharded(n_shards=2, axis=0):
    """Give a net whose middle weight was drawn shard by shard from one seed."""
    model = stack()
    shape = [WIDTH, WIDTH]
    shape[axis] //= n_shards
    shard = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 0.3
    with torch.no_grad():
        model[2][0].weight.copy_(torch.cat([shard] * n_shards, dim=axis))
        model[2][0].bias.zero_()
    return model


@pytest.mark.parametrize("axis", [0, 1], ids=["rows", "columns"])
@pytest.mark.parametrize("n_shards", [2, 4])
def test_equal_shards_are_an_error(axis, n_shards):
    (finding,) = found(sharded(n_shards, axis), "FAN810")

    assert finding.severity is Severity.ERROR
    assert finding.paths == ("2.0.weight",)
    assert finding.value == n_shards
    assert ("rows", "columns")[axis] in finding.message


def test_equal_shards_explain_units_that_are_equal():
    report = fanin.check(sharded(), torch.randn(32, WIDTH))

    assert "FAN810" in {f.code for f in report.findings}
    assert "FAN104" in {f.code for f in report.consequences}


def test_shards_of_two_layers_that_make_twins_for_ever_are_proved():
    def half(shape):
        return torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 0.3

    model = nn.Sequential(
        nn.Linear(8, WIDTH, bias=False), nn.ReLU(), nn.Linear(WIDTH, 8, bias=False)
    )
    with torch.no_grad():
        model[0].weight.copy_(torch.cat([half((WIDTH // 2, 8))] * 2))
        model[2].weight.copy_(torch.cat([half((8, WIDTH // 2))] * 2, dim=1))

    report = fanin.check(model, torch.randn(32, 8))

    assert [f.code for f in report.errors] == ["FAN810"]
    assert report.errors[0].evidence is Evidence.PROVED
    assert report.errors[0].paths == ("0.weight", "2.weight")


def test_shards_of_a_keras_kernel_are_an_error():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((WIDTH,)), keras.layers.Dense(WIDTH)])
    half = np.sin(np.arange(WIDTH * WIDTH / 2) ** 2).reshape(WIDTH, WIDTH // 2)
    model.layers[0].kernel.assign(np.concatenate([half, half], axis=1))

    (finding,) = found(model, "FAN810", np.ones((4, WIDTH), np.float32))

    assert finding.where.endswith("dense/kernel")


def test_drawn_weights_and_tables_made_by_formula_are_silent():
    rng = np.random.default_rng(0)
    table = np.tile(np.arange(1.0, 17.0), (32, 1))
    waves = np.sin(np.arange(32)[:, None] / 3.0 ** np.arange(8))

    for value in (rng.normal(size=(32, 16)), table, np.eye(8), np.ones((8, 8)), waves):
        assert equal_blocks(value)[0] == 1


def test_a_widened_copy_with_noise_is_silent():
    rng = np.random.default_rng(1)
    half = rng.normal(size=(16, 16))

    assert equal_blocks(np.concatenate([half, half + 1e-6]))[0] == 1
