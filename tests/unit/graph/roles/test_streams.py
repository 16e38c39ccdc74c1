"""Residual streams: which sums join one, and how many branches it takes up."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind, roles
from fanin.graph.roles.residual import joints
from fanin.graph.sketch import Sketch

N = 6


def relu(x):
    return np.maximum(x, 0.0)


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def ends(graph):
    return {p: r.n_branches for p, r in roles(graph).items() if "out" in p}


def branch(sketch, source, name, *, norm=None):
    z = sketch.normalize(source, path=norm, kind="layer") if norm else source
    z = sketch.apply(sketch.dense(z, 2 * N, path=f"{name}.in"), relu)
    return sketch.dense(z, N, path=f"{name}.out", has_bias=False)


def parallel(n_layers, *, order, shares_norm):
    """x + attention(norm x) + mlp(norm x), in each order that published models have."""
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    for i in range(n_layers):
        norm = sketch.normalize(x, path=f"{i}.norm", kind="layer")
        other = norm if shares_norm else x
        a = branch(sketch, norm, f"{i}.a")
        b = branch(sketch, other, f"{i}.b", norm=None if shares_norm else f"{i}.n2")
        first, second, third = {"abx": (a, b, x), "axb": (a, x, b), "xba": (x, b, a)}[
            order
        ]
        x = sketch.combine(Op.ADD, sketch.combine(Op.ADD, first, second), third)
    return sketch.graph(sketch.dense(x, 2, path="head"))


@pytest.mark.parametrize("order", ["abx", "axb", "xba"])
@pytest.mark.parametrize("shares_norm", [False, True], ids=["two norms", "one norm"])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_branches_side_by_side_are_two_a_layer(n_layers, order, shares_norm):
    found = ends(parallel(n_layers, order=order, shares_norm=shares_norm))

    assert len(found) == 2 * n_layers
    assert set(found.values()) == {2 * n_layers}


@pytest.mark.parametrize("place", ["before", "after", "behind the sum", "around"])
def test_a_stream_is_followed_wherever_its_norms_stand(place):
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    for i in range(3):
        is_before = place in {"before", "around"}
        z = branch(sketch, x, f"{i}", norm=f"{i}.n1" if is_before else None)
        if place in {"after", "around"}:
            z = sketch.normalize(z, path=f"{i}.n2", kind="rms")
        x = sketch.combine(Op.ADD, x, z)
        if place == "behind the sum":
            x = sketch.normalize(x, path=f"{i}.n3", kind="layer")
    found = roles(sketch.graph(sketch.dense(x, 2, path="head")))

    assert [found[f"{i}.out.weight"].n_branches for i in range(3)] == [3, 3, 3]
    if place in {"after", "around"}:
        assert [found[f"{i}.n2.weight"].n_branches for i in range(3)] == [3, 3, 3]
        assert found["0.out.weight"].is_scale_free


@pytest.mark.parametrize("size", [1, N], ids=["number", "vector"])
def test_a_factor_on_a_branch_is_a_layer_scale(size):
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    for i in range(2):
        z = branch(sketch, x, f"{i}")
        scale = sketch.hold(f"{i}.scale", (size,))
        z = sketch.add_node(Op.MULTIPLY, (z,), scale=scale)
        x = sketch.combine(Op.ADD, x, sketch.noise(z, p=0.1))
    found = roles(sketch.graph(sketch.dense(x, 2, path="head")))

    assert found["0.scale"].kind is RoleKind.LAYER_SCALE
    assert found["0.scale"].n_branches == found["0.out.weight"].n_branches == 2


def test_layers_joined_side_by_side_are_no_branches():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    for i in range(3):
        x = sketch.concat(x, branch(sketch, x, f"{i}"))
    graph = sketch.graph(sketch.dense(x, 2, path="head"))

    assert set(ends(graph).values()) == {0}
    assert joints(Flow(graph)) == ()


def test_a_weight_that_the_whole_block_reads_behind_begins_a_stream():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    for stage in range(2):
        for i in range(stage + 1):
            x = sketch.combine(Op.ADD, x, branch(sketch, x, f"{stage}.{i}"))
        x = sketch.dense(x, N, path=f"between.{stage}")
    found = ends(sketch.graph(sketch.dense(x, 2, path="head")))

    assert found == {
        "0.0.out.weight": 1,
        "1.0.out.weight": 2,
        "1.1.out.weight": 2,
    }


def test_a_gate_spread_over_a_branch_does_not_end_it():
    sketch = Sketch()
    x = sketch.conv(sketch.input((2, 3, 4, 4)), N, path="stem")
    z = sketch.conv(x, N, path="out")
    share = sketch.dense(sketch.reduce(z), N, path="squeeze")
    gate = sketch.add_node(
        Op.REARRANGE, (sketch.apply(share, sigmoid),), shape=(2, N, 1, 1), unit_axis=1
    )
    z = sketch.add_node(Op.MULTIPLY, (z, gate))
    z = sketch.combine(Op.ADD, x, z)
    found = roles(sketch.graph(sketch.dense(sketch.reduce(z), 2, path="head")))

    assert found["out.weight"].kind is RoleKind.BRANCH_END
    assert found["squeeze.weight"].kind is RoleKind.GATE


def test_a_gated_unit_has_a_gate_an_up_and_a_down():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    gate = sketch.apply(sketch.dense(x, 9, path="gate"), sigmoid)
    z = sketch.combine(Op.MULTIPLY, gate, sketch.dense(x, 9, path="up"))
    z = sketch.combine(Op.ADD, x, sketch.dense(z, N, path="down"))
    found = roles(sketch.graph(sketch.dense(z, 2, path="head")))

    assert found["gate.weight"].kind is RoleKind.GATE
    assert found["up.weight"].kind is RoleKind.UP
    assert (found["down.weight"].kind, found["down.weight"].n_branches) == (
        RoleKind.DOWN,
        1,
    )


def test_the_halves_of_a_fused_gated_unit_are_told_apart():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, 3)), 10, path="both")
    halves = [
        sketch.add_node(
            Op.REARRANGE,
            (z,),
            shape=(8, 5),
            details={"axis": 1, "start": start, "step": 1, "repeat": 1},
        )
        for start in (0, 5)
    ]
    z = sketch.combine(Op.MULTIPLY, halves[0], sketch.apply(halves[1], sigmoid))
    role = roles(sketch.graph(sketch.dense(z, 2, path="head")))["both.weight"]

    assert role.kind is RoleKind.GATE_UP
    assert [(s.kind, s.start, s.size) for s in role.slices] == [
        (RoleKind.UP, 0, 5),
        (RoleKind.GATE, 5, 5),
    ]


def test_an_adapter_is_told_from_a_branch():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    for i in range(2):
        low = sketch.dense(x, 2, path=f"{i}.A", has_bias=False)
        low = sketch.dense(low, N, path=f"{i}.B", has_bias=False)
        low = sketch.apply(low, lambda z: 2.0 * z)
        main = sketch.dense(x, N, path=f"{i}.out")
        x = sketch.combine(Op.ADD, x, sketch.combine(Op.ADD, main, low))
    found = roles(sketch.graph(sketch.dense(x, 2, path="head")))

    assert found["0.A.weight"].kind is RoleKind.LOW_RANK_DOWN
    assert found["0.B.weight"].kind is RoleKind.LOW_RANK_UP
    assert found["0.out.weight"].kind is RoleKind.BRANCH_END
    assert found["0.out.weight"].n_branches == 2


def test_a_router_weighs_all_units_of_an_expert_alike():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    shares = sketch.add_node(
        Op.SOFTMAX, (sketch.dense(x, 2, path="router"),), details={"axis": 1}
    )
    parts = []
    for i in range(2):
        expert = branch(sketch, x, f"{i}")
        share = sketch.add_node(
            Op.REARRANGE,
            (shares,),
            shape=(8, 1),
            details={"axis": 1, "start": i, "step": 1, "repeat": 1},
        )
        parts.append(sketch.add_node(Op.MULTIPLY, (expert, share)))
    z = sketch.combine(Op.ADD, x, sketch.combine(Op.ADD, *parts))
    found = roles(sketch.graph(sketch.dense(z, 2, path="head")))

    assert found["router.weight"].kind is RoleKind.ROUTER
    assert found["0.out.weight"].kind is RoleKind.BRANCH_END


def test_a_state_space_model_has_its_roles():
    sketch = Sketch()
    x = sketch.dense(sketch.input((8, 3)), N, path="stem")
    step = sketch.apply(sketch.dense(x, N, path="step"), lambda z: np.logaddexp(z, 0.0))
    decay = sketch.apply(
        sketch.combine(Op.MULTIPLY, step, sketch.parameter("A", (N,))), np.exp
    )
    state = sketch.combine(Op.MULTIPLY, decay, x)
    scanned = sketch.combine(Op.CONTRACT, state, x)
    skip = sketch.add_node(Op.MULTIPLY, (x,), scale=sketch.hold("D", (N,)))
    z = sketch.combine(Op.ADD, scanned, skip)
    found = roles(sketch.graph(sketch.dense(z, 2, path="head")))

    assert found["A"].kind is RoleKind.STATE_MATRIX
    assert found["step.weight"].kind is RoleKind.STEP_SIZE
    assert found["step.bias"].kind is RoleKind.STEP_SIZE
    assert found["D"].kind is RoleKind.SKIP


def test_an_embedding_that_is_the_stream_is_no_table_among_others():
    sketch = Sketch()
    words = sketch.add_node(Op.INPUT, shape=(8, 5))
    x = sketch.lookup(words, 11, N, path="words")
    x = sketch.combine(Op.ADD, x, branch(sketch, x, "0"))
    found = roles(sketch.graph(sketch.dense(x, 2, path="head")))

    assert found["words.weight"].n_summed == 1
    assert found["0.out.weight"].n_branches == 1


def test_tables_are_counted_through_sums_of_sums():
    sketch = Sketch()
    words = sketch.add_node(Op.INPUT, shape=(8, 5))
    parts = [sketch.lookup(words, 11, N, path=name) for name in ("words", "types")]
    x = sketch.combine(
        Op.ADD, sketch.combine(Op.ADD, *parts), sketch.parameter("p", (5, N))
    )
    found = roles(sketch.graph(sketch.dense(x, 2, path="head")))

    assert [found[p].n_summed for p in ("words.weight", "types.weight", "p")] == [
        3,
        3,
        3,
    ]


def test_roles_take_time_in_proportion_to_depth():
    """Nodes looked at are counted, not seconds: twice the depth, twice as many."""
    counts = []
    for n_blocks in (20, 40):
        sketch = Sketch()
        x = sketch.dense(sketch.input((8, 3)), N, path="stem")
        for i in range(n_blocks):
            z = branch(sketch, x, f"{i}", norm=f"{i}.norm")
            x = sketch.combine(Op.ADD, x, z)
        graph = sketch.graph(sketch.dense(x, 2, path="head"))
        counts.append(looked_at(graph))

    assert counts[1] < 2.2 * counts[0]


def looked_at(graph):
    """Count how often a node's operation is read while roles are found."""
    reads = 0

    class Watched(type(graph.nodes[0])):
        def __getattribute__(self, name):
            nonlocal reads
            reads += name == "op"
            return super().__getattribute__(name)

    def watched(node):
        return Watched(**{f.name: getattr(node, f.name) for f in fields(node)})

    roles(replace(graph, nodes=tuple(watched(node) for node in graph.nodes)))
    return reads
