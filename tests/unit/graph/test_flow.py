"""Walks along a Graph: what they look through, and what they see."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fanin.graph import Op
from fanin.graph.flow import (
    TRANSPARENT,
    Flow,
    activation_after,
    is_affine,
    next_activation,
)
from fanin.graph.sketch import Sketch

HALF = {"is_affine": True, "factor": 0.5, "offset": 0.0}


def halved(sketch: Sketch, source: int) -> int:
    return sketch.add_node(
        Op.ELEMENTWISE, (source,), function=lambda x: 0.5 * x, details=HALF
    )


def test_an_affine_node_is_no_activation_and_is_looked_through():
    sketch = Sketch()
    z = sketch.dense(sketch.input((4, 2)), 3, path="0")
    activation = sketch.apply(halved(sketch, z), np.tanh, path="1")
    graph = sketch.graph(activation)

    found = next_activation(graph, graph.linears[0])

    assert found.id == activation
    assert [is_affine(node) for node in graph.nodes] == [False, False, True, False]


def test_only_the_root_is_seen_through_affine_nodes():
    sketch = Sketch()
    x = sketch.input((4, 2))
    scaled = halved(sketch, x)
    z = sketch.dense(scaled, 3, path="0")
    flow = Flow(sketch.graph(z))
    linear = flow.graph.linears[0]

    assert flow.origin(linear).id == scaled
    assert flow.root(linear).id == x


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["apply", "halve", "add", "dense", "noise", "multiply"]),
        st.integers(0, 99),
        st.integers(0, 99),
    ),
    max_size=30,
)


@given(STEPS)
def test_activations_found_at_once_are_those_that_a_walk_finds(steps):
    sketch = Sketch()
    sketch.input((4, 3))
    for number, (kind, first, second) in enumerate(steps):
        one, two = first % (number + 1), second % (number + 1)
        if kind == "apply":
            sketch.apply(one, np.tanh)
        elif kind == "halve":
            halved(sketch, one)
        elif kind == "dense":
            sketch.dense(one, 3, path=f"{number}")
        elif kind == "noise":
            sketch.noise(one, p=0.5)
        else:
            sketch.combine(Op.ADD if kind == "add" else Op.MULTIPLY, one, two)
    flow = Flow(sketch.graph(len(steps)))

    for node in flow.graph.nodes:
        walk = flow.first_after(node, TRANSPARENT)
        expected = next((n for n in walk if n.op is Op.ELEMENTWISE), None)

        assert activation_after(flow, node) == expected
