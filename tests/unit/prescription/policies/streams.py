"""Residual networks as sketches: plain, pre-norm, post-norm, encoder with decoder."""

from __future__ import annotations

import numpy as np

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch

WIDTH = 16


def relu(x):
    return np.maximum(x, 0.0)


def silu(x):
    with np.errstate(over="ignore"):
        return x / (1.0 + np.exp(-x))


def residual_mlp(n_blocks=4, *, n_inner=1, end_norm=False, scale=None, function=relu):
    """x + W·φ(W·φ(…)), with a normalization or a learned scale at the end if wanted."""
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 12)), WIDTH, path="stem")
    for i in range(n_blocks):
        z = x
        for j in range(n_inner):
            z = sketch.dense(sketch.apply(z, function), WIDTH, path=f"{i}.{j}")
        z = sketch.dense(sketch.apply(z, function), WIDTH, path=f"{i}.end")
        if end_norm:
            z = sketch.normalize(z, path=f"{i}.norm")
        if scale is not None:
            factor = sketch.parameter(f"{i}.scale", scale)
            z = sketch.add_node(Op.MULTIPLY, (z, factor))
        x = sketch.combine(Op.ADD, x, z)
    return sketch.graph(sketch.dense(sketch.apply(x, function), 10, path="head"))


def gated_mlp(n_blocks=4):
    """x + D(silu(G·x)·(U·x))."""
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 12)), WIDTH, path="stem")
    for i in range(n_blocks):
        gate = sketch.apply(sketch.dense(x, 32, path=f"{i}.gate"), silu)
        up = sketch.dense(x, 32, path=f"{i}.up")
        product = sketch.combine(Op.MULTIPLY, gate, up)
        down = sketch.dense(product, WIDTH, path=f"{i}.down")
        x = sketch.combine(Op.ADD, x, down)
    return sketch.graph(sketch.dense(x, 10, path="head"))


def attention(sketch, x, source, path):
    """Softmax attention of ``x`` over ``source``, with four weights."""
    query = sketch.dense(x, WIDTH, path=f"{path}.q")
    key, value = (sketch.dense(source, WIDTH, path=f"{path}.{n}") for n in "kv")
    n_queries, n_keys = sketch.nodes[query].shape[1], sketch.nodes[key].shape[1]
    logits = sketch.add_node(
        Op.CONTRACT,
        (query, key),
        shape=(4, n_queries, n_keys),
        unit_axis=None,
        details={"subscripts": "bqd,bkd->bqk"},
    )
    shares = sketch.add_node(Op.SOFTMAX, (logits,), details={"axis": 2})
    mixed = sketch.add_node(
        Op.CONTRACT,
        (shares, value),
        shape=(4, n_queries, WIDTH),
        unit_axis=2,
        details={"subscripts": "bqk,bkd->bqd"},
    )
    return sketch.dense(mixed, WIDTH, path=f"{path}.o")


def feed_forward(sketch, x, path, *, inner_norm=False):
    z = sketch.apply(sketch.dense(x, 4 * WIDTH, path=f"{path}.up"), relu)
    if inner_norm:
        z = sketch.normalize(z, path=f"{path}.inner", kind="layer")
    return sketch.dense(z, WIDTH, path=f"{path}.down")


def joined(sketch, x, branch, *, norm, alpha=1.0):
    """x + branch, normalized before (by the caller) or after."""
    if alpha != 1.0:
        x = sketch.apply(x, lambda values, alpha=alpha: alpha * values)
    total = sketch.combine(Op.ADD, x, branch)
    return total if norm is None else sketch.normalize(total, path=norm, kind="layer")


def transformer(n_layers=3, *, order="pre", alpha=1.0):
    """Layers of attention and feed-forward; order: "pre", "post" or "free"."""
    sketch = Sketch()
    x = sketch.lookup(sketch.input((4, 5)), 20, WIDTH, path="table")
    x = layers(sketch, x, n_layers, style=(order, alpha))
    return sketch.graph(sketch.dense(x, 10, path="head"))


def layers(sketch, x, n_layers, name="", *, style=("pre", 1.0), memory=None):
    """Encoder layers, or decoder layers where there is a memory; style: order, α."""
    order, alpha = style

    def read(x, path):
        return x if order != "pre" else sketch.normalize(x, path=path, kind="layer")

    for i in range(n_layers):
        path = f"{name}{i}"
        parts = ["self", "ff"] if memory is None else ["self", "cross", "ff"]
        for part in parts:
            here = f"{path}.{part}"
            z = read(x, f"{here}.norm")
            if part == "ff":
                branch = feed_forward(sketch, z, here)
            else:
                source = z if part == "self" else memory
                branch = attention(sketch, z, source, here)
            norm = f"{here}.norm" if order == "post" else None
            x = joined(sketch, x, branch, norm=norm, alpha=alpha)
    return x


def encoder_decoder(n_encoder=3, n_decoder=2, *, order="post", alphas=(1.0, 1.0)):
    """A decoder that attends to an encoder."""
    sketch = Sketch()
    source = sketch.lookup(sketch.input((4, 7)), 20, WIDTH, path="source")
    memory = layers(sketch, source, n_encoder, "e", style=(order, alphas[0]))
    y = sketch.lookup(sketch.input((4, 5)), 20, WIDTH, path="target")
    y = layers(sketch, y, n_decoder, "d", style=(order, alphas[1]), memory=memory)
    return sketch.graph(sketch.dense(y, 10, path="head"))
