from __future__ import annotations

import numpy as np
import pytest
from flax import nnx

from fanin.frameworks import jax as framework
from fanin.graph import Op, Task


def rngs():
    return nnx.Rngs(0)


def drawn(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def record(model, batch):
    return framework.record(model, Task(batch=batch))


LINEARS = {
    "Linear": (lambda: nnx.Linear(4, 3, rngs=rngs()), (5, 4), (4, 3)),
    "LinearGeneral": (
        lambda: nnx.LinearGeneral((4, 2), (3, 5), axis=(-2, -1), rngs=rngs()),
        (5, 4, 2),
        (8, 15),
    ),
    "Einsum": (
        lambda: nnx.Einsum("nta,abc->ntbc", (4, 2, 3), (2, 3), rngs=rngs()),
        (5, 6, 4),
        (4, 6),
    ),
    "Conv": (
        lambda: nnx.Conv(4, 6, (3, 3), strides=2, rngs=rngs()),
        (5, 8, 8, 4),
        (36, 13.5),
    ),
    "Conv in groups": (
        lambda: nnx.Conv(4, 6, (3, 3), feature_group_count=2, rngs=rngs()),
        (5, 8, 8, 4),
        (18, 27),
    ),
    "Conv around": (
        lambda: nnx.Conv(4, 6, (3,), padding="CIRCULAR", rngs=rngs()),
        (5, 8, 4),
        (12, 18),
    ),
    "Conv of the past": (
        lambda: nnx.Conv(4, 6, (3,), padding="CAUSAL", rngs=rngs()),
        (5, 8, 4),
        (12, 18),
    ),
    "ConvTranspose": (
        lambda: nnx.ConvTranspose(4, 6, (4, 4), strides=2, rngs=rngs()),
        (5, 8, 8, 4),
        (16, 96),
    ),
    "ConvTranspose, kernel transposed": (
        lambda: nnx.ConvTranspose(
            4, 6, (4, 4), strides=2, transpose_kernel=True, rngs=rngs()
        ),
        (5, 8, 8, 4),
        (16, 96),
    ),
    "WeightNorm": (
        lambda: nnx.WeightNorm(nnx.Linear(4, 3, rngs=rngs()), rngs=rngs()),
        (5, 4),
        (4, 3),
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
    graph = record(nnx.Embed(9, 4, rngs=rngs()), np.zeros((5, 6), np.int32))
    (node,) = graph.linears

    assert node.details["kind"] == "lookup"
    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (1.0, 4.0)


NORMS = {
    "BatchNorm": (lambda: nnx.BatchNorm(4, rngs=rngs()), "batch", 1e-5),
    "LayerNorm": (lambda: nnx.LayerNorm(4, rngs=rngs()), "layer", 1e-6),
    "RMSNorm": (lambda: nnx.RMSNorm(4, rngs=rngs()), "rms", 1e-6),
}


@pytest.mark.parametrize("name", NORMS)
def test_a_normalization_is_one_node(name):
    make, kind, eps = NORMS[name]
    graph = record(make(), drawn(5, 4))
    (node,) = (n for n in graph.nodes if n.op not in {Op.INPUT, Op.REARRANGE})

    assert (node.op, node.details["kind"], node.scale) == (Op.NORMALIZE, kind, "scale")
    assert node.details["eps"] == pytest.approx(eps, rel=1e-2)


WHOLE = {
    "InstanceNorm": (lambda: nnx.InstanceNorm(4, rngs=rngs()), (5, 6, 6, 4)),
    "GroupNorm": (lambda: nnx.GroupNorm(4, num_groups=2, rngs=rngs()), (5, 6, 6, 4)),
    "MultiHeadAttention": (
        lambda: nnx.MultiHeadAttention(
            num_heads=2, in_features=8, decode=False, rngs=rngs()
        ),
        (5, 6, 8),
    ),
    "LSTMCell": (lambda: recurrent(nnx.LSTMCell), (5, 2, 4)),
    "OptimizedLSTMCell": (lambda: recurrent(nnx.OptimizedLSTMCell), (5, 2, 4)),
    "GRUCell": (lambda: recurrent(nnx.GRUCell), (5, 2, 4)),
    "SimpleCell": (lambda: recurrent(nnx.SimpleCell), (5, 2, 4)),
    "a long RNN": (lambda: recurrent(nnx.GRUCell), (5, 100, 4)),
    "Bidirectional": (
        lambda: nnx.Bidirectional(
            recurrent(nnx.SimpleCell), recurrent(nnx.SimpleCell), rngs=rngs()
        ),
        (5, 2, 4),
    ),
    "LoRA": (lambda: nnx.LoRA(4, 2, 3, rngs=rngs()), (5, 4)),
    "LoRALinear": (lambda: nnx.LoRALinear(4, 3, lora_rank=2, rngs=rngs()), (5, 4)),
}


def recurrent(cell):
    return nnx.RNN(cell(4, 3, rngs=rngs()), rngs=rngs())


@pytest.mark.parametrize("name", WHOLE)
def test_no_part_of_a_layer_is_opaque(name):
    make, shape = WHOLE[name]
    model = make()
    graph = record(model, drawn(*shape))

    assert not [n.primitives for n in graph.nodes if n.op is Op.OPAQUE]


def test_a_learned_slope_is_part_of_the_activation():
    graph = record(nnx.PReLU(negative_slope_init=0.2), drawn(5, 4))
    (node,) = (n for n in graph.nodes if n.op is Op.ELEMENTWISE)

    z = np.array([-2.0, -0.5, 0.0, 3.0])
    np.testing.assert_allclose(node.function(z), np.where(z < 0, 0.2 * z, z), rtol=1e-7)


@pytest.mark.parametrize("axes", [(), (1,)])
def test_dropout_is_on_and_has_its_rate(axes):
    model = nnx.Dropout(0.2, broadcast_dims=axes, rngs=rngs())
    model.eval()
    graph = record(model, drawn(5, 3, 4))
    (node,) = (n for n in graph.nodes if n.op is Op.NOISE)

    assert node.details["p"] == pytest.approx(0.2)
    assert model.deterministic
