"""Recurrent cells: each gate a matrix of its own, the state kept for a while."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan

N_UNITS, N_IN = 8, 5


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def cut(sketch, z, place):
    """Take one gate out of a fused pre-activation."""
    return sketch.add_node(
        Op.REARRANGE,
        (z,),
        shape=(4, N_UNITS),
        unit_axis=1,
        details={"axis": 1, "start": place * N_UNITS, "step": 1},
    )


def lstm(order="ifgo", *, bias_of=("in", "h"), n_steps=3):
    """Draw an LSTM whose fused weights hold the gates in that order."""
    sketch = Sketch()
    h = sketch.dense(sketch.input((4, N_IN)), N_UNITS, path="start.h")
    c = sketch.dense(sketch.input((4, N_IN)), N_UNITS, path="start.c")
    for _ in range(n_steps):
        x = sketch.input((4, N_IN))
        new = sketch.dense(x, 4 * N_UNITS, path="in", has_bias="in" in bias_of)
        old = sketch.dense(h, 4 * N_UNITS, path="h", has_bias="h" in bias_of)
        z = sketch.combine(Op.ADD, new, old)
        parts = {}
        for place, gate in enumerate(order):
            function = np.tanh if gate == "g" else sigmoid
            parts[gate] = sketch.apply(cut(sketch, z, place), function)
        kept = sketch.combine(Op.MULTIPLY, parts["f"], c)
        taken = sketch.combine(Op.MULTIPLY, parts["i"], parts["g"])
        c = sketch.combine(Op.ADD, kept, taken)
        h = sketch.combine(Op.MULTIPLY, parts["o"], sketch.apply(c, np.tanh))
    return sketch.graph(sketch.dense(h, 3, path="head"))


def entries(plan, path):
    return plan.draws()[path](None)


@pytest.mark.parametrize("order", ["ifgo", "fiog"], ids=["torch", "another"])
def test_only_the_forget_gates_units_start_at_one_wherever_they_are(order):
    plan = make_plan(lstm(order))
    total = entries(plan, "in.bias") + entries(plan, "h.bias")
    gates = dict(zip(order, total.reshape(4, N_UNITS), strict=True))

    assert gates.pop("f").tolist() == [1.0] * N_UNITS
    assert not any(np.any(rest) for rest in gates.values())


@pytest.mark.parametrize("where", ["in", "h"])
def test_the_only_bias_of_a_cell_holds_the_forget_gate_open(where):
    plan = make_plan(lstm(bias_of=(where,)))

    assert entries(plan, f"{where}.bias").sum() == N_UNITS


def test_each_gates_matrix_on_the_state_is_orthogonal():
    blocks = entries(make_plan(lstm()), "h.weight").reshape(4, N_UNITS, N_UNITS)

    for block in blocks:
        assert block @ block.T == pytest.approx(np.eye(N_UNITS), abs=1e-5)


def test_weights_on_the_state_are_left_out_of_calibration():
    """At the first step the state is 0: its output has no size to be scaled by."""
    assert make_plan(lstm())["h.weight"].target is None


def test_each_gate_gets_variance_one_from_the_input_whatever_their_number():
    weight = make_plan(lstm())["in.weight"]

    assert weight.std == pytest.approx(1.0 / sqrt(N_IN))


def gru(n_steps=3):
    """Draw a GRU as PyTorch has it: r, z, n, with two biases."""
    sketch = Sketch()
    h = sketch.dense(sketch.input((4, N_IN)), N_UNITS, path="start.h")
    for _ in range(n_steps):
        new = sketch.dense(sketch.input((4, N_IN)), 3 * N_UNITS, path="in")
        old = sketch.dense(h, 3 * N_UNITS, path="h")
        r, z = (
            sketch.apply(
                sketch.combine(Op.ADD, cut(sketch, new, i), cut(sketch, old, i)),
                sigmoid,
            )
            for i in range(2)
        )
        gated = sketch.combine(Op.MULTIPLY, r, cut(sketch, old, 2))
        n = sketch.combine(Op.ADD, cut(sketch, new, 2), gated)
        n = sketch.apply(n, np.tanh)
        kept = sketch.combine(Op.MULTIPLY, z, h)
        rest = sketch.apply(z, lambda z: 1.0 - z)
        h = sketch.combine(Op.ADD, kept, sketch.combine(Op.MULTIPLY, rest, n))
    return sketch.graph(sketch.dense(h, 3, path="head"))


def test_a_gru_shares_evenly_between_the_old_and_the_new():
    plan = make_plan(gru())

    assert not entries(plan, "in.bias").any()
    assert not entries(plan, "h.bias").any()
    assert "half" in plan["in.bias"].reason
    assert plan["h.weight"].n_blocks == 3
