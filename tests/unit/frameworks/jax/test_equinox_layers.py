from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equinox import nn

from fanin.frameworks import jax as framework
from fanin.graph import Op, Task

KEY = jax.random.key(0)


def drawn(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def record(model, batch):
    return framework.record(model, Task(batch=batch))


class OverPositions(eqx.Module):
    layer: eqx.Module

    def __call__(self, x):
        return jax.vmap(self.layer)(x)


class Recurrent(eqx.Module):
    cell: eqx.Module

    def __call__(self, x):
        zero = jnp.zeros(3)
        start = (zero, zero) if isinstance(self.cell, nn.LSTMCell) else zero
        return jax.lax.scan(lambda h, v: (self.cell(v, h), None), start, x)[0]


class SelfAttention(eqx.Module):
    layer: nn.MultiheadAttention

    def __call__(self, x):
        mask = jnp.tril(jnp.ones((6, 6), bool))
        return self.layer(x, x, x, mask=mask)


class Rotated(eqx.Module):
    layer: nn.Linear
    rotation: nn.RotaryPositionalEmbedding

    def __call__(self, x):
        return self.rotation(jax.vmap(self.layer)(x))


LINEARS = {
    "Linear": (lambda: nn.Linear(4, 3, key=KEY), (5, 4), (4, 3)),
    "Linear over positions": (
        lambda: OverPositions(nn.Linear(4, 3, key=KEY)),
        (5, 6, 4),
        (4, 3),
    ),
    "Linear to one number": (
        lambda: nn.Linear(4, "scalar", key=KEY),
        (5, 4),
        (4, 1),
    ),
    "Conv1d": (lambda: nn.Conv1d(4, 6, 3, key=KEY), (5, 4, 8), (12, 18)),
    "Conv2d": (
        lambda: nn.Conv2d(4, 6, 3, stride=2, groups=2, padding=1, key=KEY),
        (5, 4, 8, 8),
        (18, 6.75),
    ),
    "Conv3d": (lambda: nn.Conv3d(4, 6, 2, key=KEY), (5, 4, 5, 5, 5), (32, 48)),
    "ConvTranspose1d": (
        lambda: nn.ConvTranspose1d(4, 6, 4, stride=2, key=KEY),
        (5, 4, 8),
        (8, 24),
    ),
    "ConvTranspose2d": (
        lambda: nn.ConvTranspose2d(4, 6, 4, stride=2, groups=2, key=KEY),
        (5, 4, 8, 8),
        (8, 48),
    ),
    "WeightNorm": (lambda: nn.WeightNorm(nn.Linear(4, 3, key=KEY)), (5, 4), (4, 3)),
    "Rotary": (
        lambda: Rotated(nn.Linear(8, 8, key=KEY), nn.RotaryPositionalEmbedding(8)),
        (5, 6, 8),
        (8, 8),
    ),
}


@pytest.mark.parametrize("name", LINEARS)
def test_a_layer_with_one_weight_has_its_fans(name):
    make, shape, (n_in, n_out) = LINEARS[name]
    graph = record(make(), drawn(*shape))
    (node,) = graph.linears

    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (n_in, n_out)
    assert all(n.op is not Op.OPAQUE for n in graph.nodes)


def test_an_embedding_is_a_lookup():
    model = OverPositions(nn.Embedding(9, 4, key=KEY))
    graph = record(model, np.zeros((5, 6), np.int32))
    (node,) = graph.linears

    assert node.details["kind"] == "lookup"
    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (1.0, 4.0)


NORMS = {
    "LayerNorm": (lambda: nn.LayerNorm(4), "layer", (5, 4)),
    "LayerNorm over positions": (
        lambda: OverPositions(nn.LayerNorm(4)),
        "layer",
        (5, 6, 4),
    ),
    "RMSNorm": (lambda: nn.RMSNorm(4), "rms", (5, 4)),
    "BatchNorm": (
        lambda: nn.make_with_state(nn.BatchNorm)(4, "rows", mode="batch"),
        "batch",
        (5, 4),
    ),
    "BatchNorm of images": (
        lambda: nn.make_with_state(nn.BatchNorm)(4, "rows", mode="batch"),
        "batch",
        (5, 4, 6, 6),
    ),
    "BatchNorm, ema": (
        lambda: nn.make_with_state(nn.BatchNorm)(4, "rows", mode="ema"),
        "batch",
        (5, 4),
    ),
}


@pytest.mark.parametrize("name", NORMS)
def test_a_normalization_is_one_node(name):
    make, kind, shape = NORMS[name]
    graph = record(make(), drawn(*shape))
    (node,) = (n for n in graph.nodes if n.op not in {Op.INPUT, Op.REARRANGE})

    assert (node.op, node.details["kind"]) == (Op.NORMALIZE, kind)
    assert node.scale.endswith("weight")
    assert node.bias.endswith("bias")


POOLS = {
    "AvgPool2d": (lambda: nn.AvgPool2d(2, 2), "mean", [4]),
    "MaxPool2d": (lambda: nn.MaxPool2d(2, 2), "max", [4]),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d(3), "mean", [2, 2]),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(3), "max", [2, 2]),
}


@pytest.mark.parametrize("name", POOLS)
def test_pooling_has_its_kind_and_window(name):
    make, kind, windows = POOLS[name]
    nodes = record(make(), drawn(5, 4, 6, 6)).nodes
    found = [n.details for n in nodes if n.op is Op.REDUCE]

    assert [details["kind"] for details in found] == [kind] * len(windows)
    assert [details["window"] for details in found] == windows


WHOLE = {
    "MLP": (lambda: nn.MLP(4, 3, 8, 2, key=KEY), (5, 4)),
    "Sequential": (
        lambda: nn.Sequential(
            [nn.Linear(4, 4, key=KEY), nn.Lambda(jax.nn.gelu), nn.Identity()]
        ),
        (5, 4),
    ),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), (5, 4, 6, 6)),
    "LSTMCell": (lambda: Recurrent(nn.LSTMCell(4, 3, key=KEY)), (5, 2, 4)),
    "GRUCell": (lambda: Recurrent(nn.GRUCell(4, 3, key=KEY)), (5, 2, 4)),
    "a long recurrence": (
        lambda: Recurrent(nn.GRUCell(4, 3, key=KEY)),
        (5, 99, 4),
    ),
    "MultiheadAttention": (
        lambda: SelfAttention(nn.MultiheadAttention(2, 8, key=KEY)),
        (5, 6, 8),
    ),
    "Conv2d around": (
        lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="CIRCULAR", key=KEY),
        (5, 4, 8, 8),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_no_part_of_a_layer_is_opaque(name):
    make, shape = WHOLE[name]
    graph = record(make(), drawn(*shape))

    assert not [n.primitives for n in graph.nodes if n.op is Op.OPAQUE]


def test_a_learned_slope_is_part_of_the_activation():
    graph = record(nn.PReLU(0.2), drawn(5, 4))
    (node,) = (n for n in graph.nodes if n.op is Op.ELEMENTWISE)

    z = np.array([-2.0, -0.5, 0.0, 3.0])
    np.testing.assert_allclose(node.function(z), np.where(z < 0, 0.2 * z, z), rtol=1e-7)


def test_dropout_is_on_and_has_its_rate():
    graph = record(nn.Dropout(0.2, inference=True), drawn(5, 3))
    (node,) = (n for n in graph.nodes if n.op is Op.NOISE)

    assert node.details["p"] == pytest.approx(0.2)
