"""Masks in front of a softmax: what they are, and how many entries they leave."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph import Op, Parameter
from fanin.graph.builder import GraphBuilder

BATCH, LENGTH = 2, 4
CAUSAL = np.tril(np.ones((LENGTH, LENGTH), dtype=bool))


def scores_of() -> tuple[GraphBuilder, int]:
    """Scores of attention: a scaled product of two activations."""
    held = [Parameter(path=p, shape=(3, 3), dtype="float32") for p in "qk"]
    held.append(Parameter(path="b", shape=(7, 1), dtype="float32"))
    builder = GraphBuilder(framework="torch", parameters=held, batch_size=BATCH)
    x = builder.input((BATCH, LENGTH, 3))
    q, k = (
        builder.contract("mm", x, builder.parameter(p), "abc,cd->abd") for p in "qk"
    )
    scores = builder.contract("bmm", q, k, "abc,adc->abd")
    operands = (scores, builder.constant(0.5))
    return builder, builder.pointwise("mul", operands, np.multiply, rule="multiply")


def softmax_after(builder, masked):
    nodes = builder.build([builder.softmax("softmax", masked, -1)]).graph.nodes
    before = {node.id: node for node in nodes}
    assert nodes[-1].op is Op.SOFTMAX
    return nodes[-1], [before[i] for i in nodes[-1].inputs]


def added(builder, scores, mask):
    return builder.pointwise("add", (scores, mask), np.add, rule="add")


def by_sum(builder, scores):
    return added(builder, scores, builder.constant(np.where(CAUSAL, 0.0, -np.inf)))


def by_lowest(builder, scores):
    lowest = float(np.finfo(np.float32).min)
    return added(builder, scores, builder.constant(np.where(CAUSAL, 0.0, lowest)))


def by_fill(builder, scores):
    operands = (scores, builder.constant(~CAUSAL), builder.constant(-np.inf))
    return builder.pointwise("fill", operands, lambda x, m, n: np.where(m != 0, n, x))


def by_choice(builder, scores):
    operands = (builder.constant(CAUSAL), scores, builder.constant(-1e9))
    return builder.pointwise("where", operands, np.where)


def by_comparison(builder, scores):
    rows = builder.constant(np.arange(LENGTH)[:, None])
    columns = builder.constant(np.arange(LENGTH)[None, :])
    later = builder.pointwise("gt", (columns, rows), np.greater)
    spread = builder.broadcast("expand", later, (BATCH, LENGTH, LENGTH))
    operands = (scores, spread, builder.constant(-1e4))
    return builder.pointwise("fill", operands, lambda x, m, n: np.where(m != 0, n, x))


@pytest.mark.parametrize("form", [by_sum, by_lowest, by_fill, by_choice, by_comparison])
def test_a_causal_mask_is_part_of_the_softmax_and_counted(form):
    builder, scores = scores_of()

    node, sources = softmax_after(builder, form(builder, scores))

    assert node.details["mask"] == "constant"
    assert node.details["n_unmasked"] == (1 + 2 + 3 + 4) / 4
    assert node.details["mean_share"] == (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    assert [source.details.get("is_affine") for source in sources] == [True]


def test_without_a_mask_every_entry_is_left():
    builder, scores = scores_of()

    node, _ = softmax_after(builder, scores)

    assert (node.details["mask"], node.details["n_unmasked"]) == ("none", 4.0)


def test_a_mask_of_the_batch_is_data_and_its_count_is_not_known():
    builder, scores = scores_of()
    mask = builder.input((BATCH, 1, LENGTH))

    node, sources = softmax_after(builder, added(builder, scores, mask))

    assert node.details["mask"] == "data"
    assert "n_unmasked" not in node.details
    assert len(sources) == 1


def test_a_bias_that_leaves_no_entry_out_is_no_mask():
    builder, scores = scores_of()
    slopes = builder.constant(-np.abs(np.arange(16.0).reshape(4, 4)))

    node, sources = softmax_after(builder, added(builder, scores, slopes))

    assert node.details["mask"] == "none"
    assert [source.op for source in sources] == [Op.ADD]


def test_a_choice_by_the_batch_is_a_mask_of_data():
    builder, scores = scores_of()
    mask = builder.input((BATCH, 1, LENGTH))
    operands = (mask, scores, builder.constant(-1e9))

    node, sources = softmax_after(
        builder, builder.pointwise("where", operands, np.where)
    )

    assert node.details["mask"] == "data"
    assert [source.details.get("is_affine") for source in sources] == [True]


def test_a_mask_on_a_bias_that_two_layers_add_is_taken_out_of_it():
    builder, scores = scores_of()
    places = builder.constant(np.zeros((LENGTH, LENGTH), dtype=int))
    bias = builder.lookup("embedding", builder.parameter("b"), places)
    bias = builder.reshape("squeeze", bias, (LENGTH, LENGTH))
    masked = by_sum(builder, bias)
    other = builder.pointwise("neg", (scores,), np.negative)
    shares = [
        builder.softmax("softmax", added(builder, value, masked), -1)
        for value in (scores, other)
    ]

    graph = builder.build(shares).graph

    sums = [node for node in graph.nodes if node.op is Op.ADD]
    read = {graph.node(i).op for node in sums for i in node.inputs}
    assert len(sums) == 2
    assert Op.CONSTANT not in read
    for node_id in graph.outputs:
        assert graph.node(node_id).details["n_unmasked"] == 2.5


def test_what_others_read_too_keeps_its_mask():
    builder, scores = scores_of()
    masked = by_lowest(builder, scores)
    shares = builder.softmax("softmax", masked, -1)

    ops = [node.op for node in builder.build([shares, masked]).graph.nodes]

    assert Op.ADD in ops


def test_two_masks_leave_what_both_leave():
    builder, scores = scores_of()
    window = builder.constant(np.where(CAUSAL.T | np.eye(4, k=-1, dtype=bool), 0, -1e9))

    node, _ = softmax_after(builder, added(builder, by_fill(builder, scores), window))

    assert node.details["n_unmasked"] == (1 + 2 + 2 + 2) / 4


def test_a_mask_whose_numbers_are_not_known_is_a_constant_one():
    builder, scores = scores_of()
    mask = builder.constant(None, (LENGTH, LENGTH))

    node, _ = softmax_after(builder, added(builder, scores, mask))

    assert node.details["mask"] == "constant"
    assert "n_unmasked" not in node.details
