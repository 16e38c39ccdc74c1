"""The architectures of the suite in Equinox."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from equinox import nn

from fanin.frameworks import jax as framework
from fanin.graph import Task

KEY = jax.random.key(0)


class MLP(eqx.Module):
    layers: list
    dropout: Any

    def __init__(self):
        sizes = (12, 16, 16, 16, 5)
        pairs = pairwise(sizes)
        self.layers = [nn.Linear(*pair, key=KEY) for pair in pairs]
        self.dropout = nn.Dropout(0.25)

    def __call__(self, x, *, key):
        x = jnp.tanh(self.layers[0](x))
        x = jax.nn.gelu(self.layers[1](x), approximate=False)
        x = self.dropout(x, key=key)
        return self.layers[3](jax.nn.silu(self.layers[2](x)))


class CNN(eqx.Module):
    first: Any
    norm: Any
    second: Any
    third: Any
    pool: Any
    up: Any
    head: Any

    def __init__(self):
        self.first = nn.Conv2d(4, 8, 3, key=KEY)
        self.norm = nn.BatchNorm(8, "batch", eps=1e-5, mode="batch")
        self.second = nn.Conv2d(8, 8, 3, stride=2, groups=2, key=KEY)
        self.third = nn.Conv2d(8, 8, 3, groups=8, key=KEY)
        self.pool = nn.AvgPool2d(2, 2)
        self.up = nn.ConvTranspose2d(8, 6, 4, stride=2, key=KEY)
        self.head = nn.Linear(96, 5, key=KEY)

    def __call__(self, x, state):
        x, state = self.norm(jax.nn.relu(self.first(x)), state)
        x = jax.nn.leaky_relu(self.third(jax.nn.elu(self.second(x))), 0.2)
        x = jax.nn.mish(self.up(self.pool(x)))
        return self.head(x.reshape(-1)), state


class Branch(eqx.Module):
    batch: Any
    first: Any
    layer: Any
    second: Any

    def __init__(self):
        self.batch = nn.BatchNorm(6, "batch", eps=1e-5, mode="batch")
        self.first = nn.Conv2d(6, 6, 1, use_bias=False, key=KEY)
        self.layer = nn.LayerNorm(6, eps=1e-5)
        self.second = nn.Conv2d(6, 6, 1, key=KEY)

    def __call__(self, x, state):
        x, state = self.batch(x, state)
        x = self.first(jax.nn.relu(x))
        x = jax.vmap(jax.vmap(self.layer, 1, 1), 1, 1)(x)
        return self.second(jax.nn.selu(x)), state


class Residual(eqx.Module):
    branches: list
    head: Any

    def __init__(self):
        self.branches = [Branch() for _ in range(2)]
        self.head = nn.Linear(6, 5, key=KEY)

    def __call__(self, x, state):
        for branch in self.branches:
            more, state = branch(x, state)
            x = x + more
        return self.head(x.mean((1, 2))), state


class Transformer(eqx.Module):
    norms: list
    attention: Any
    wide: Any
    narrow: Any

    def __init__(self):
        self.norms = [nn.LayerNorm(8, eps=1e-5) for _ in range(2)]
        names = ("query", "key", "value", "output")
        biases = {f"use_{name}_bias": True for name in names}
        self.attention = nn.MultiheadAttention(2, 8, key=KEY, **biases)
        self.wide = nn.Linear(8, 32, key=KEY)
        self.narrow = nn.Linear(32, 8, key=KEY)

    def __call__(self, x):
        normal = jax.vmap(self.norms[0])(x)
        x = x + self.attention(normal, normal, normal)
        hidden = jax.vmap(self.wide)(jax.vmap(self.norms[1])(x))
        return x + jax.vmap(self.narrow)(jax.nn.gelu(hidden, approximate=False))


class LSTM(eqx.Module):
    cell: Any
    head: Any

    def __init__(self):
        self.cell = nn.LSTMCell(4, 3, key=KEY)
        self.head = nn.Linear(3, 5, key=KEY)

    def __call__(self, x):
        start = (jnp.zeros(3), jnp.zeros(3))

        def step(carry, row):
            carry = self.cell(row, carry)
            return carry, carry[0]

        return jax.vmap(self.head)(jax.lax.scan(step, start, x)[1])


MODELS = {
    "mlp": (MLP, (7, 12)),
    "cnn": (partial(nn.make_with_state(CNN)), (7, 4, 12, 12)),
    "residual": (partial(nn.make_with_state(Residual)), (7, 6, 8, 8)),
    "transformer": (Transformer, (7, 6, 8)),
    "lstm": (LSTM, (7, 3, 4)),
}


def graphs():
    """Give the graph of each architecture, by name."""
    rng = np.random.default_rng(0)
    return {
        name: framework.record(
            make(), Task(batch=rng.standard_normal(shape).astype("float32"))
        )
        for name, (make, shape) in MODELS.items()
    }
