"""Roles are read off the Graph: what feeds a weight, and where its output goes."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind, next_activation, roles
from fanin.graph.roles.residual import joints
from fanin.graph.sketch import Sketch


def relu(x):
    return np.maximum(x, 0.0)


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def kinds(graph):
    return {path: role.kind for path, role in roles(graph).items()}


def mlp(*, last=None):
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 4, path="0")
    z = sketch.dense(sketch.apply(z, relu, path="1"), 4, path="2")
    z = sketch.dense(sketch.apply(z, relu, path="3"), 1, path="4")
    return sketch.graph(z if last is None else sketch.apply(z, last))


def residual_net(n_blocks=3, *, is_normed=False, is_projected=False):
    sketch = Sketch()
    stream = sketch.conv(sketch.input((2, 3, 5, 5)), 4, path="stem")
    for i in range(n_blocks):
        a = sketch.apply(sketch.conv(stream, 4, path=f"{i}.a"), relu)
        branch = sketch.conv(a, 4, path=f"{i}.b")
        branch = sketch.normalize(branch, path=f"{i}.bn") if is_normed else branch
        shortcut = stream
        if is_projected and i == 1:
            shortcut = sketch.conv(stream, 4, path="projection", kernel=1)
        stream = sketch.apply(sketch.combine(Op.ADD, shortcut, branch), relu)
    return sketch.graph(sketch.dense(sketch.reduce(stream), 10, path="head"))


def test_the_layers_of_an_mlp_have_their_roles():
    assert list(kinds(mlp()).values()) == [
        RoleKind.INPUT_LAYER,
        RoleKind.BIAS,
        RoleKind.HIDDEN,
        RoleKind.BIAS,
        RoleKind.HEAD,
        RoleKind.HEAD_BIAS,
    ]


def test_the_evidence_names_the_activation_that_follows():
    assert roles(mlp())["2.weight"].evidence == "its output goes through 3"


def test_a_sigmoid_after_the_last_weight_leaves_it_the_head():
    assert kinds(mlp(last=sigmoid))["4.weight"] is RoleKind.HEAD


def test_a_relu_after_the_last_weight_makes_it_a_feature():
    assert kinds(mlp(last=relu))["4.weight"] is RoleKind.HIDDEN


def test_the_next_activation_is_seen_through_norm_pooling_and_dropout():
    sketch = Sketch()
    z = sketch.conv(sketch.input((2, 3, 4, 4)), 5, path="conv")
    z = sketch.noise(sketch.normalize(z, path="bn"), p=0.1)
    a = sketch.apply(sketch.reduce(z), relu, path="act")
    graph = sketch.graph(sketch.dense(a, 1, path="head"))

    assert next_activation(graph, graph.linears[0]).path == "act"
    assert next_activation(graph, graph.linears[1]) is None


def test_branch_ends_are_found_with_the_number_of_branches_of_their_stream():
    found = roles(residual_net(3))

    ends = {p: r.n_branches for p, r in found.items() if r.kind is RoleKind.BRANCH_END}

    assert ends == {"0.b.weight": 3, "1.b.weight": 3, "2.b.weight": 3}


def test_a_projected_shortcut_continues_the_stream():
    found = roles(residual_net(3, is_projected=True))

    assert found["2.b.weight"].n_branches == 3
    assert found["projection.weight"].kind is RoleKind.HIDDEN


def test_a_normalization_behind_a_weight_makes_it_scale_free():
    found = roles(residual_net(2, is_normed=True))

    assert found["0.b.weight"].is_scale_free
    assert found["0.b.weight"].kind is RoleKind.BRANCH_END
    assert not found["0.a.weight"].is_scale_free
    assert found["0.bn.weight"].kind is RoleKind.NORM_GAIN


def test_a_weight_whose_output_is_also_read_raw_is_not_scale_free():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 2)), 4, path="0")
    normed = sketch.dense(sketch.normalize(z, path="ln", kind="layer"), 4, path="1")
    graph = sketch.graph(sketch.combine(Op.ADD, z, normed))

    assert not roles(graph)["0.weight"].is_scale_free


def test_two_projections_side_by_side_are_a_plain_sum():
    sketch = Sketch()
    x = sketch.input((8, 2))
    z = sketch.combine(
        Op.ADD, sketch.dense(x, 4, path="a"), sketch.dense(x, 4, path="b")
    )
    graph = sketch.graph(sketch.dense(sketch.apply(z, relu), 1, path="head"))

    role = roles(graph)["a.weight"]

    assert (role.kind, role.n_summed) == (RoleKind.INPUT_LAYER, 2)


def test_a_recurrent_weight_is_no_branch():
    sketch = Sketch()
    x = sketch.input((8, 2))
    state = sketch.apply(sketch.dense(x, 4, path="in"), np.tanh)
    for _ in range(2):
        step = sketch.dense(state, 4, path="recurrent")
        z = sketch.combine(Op.ADD, sketch.dense(x, 4, path="in"), step)
        state = sketch.apply(z, np.tanh)
    graph = sketch.graph(sketch.dense(state, 1, path="head"))

    role = roles(graph)["recurrent.weight"]

    assert (role.kind, role.n_branches) == (RoleKind.RECURRENT, 0)
    assert role.evidence.endswith("used 2 times")


def test_a_gate_multiplies_what_another_projection_gives_as_it_is():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 2)), 4, path="stem")
    gate = sketch.apply(sketch.dense(x, 6, path="gate"), sigmoid)
    z = sketch.combine(Op.MULTIPLY, gate, sketch.dense(x, 6, path="value"))
    graph = sketch.graph(sketch.dense(z, 1, path="head"))

    assert kinds(graph)["gate.weight"] is RoleKind.GATE
    assert kinds(graph)["value.weight"] is RoleKind.UP


def test_queries_and_keys_are_operands_of_a_contraction():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 5, 2)), 4, path="stem")
    query, key = sketch.dense(x, 4, path="q"), sketch.dense(x, 4, path="k")
    graph = sketch.graph(sketch.combine(Op.CONTRACT, query, key))

    assert kinds(graph)["q.weight"] is RoleKind.CONTRACTED


def test_an_embedding_and_its_table_know_how_many_are_summed():
    sketch = Sketch()
    tokens = sketch.add_node(Op.INPUT, shape=(8, 5))
    z = sketch.lookup(tokens, 11, 4, path="embedding")
    z = sketch.combine(Op.ADD, z, sketch.parameter("positions", (5, 4)))
    found = roles(sketch.graph(sketch.dense(z, 3, path="head")))

    assert found["embedding.weight"].kind is RoleKind.EMBEDDING
    assert found["embedding.weight"].n_summed == 2
    assert found["positions"].kind is RoleKind.POSITION_TABLE
    assert found["positions"].n_summed == 2


def test_an_embedding_that_is_the_head_too_is_tied():
    sketch = Sketch()
    tokens = sketch.add_node(Op.INPUT, shape=(8, 5))
    z = sketch.lookup(tokens, 11, 4, path="embedding")
    head = sketch.dense(z, 11, path="embedding", has_bias=False)

    (role,) = roles(sketch.graph(head)).values()

    assert role.kind is RoleKind.TIED_EMBEDDING


def test_a_depthwise_kernel_is_told_apart():
    sketch = Sketch()
    z = sketch.conv(sketch.input((2, 3, 5, 5)), 4, path="a")
    z = sketch.conv(z, 4, path="depthwise", groups=4)
    found = roles(sketch.graph(sketch.conv(z, 2, path="out")))

    assert found["depthwise.weight"].is_depthwise
    assert not found["a.weight"].is_depthwise


def test_a_parameter_that_nothing_reads_is_known_to_be_unread():
    sketch = Sketch()
    sketch.hold("spare", (3,))
    graph = sketch.graph(sketch.dense(sketch.input((8, 2)), 3, path="0"))

    assert roles(graph)["spare"].kind is RoleKind.UNREAD
    assert roles(graph)["spare"].is_known
    assert roles(graph)["spare"].evidence == "no operation that ran reads it"


@pytest.mark.parametrize("n_branches", [1, 4])
def test_nested_skips_are_streams_of_their_own(n_branches):
    sketch = Sketch()
    outer = sketch.dense(sketch.input((8, 2)), 4, path="stem")
    inner = sketch.dense(outer, 4, path="down")
    for i in range(n_branches):
        branch = sketch.dense(inner, 4, path=f"in.{i}")
        inner = sketch.combine(Op.ADD, inner, branch)
    up = sketch.dense(sketch.apply(inner, relu), 4, path="up")
    graph = sketch.graph(sketch.combine(Op.ADD, outer, up))

    found = roles(graph)

    assert found["up.weight"].n_branches == 1
    assert found["in.0.weight"].n_branches == n_branches
    assert len({joint.stream for joint in joints(Flow(graph))}) == 2
