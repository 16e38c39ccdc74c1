"""Attention is found by its two contractions, whichever operand comes first."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind, roles
from fanin.graph.sketch import Sketch

BATCH, POSITIONS, WIDTH, HEADS = 2, 5, 12, 3


def kinds(graph):
    return {path: role.kind for path, role in roles(graph).items()}


def cut(sketch, source, start, size, *, axis=2, **fields):
    shape = list(sketch.nodes[source].shape)
    shape[axis] = size
    details = {"axis": axis, "start": start, "step": 1, "repeat": 1}
    return sketch.add_node(
        Op.REARRANGE, (source,), shape=tuple(shape), details=details, **fields
    )


def mixed(sketch, q, k, v, *, subscripts="bqd,bkd->bqk", bias=None):
    """softmax(q·k + bias)·v, of one head."""
    shape = (BATCH, POSITIONS, POSITIONS)
    pair = (k, q) if subscripts.startswith("bk") else (q, k)
    logits = sketch.add_node(
        Op.CONTRACT, pair, shape=shape, details={"subscripts": subscripts}
    )
    if bias is not None:
        logits = sketch.add_node(Op.ADD, (logits, bias), shape=shape)
    shares = sketch.add_node(Op.SOFTMAX, (logits,), details={"axis": 2})
    return sketch.combine(Op.CONTRACT, v, shares)


def attention(*, subscripts="bqd,bkd->bqk", is_normed=False):
    sketch = Sketch()
    x = sketch.dense(sketch.input((BATCH, POSITIONS, 3)), WIDTH, path="stem")
    q, k, v = (sketch.dense(x, WIDTH, path=name) for name in "qkv")
    if is_normed:
        q, k = (sketch.normalize(z, path=f"{z}", kind="rms") for z in (q, k))
    out = sketch.dense(mixed(sketch, q, k, v, subscripts=subscripts), WIDTH, path="o")
    return sketch.graph(sketch.dense(sketch.combine(Op.ADD, x, out), 2, path="head"))


@pytest.mark.parametrize("subscripts", ["bqd,bkd->bqk", "bkd,bqd->bqk"])
@pytest.mark.parametrize("is_normed", [False, True])
def test_the_key_brings_the_axis_that_the_softmax_normalizes(subscripts, is_normed):
    found = kinds(attention(subscripts=subscripts, is_normed=is_normed))

    assert found["q.weight"] is RoleKind.QUERY
    assert found["k.weight"] is RoleKind.KEY
    assert found["v.weight"] is RoleKind.VALUE


def test_what_reads_mixed_values_is_the_output_and_ends_a_branch():
    role = roles(attention())["o.weight"]

    assert (role.kind, role.n_branches) == (RoleKind.ATTENTION_OUTPUT, 1)


def fused(*, is_interleaved):
    """One weight for queries, keys and values: side by side, or head by head."""
    sketch = Sketch()
    x = sketch.dense(sketch.input((BATCH, POSITIONS, 3)), WIDTH, path="stem")
    z = sketch.dense(x, 3 * WIDTH, path="qkv")
    axis, size = 2, WIDTH
    if is_interleaved:
        size = WIDTH // HEADS
        z = sketch.add_node(
            Op.REARRANGE,
            (z,),
            shape=(BATCH, HEADS, POSITIONS, 3 * size),
            unit_axis=None,
        )
        axis = 3
    parts = [cut(sketch, z, i * size, size, axis=axis) for i in range(3)]
    out = mixed(sketch, *parts)
    return sketch.graph(sketch.dense(out, WIDTH, path="o"))


@pytest.mark.parametrize("is_interleaved", [False, True], ids=["blocks", "heads"])
def test_the_rows_of_a_fused_weight_are_told_apart(is_interleaved):
    role = roles(fused(is_interleaved=is_interleaved))["qkv.weight"]
    owners = [
        [s.kind for s in role.slices if s.holds(unit)] for unit in range(3 * WIDTH)
    ]
    order = [RoleKind.QUERY, RoleKind.KEY, RoleKind.VALUE]
    run = WIDTH // HEADS if is_interleaved else WIDTH

    assert role.kind is RoleKind.QKV
    assert owners == [[order[unit // run % 3]] for unit in range(3 * WIDTH)]


def test_the_bias_of_a_fused_weight_has_its_slices():
    found = roles(fused(is_interleaved=False))

    assert found["qkv.bias"].slices == found["qkv.weight"].slices


def test_a_table_that_is_looked_up_into_the_logits_is_a_position_bias():
    sketch = Sketch()
    x = sketch.dense(sketch.input((BATCH, POSITIONS, 3)), WIDTH, path="stem")
    q, k, v = (sketch.dense(x, WIDTH, path=name) for name in "qkv")
    distances = sketch.add_node(Op.CONSTANT, shape=(POSITIONS, POSITIONS))
    bias = sketch.lookup(distances, 9, 1, path="distances")
    z = mixed(sketch, q, k, v, bias=bias)
    found = kinds(sketch.graph(sketch.dense(z, 2, path="head")))

    assert found["distances.weight"] is RoleKind.POSITION_BIAS
    assert found["q.weight"] is RoleKind.QUERY


def test_a_table_looked_up_by_position_is_told_from_one_with_too_few_rows():
    sketch = Sketch()
    words = sketch.add_node(Op.INPUT, shape=(BATCH, POSITIONS))
    places = sketch.add_node(Op.CONSTANT, shape=(1, POSITIONS))
    parts = [
        sketch.lookup(words, 11, WIDTH, path="words"),
        sketch.lookup(places, 8, WIDTH, path="places"),
        sketch.lookup(places, 2, WIDTH, path="types"),
    ]
    z = sketch.combine(Op.ADD, *parts)
    found = kinds(sketch.graph(sketch.dense(z, 3, path="head")))

    assert found["words.weight"] is RoleKind.EMBEDDING
    assert found["places.weight"] is RoleKind.POSITION_TABLE
    assert found["types.weight"] is RoleKind.EMBEDDING


def test_a_number_that_multiplies_a_contraction_is_a_logit_scale():
    sketch = Sketch()
    x = sketch.input((BATCH, WIDTH))
    a, b = sketch.dense(x, 4, path="a"), sketch.dense(x, 4, path="b")
    logits = sketch.combine(Op.CONTRACT, a, b)
    scale = sketch.apply(sketch.parameter("scale", (1,)), np.exp)
    graph = sketch.graph(sketch.add_node(Op.MULTIPLY, (logits, scale)))

    assert kinds(graph)["scale"] is RoleKind.LOGIT_SCALE
    assert kinds(graph)["a.weight"] is RoleKind.CONTRACTED


def test_a_parameter_joined_to_a_sequence_is_a_class_token():
    sketch = Sketch()
    x = sketch.dense(sketch.input((BATCH, POSITIONS, 3)), WIDTH, path="stem")
    token = sketch.parameter("token", (1, 1, WIDTH))
    z = sketch.add_node(
        Op.CONCAT,
        (token, x),
        shape=(BATCH, POSITIONS + 1, WIDTH),
        unit_axis=2,
        details={"axis": 1},
    )
    found = kinds(sketch.graph(sketch.dense(z, 3, path="head")))

    assert found["token"] is RoleKind.CLASS_VECTOR


def test_a_parameter_that_weights_read_is_a_learned_input():
    sketch = Sketch()
    z = sketch.dense(sketch.parameter("queries", (4, WIDTH)), 3, path="head")

    assert kinds(sketch.graph(z))["queries"] is RoleKind.LEARNED_INPUT
