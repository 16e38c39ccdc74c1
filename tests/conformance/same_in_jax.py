"""The architectures of the suite in plain JAX: functions of a tree of arrays."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from fanin.frameworks import jax as framework
from fanin.graph import Task


def dense(n_in, n_out):
    return {"w": jnp.ones((n_in, n_out)), "b": jnp.zeros(n_out)}


def kernel(n_in, n_out, size):
    return {"w": jnp.ones((size, size, n_in, n_out)), "b": jnp.zeros(n_out)}


def norm(n):
    return {"g": jnp.ones(n), "s": jnp.zeros(n)}


def linear(p, x):
    return x @ p["w"] + p["b"]


def conv(p, x, *, stride=1, groups=1, spread=1, pad=0):
    made = jax.lax.conv_general_dilated(
        x,
        p["w"],
        (stride, stride),
        [(pad, pad)] * 2,
        lhs_dilation=(spread, spread),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    return made + p["b"] if "b" in p else made


def normal(p, x, axes):
    centred = x - x.mean(axes, keepdims=True)
    variance = jnp.square(centred).mean(axes, keepdims=True)
    return centred / jnp.sqrt(variance + 1e-5) * p["g"] + p["s"]


def mlp(p, x):
    x = jnp.tanh(linear(p["0"], x))
    x = jax.nn.gelu(linear(p["1"], x), approximate=False)
    kept = jax.random.bernoulli(jax.random.key(0), 0.75, x.shape)
    x = jnp.where(kept, x / 0.75, 0.0)
    return linear(p["3"], jax.nn.silu(linear(p["2"], x)))


def cnn(p, x):
    x = normal(p["norm"], jax.nn.relu(conv(p["first"], x)), (0, 1, 2))
    x = jax.nn.elu(conv(p["second"], x, stride=2, groups=2))
    x = jax.nn.leaky_relu(conv(p["third"], x, groups=8), 0.2)
    window = (1, 2, 2, 1)
    x = jax.lax.reduce_window(x, 0.0, jax.lax.add, window, window, "VALID") / 4.0
    x = jax.nn.mish(conv(p["up"], x, spread=2, pad=3))
    return linear(p["head"], x.reshape(x.shape[0], -1))


def residual(p, x):
    for branch in p["branches"]:
        more = conv(branch["first"], jax.nn.relu(normal(branch["batch"], x, (0, 1, 2))))
        more = jax.nn.selu(normal(branch["layer"], more, (-1,)))
        x = x + conv(branch["second"], more)
    return linear(p["head"], x.mean((1, 2)))


def transformer(p, x):
    inner = normal(p["norm1"], x, (-1,))
    query, key, value = (
        linear(p[name], inner).reshape(*x.shape[:2], 2, 4)
        for name in ("query", "key", "value")
    )
    scores = jnp.einsum("bthd,bshd->bhts", query, key) / 2.0
    mixed = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores), value)
    x = x + linear(p["out"], mixed.reshape(x.shape))
    hidden = jax.nn.gelu(
        linear(p["wide"], normal(p["norm2"], x, (-1,))), approximate=False
    )
    return x + linear(p["narrow"], hidden)


def lstm(p, x):
    def step(carry, row):
        hidden, cell = carry
        gates = linear(p["input"], row) + hidden @ p["recurrent"]
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return (hidden, cell), hidden

    zero = jnp.zeros((x.shape[0], 3))
    _, hidden = jax.lax.scan(step, (zero, zero), x.swapaxes(0, 1))
    return linear(p["head"], hidden.swapaxes(0, 1))


def branch():
    first = {"w": jnp.ones((1, 1, 6, 6))}
    return {
        "batch": norm(6),
        "first": first,
        "layer": norm(6),
        "second": kernel(6, 6, 1),
    }


SIZES = {"0": (12, 16), "1": (16, 16), "2": (16, 16), "3": (16, 5)}
MODELS = {
    "mlp": (mlp, {name: dense(*size) for name, size in SIZES.items()}, (7, 12)),
    "cnn": (
        cnn,
        {
            "first": kernel(4, 8, 3),
            "norm": norm(8),
            "second": kernel(4, 8, 3),
            "third": kernel(1, 8, 3),
            "up": kernel(8, 6, 4),
            "head": dense(96, 5),
        },
        (7, 12, 12, 4),
    ),
    "residual": (
        residual,
        {"branches": [branch(), branch()], "head": dense(6, 5)},
        (7, 8, 8, 6),
    ),
    "transformer": (
        transformer,
        {
            "norm1": norm(8),
            "norm2": norm(8),
            "wide": dense(8, 32),
            "narrow": dense(32, 8),
        }
        | {name: dense(8, 8) for name in ("query", "key", "value", "out")},
        (7, 6, 8),
    ),
    "lstm": (
        lstm,
        {"input": dense(4, 12), "recurrent": jnp.ones((3, 12)), "head": dense(3, 5)},
        (7, 3, 4),
    ),
}


def graphs():
    """Give the graph of each architecture, by name."""
    rng = np.random.default_rng(0)
    return {
        name: framework.record(
            (apply, params), Task(batch=rng.standard_normal(shape).astype("float32"))
        )
        for name, (apply, params, shape) in MODELS.items()
    }
