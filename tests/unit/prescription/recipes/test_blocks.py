"""Chains, blocks and sides of residual networks, read off sketches and real models."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription.recipes.blocks import Blocks, last_norms
from tests.unit.prescription.policies.streams import (
    WIDTH,
    encoder_decoder,
    gated_mlp,
    layers,
    residual_mlp,
    transformer,
)


def only_chain(graph):
    (chain,) = Blocks(graph).chains.values()
    return chain


def test_each_sum_is_a_layer_where_nothing_attends():
    chain = only_chain(residual_mlp(6))

    assert (chain.side, chain.n_branches, chain.n_layers, chain.width) == (
        "alone",
        6,
        6,
        WIDTH,
    )


@pytest.mark.parametrize("order", ["pre", "post", "free"])
def test_a_transformer_layer_has_one_self_attention_and_two_branches(order):
    chain = only_chain(transformer(3, order=order))

    assert (chain.side, chain.n_branches, chain.n_layers) == ("alone", 6, 3)


@pytest.mark.parametrize("order", ["pre", "post", "free"])
def test_a_decoder_is_what_attends_to_another_stream(order):
    blocks = Blocks(encoder_decoder(3, 2, order=order))
    found = {
        c.side: (c.n_branches, c.n_layers, c.n_read) for c in blocks.chains.values()
    }

    assert found == {"encoder": (6, 3, 6), "decoder": (6, 2, 0)}


def test_keys_and_values_of_another_stream_are_on_the_branch_that_reads_them():
    blocks = Blocks(encoder_decoder(2, 2))

    block = blocks.by_path["d1.cross.v.weight"]
    assert block.chain.side == "decoder"
    assert (block.first, block.layer) == (5, 2)
    assert blocks.by_path["d1.cross.k.weight"] is block


def test_layers_are_numbered_by_their_self_attention():
    blocks = Blocks(transformer(3))

    assert [block.layer for block in blocks.all] == [1, 1, 2, 2, 3, 3]
    assert [block.first for block in blocks.all] == [1, 2, 3, 4, 5, 6]


def test_two_branches_in_one_sum_count_twice():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 12)), WIDTH, path="stem")
    for i in range(3):
        a, b = (sketch.dense(x, WIDTH, path=f"{i}.{n}") for n in "ab")
        x = sketch.combine(Op.ADD, x, a, b)
    blocks = Blocks(sketch.graph(x))

    (chain,) = blocks.chains.values()
    assert (chain.n_branches, chain.n_layers) == (6, 3)
    assert [block.first for block in blocks.all] == [1, 3, 5]


def test_stages_that_follow_each_other_are_one_chain():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 12)), WIDTH, path="stem")
    for stage in range(2):
        x = sketch.dense(x, 8 * (stage + 1), path=f"down{stage}")
        for i in range(2):
            z = sketch.dense(x, 8 * (stage + 1), path=f"{stage}.{i}")
            x = sketch.combine(Op.ADD, x, z)
    chain = only_chain(sketch.graph(x))

    assert (chain.n_branches, chain.width) == (4, 8)


def test_two_towers_are_two_chains():
    sketch = Sketch()
    ends = []
    for name in "ab":
        x = sketch.dense(sketch.input((8, 12)), WIDTH, path=name)
        for i in range(3):
            z = sketch.dense(x, WIDTH, path=f"{name}.{i}")
            x = sketch.combine(Op.ADD, x, z)
        ends.append(x)
    logits = sketch.add_node(
        Op.CONTRACT,
        tuple(ends),
        shape=(8, 8),
        unit_axis=None,
        details={"subscripts": "id,jd->ij"},
    )
    blocks = Blocks(sketch.graph(logits))

    assert [c.n_branches for c in blocks.chains.values()] == [3, 3]
    assert {c.side for c in blocks.chains.values()} == {"alone"}


@pytest.mark.parametrize(
    ("graph", "path", "degree", "counted"),
    [
        (residual_mlp(2, n_inner=2), "0.end", 3, {"0.0", "0.1", "0.end"}),
        (gated_mlp(2), "0.down", 3, {"0.gate", "0.up", "0.down"}),
        (transformer(1, order="free"), "0.self.o", 2, {"0.self.v", "0.self.o"}),
        (residual_mlp(2, function=np.tanh), "0.end", 1, {"0.end"}),
        (residual_mlp(2, end_norm=True), "0.end", 0, set()),
    ],
    ids=["plain", "gated", "attention", "bounded", "normalized"],
)
def test_a_branch_is_as_homogeneous_as_its_unbounded_weights(
    graph, path, degree, counted
):
    blocks = Blocks(graph)
    found = blocks.by_path[f"{path}.weight"].homogeneity
    names = {graph.node(i).path for i in found.weights}

    assert (found.degree, names) == (degree, counted)


def test_a_gated_branch_grows_with_the_degree_that_is_counted():
    """Doubling each counted weight multiplies a ReGLU branch by 2³ exactly."""
    rng = np.random.default_rng(5)
    x, gate, up, down = (rng.normal(size=(9, 9)) for _ in range(4))

    def branch(c):
        return (np.maximum(x @ (c * gate), 0) * (x @ (c * up))) @ (c * down)

    assert np.allclose(branch(2.0), 2.0**3 * branch(1.0))


def test_the_factor_on_each_shortcut_is_read():
    blocks = Blocks(transformer(2, order="post", alpha=1.5))
    (chain,) = blocks.chains.values()

    assert blocks.shortcut_factors(chain) == (1.5,) * 4
    assert blocks.is_post_norm(chain)


def test_a_factor_held_by_a_parameter_is_no_constant():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 12)), WIDTH, path="stem")
    scaled = sketch.add_node(Op.MULTIPLY, (x, sketch.parameter("alpha", (1,))))
    x = sketch.combine(Op.ADD, scaled, sketch.dense(x, WIDTH, path="0"))
    blocks = Blocks(sketch.graph(x))
    (chain,) = blocks.chains.values()

    assert blocks.shortcut_factors(chain) == (None,)


def test_normalization_before_branches_is_not_after_sums():
    blocks = Blocks(transformer(2, order="pre"))
    (chain,) = blocks.chains.values()

    assert not blocks.is_post_norm(chain)


def test_the_last_normalization_of_a_branch_is_found():
    blocks = Blocks(residual_mlp(1, end_norm=True))

    (norm,) = last_norms(blocks, blocks.all[0])
    assert blocks.flow.nodes[norm].path == "0.norm"


def test_an_encoder_alone_reads_nothing_elsewhere():
    sketch = Sketch()
    x = sketch.lookup(sketch.input((4, 5)), 20, WIDTH, path="table")
    graph = sketch.graph(layers(sketch, x, 2))

    assert not any(block.members.elsewhere for block in Blocks(graph).all)
