"""The architectures of the suite in Flax NNX."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
from flax import nnx

from fanin.frameworks import jax as framework
from fanin.graph import Task


class MLP(nnx.Module):
    def __init__(self, rngs):
        sizes = (12, 16, 16, 16, 5)
        pairs = pairwise(sizes)
        self.layers = nnx.List([nnx.Linear(*pair, rngs=rngs) for pair in pairs])
        self.dropout = nnx.Dropout(0.25, rngs=rngs)

    def __call__(self, x):
        x = nnx.tanh(self.layers[0](x))
        x = self.dropout(nnx.gelu(self.layers[1](x), approximate=False))
        return self.layers[3](nnx.silu(self.layers[2](x)))


class CNN(nnx.Module):
    def __init__(self, rngs):
        conv = partial(nnx.Conv, kernel_size=(3, 3), padding="VALID", rngs=rngs)
        self.first = conv(4, 8)
        self.norm = nnx.BatchNorm(8, epsilon=1e-5, rngs=rngs)
        self.second = conv(8, 8, strides=2, feature_group_count=2)
        self.third = conv(8, 8, feature_group_count=8)
        self.up = nnx.ConvTranspose(
            8, 6, (4, 4), strides=(2, 2), padding="VALID", rngs=rngs
        )
        self.head = nnx.Linear(96, 5, rngs=rngs)

    def __call__(self, x):
        x = self.norm(nnx.relu(self.first(x)))
        x = nnx.leaky_relu(self.third(nnx.elu(self.second(x))), 0.2)
        x = self.up(nnx.avg_pool(x, (2, 2), (2, 2)))
        x = x * nnx.tanh(nnx.softplus(x))
        return self.head(x.reshape(x.shape[0], -1))


class Branch(nnx.Module):
    def __init__(self, rngs):
        self.batch = nnx.BatchNorm(6, epsilon=1e-5, rngs=rngs)
        self.first = nnx.Conv(6, 6, (1, 1), use_bias=False, rngs=rngs)
        self.layer = nnx.LayerNorm(6, epsilon=1e-5, rngs=rngs)
        self.second = nnx.Conv(6, 6, (1, 1), rngs=rngs)

    def __call__(self, x):
        x = self.first(nnx.relu(self.batch(x)))
        return self.second(nnx.selu(self.layer(x)))


class Residual(nnx.Module):
    def __init__(self, rngs):
        self.branches = nnx.List([Branch(rngs) for _ in range(2)])
        self.head = nnx.Linear(6, 5, rngs=rngs)

    def __call__(self, x):
        for branch in self.branches:
            x = x + branch(x)
        return self.head(x.mean((1, 2)))


class Transformer(nnx.Module):
    def __init__(self, rngs):
        norm = partial(nnx.LayerNorm, 8, epsilon=1e-5, rngs=rngs)
        self.norms = nnx.List([norm(), norm()])
        self.attention = nnx.MultiHeadAttention(
            num_heads=2, in_features=8, decode=False, rngs=rngs
        )
        self.wide = nnx.Linear(8, 32, rngs=rngs)
        self.narrow = nnx.Linear(32, 8, rngs=rngs)

    def __call__(self, x):
        x = x + self.attention(self.norms[0](x))
        hidden = nnx.gelu(self.wide(self.norms[1](x)), approximate=False)
        return x + self.narrow(hidden)


class LSTM(nnx.Module):
    def __init__(self, rngs):
        cell = nnx.OptimizedLSTMCell(4, 3, rngs=rngs)
        self.net = nnx.RNN(cell, rngs=rngs)
        self.head = nnx.Linear(3, 5, rngs=rngs)

    def __call__(self, x):
        return self.head(self.net(x))


MODELS = {
    "mlp": (MLP, (7, 12)),
    "cnn": (CNN, (7, 12, 12, 4)),
    "residual": (Residual, (7, 8, 8, 6)),
    "transformer": (Transformer, (7, 6, 8)),
    "lstm": (LSTM, (7, 3, 4)),
}


def graphs():
    """Give the graph of each architecture, by name."""
    rng = np.random.default_rng(0)
    return {
        name: framework.record(
            make(nnx.Rngs(0)), Task(batch=rng.standard_normal(shape).astype("float32"))
        )
        for name, (make, shape) in MODELS.items()
    }
