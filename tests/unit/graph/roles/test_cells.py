"""Recurrent cells: the recurrent weight, what takes the input in, and the gates."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind, roles
from fanin.graph.roles.scan import decays
from fanin.graph.sketch import Sketch

BATCH, STEPS, N_IN, N = 2, 4, 3, 5


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def part(sketch, source, place):
    details = {"axis": 1, "start": place * N, "step": 1, "repeat": 1}
    return sketch.add_node(Op.REARRANGE, (source,), shape=(BATCH, N), details=details)


def steps_of(sketch):
    x = sketch.input((BATCH, STEPS, N_IN))
    return [
        sketch.add_node(
            Op.REARRANGE,
            (x,),
            shape=(BATCH, N_IN),
            unit_axis=1,
            details={"axis": 1, "start": t, "step": 1, "repeat": 1},
        )
        for t in range(STEPS)
    ]


def product(sketch, *operands):
    return sketch.combine(Op.MULTIPLY, *operands)


def lstm(order):
    """A long short-term memory whose four gates stand in this order in the rows."""
    sketch = Sketch()
    h = c = sketch.add_node(Op.CONSTANT, shape=(BATCH, N), unit_axis=1)
    for x in steps_of(sketch):
        own = sketch.dense(h, 4 * N, path="recurrent", has_bias=False)
        z = sketch.combine(Op.ADD, own, sketch.dense(x, 4 * N, path="in"))
        i, f, g, o = (part(sketch, z, order.index(name)) for name in "ifgo")
        i, f, o = (sketch.apply(gate, sigmoid) for gate in (i, f, o))
        kept = product(sketch, f, c)
        new = product(sketch, i, sketch.apply(g, np.tanh))
        c = sketch.combine(Op.ADD, kept, new)
        h = product(sketch, o, sketch.apply(c, np.tanh))
    return sketch.graph(sketch.dense(h, 1, path="head"))


LETTERS = {
    RoleKind.INPUT_GATE: "i",
    RoleKind.FORGET_GATE: "f",
    RoleKind.CANDIDATE: "g",
    RoleKind.OUTPUT_GATE: "o",
}


@pytest.mark.parametrize("order", ["ifgo", "gofi", "figo"])
@pytest.mark.parametrize("path", ["recurrent.weight", "in.weight", "in.bias"])
def test_the_gates_of_an_lstm_are_found_in_any_order(order, path):
    role = roles(lstm(order))[path]
    rows = sorted(role.slices, key=lambda s: s.start)

    assert "".join(LETTERS[s.kind] for s in rows) == order
    assert [(s.start, s.size, s.period) for s in rows] == [
        (i * N, N, 4 * N) for i in range(4)
    ]


def test_the_weights_of_a_cell_have_their_roles():
    found = roles(lstm("ifgo"))

    assert found["recurrent.weight"].kind is RoleKind.RECURRENT
    assert found["recurrent.weight"].n_uses == STEPS
    assert found["in.weight"].kind is RoleKind.INPUT_TO_HIDDEN
    assert found["in.bias"].kind is RoleKind.BIAS
    assert found["head.weight"].kind is RoleKind.HEAD


def gru(*, resets_state):
    """A gated recurrent unit; r multiplies the old state, or a part of U·h."""
    sketch = Sketch()
    h = sketch.add_node(Op.CONSTANT, shape=(BATCH, N), unit_axis=1)
    for x in steps_of(sketch):
        a = sketch.dense(x, 3 * N, path="in")
        n_gates = 2 if resets_state else 3
        b = sketch.dense(h, n_gates * N, path="recurrent")
        sums = [
            sketch.combine(Op.ADD, part(sketch, a, i), part(sketch, b, i))
            for i in range(2)
        ]
        r, z = (sketch.apply(total, sigmoid) for total in sums)
        if resets_state:
            inner = sketch.dense(product(sketch, r, h), N, path="candidate")
        else:
            inner = product(sketch, r, part(sketch, b, 2))
        total = sketch.combine(Op.ADD, part(sketch, a, 2), inner)
        new = sketch.apply(total, np.tanh)
        rest = sketch.apply(sums[1], lambda x: 1.0 - sigmoid(x))
        h = sketch.combine(Op.ADD, product(sketch, z, h), product(sketch, rest, new))
    return sketch.graph(sketch.dense(h, 1, path="head"))


@pytest.mark.parametrize("resets_state", [False, True], ids=["part", "state"])
def test_the_gates_of_a_gru_are_told_apart(resets_state):
    found = roles(gru(resets_state=resets_state))
    kinds = [s.kind for s in found["in.weight"].slices]

    assert found["recurrent.weight"].kind is RoleKind.RECURRENT
    assert kinds == [RoleKind.RESET_GATE, RoleKind.UPDATE_GATE, RoleKind.CANDIDATE]


@pytest.mark.parametrize("n_layers", [2, 3])
def test_layers_that_share_their_weights_are_no_recurrence(n_layers):
    sketch = Sketch()
    x = sketch.dense(sketch.input((BATCH, N_IN)), N, path="stem")
    for _ in range(n_layers):
        a = sketch.apply(sketch.dense(x, 2 * N, path="up"), np.tanh)
        x = sketch.combine(Op.ADD, x, sketch.dense(a, N, path="down"))
    found = roles(sketch.graph(sketch.dense(x, 1, path="head")))

    assert found["up.weight"].kind is RoleKind.HIDDEN
    assert found["down.weight"].kind is RoleKind.BRANCH_END
    assert found["down.weight"].n_branches == n_layers


def test_a_decay_is_known_through_the_padding_of_chunks():
    sketch = Sketch()
    steps = sketch.apply(sketch.input((4, 3)), lambda x: np.logaddexp(x, 0.0))
    product = sketch.combine(Op.MULTIPLY, steps, sketch.parameter("A", (3,)))
    padded = sketch.concat(product, sketch.input((4, 1)))
    graph = sketch.graph(sketch.apply(padded, np.exp))

    assert decays(Flow(graph)) == {product}
