"""Gates and biases of recurrent cells that keep a weight, or a bias, for themselves."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind, roles
from fanin.graph.sketch import Sketch

N_UNITS = 8


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def lstm(n_steps=3):
    """Draw a cell with two weights a gate, as Flax's LSTMCell has."""
    sketch = Sketch()
    h = sketch.dense(sketch.input((4, 5)), N_UNITS, path="start.h")
    c = sketch.dense(sketch.input((4, 5)), N_UNITS, path="start.c")
    for _ in range(n_steps):
        x = sketch.input((4, 5))
        parts = {}
        for gate in "ifgo":
            own = sketch.dense(h, N_UNITS, path=f"h{gate}")
            new = sketch.dense(x, N_UNITS, path=f"i{gate}")
            total = sketch.combine(Op.ADD, new, own)
            parts[gate] = sketch.apply(total, np.tanh if gate == "g" else sigmoid)
        kept = sketch.combine(Op.MULTIPLY, parts["f"], c)
        taken = sketch.combine(Op.MULTIPLY, parts["i"], parts["g"])
        c = sketch.combine(Op.ADD, kept, taken)
        h = sketch.combine(Op.MULTIPLY, parts["o"], sketch.apply(c, np.tanh))
    return sketch.graph(sketch.dense(h, 3, path="head"))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("hf", RoleKind.FORGET_GATE),
        ("hi", RoleKind.INPUT_GATE),
        ("ho", RoleKind.OUTPUT_GATE),
        ("if", RoleKind.FORGET_GATE),
    ],
)
def test_a_weight_that_writes_one_gate_alone_is_known_as_that_gate(path, kind):
    found = roles(lstm())[f"{path}.weight"]

    (gate,) = found.slices
    assert gate.kind is kind
    assert [gate.holds(unit) for unit in range(N_UNITS)] == [True] * N_UNITS


def test_a_candidate_with_a_weight_of_its_own_is_no_gate():
    assert roles(lstm())["hg.weight"].slices == ()


def test_an_output_that_is_multiplied_on_its_way_to_a_sum_is_no_plain_summand():
    sketch = Sketch()
    x = sketch.input((4, 5))
    a, b, c = (sketch.dense(x, 8, path=name) for name in "abc")
    product = sketch.combine(Op.MULTIPLY, a, b)
    graph = sketch.graph(sketch.apply(sketch.combine(Op.ADD, product, c), np.tanh))

    found = roles(graph)

    assert (found["a.weight"].n_summed, found["c.weight"].n_summed) == (1, 2)


def test_a_slope_inside_an_activation_is_a_factor_and_no_learned_input():
    sketch = Sketch()
    z = sketch.dense(sketch.input((4, 5)), 8, path="0")
    slope = sketch.parameter("slope", (1,))
    a = sketch.add_node(
        Op.ELEMENTWISE,
        (z, slope),
        shape=(4, 8),
        unit_axis=1,
        function=lambda x: np.where(x > 0, x, 0.25 * x),
    )
    graph = sketch.graph(sketch.dense(a, 3, path="1"))

    assert roles(graph)["slope"].kind is RoleKind.FACTOR
