"""What can give nothing but zeros, because a parameter is zero on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.graph.zeros import zero_nodes


def relu(x):
    return np.maximum(x, 0.0)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def net(function, *, has_bias=False):
    """A branch of two weights around an activation, added to a stream."""
    sketch = Sketch()
    x = sketch.input((8, 4))
    first = sketch.dense(x, 4, path="first", has_bias=has_bias)
    act = sketch.apply(first, function)
    second = sketch.dense(act, 4, path="second", has_bias=False)
    total = sketch.add_node(Op.ADD, (x, second))
    return sketch.graph(total), {"first": first, "act": act, "second": second}


@pytest.mark.parametrize(
    ("function", "has_bias", "silent"),
    [
        (relu, False, {"first", "act", "second"}),
        (sigmoid, False, {"first"}),
        (relu, True, set()),
    ],
)
def test_zeros_go_as_far_as_functions_keep_them(function, has_bias, silent):
    graph, ids = net(function, has_bias=has_bias)

    found = zero_nodes(graph, lambda path: path == "first.weight")

    assert found == {ids[name] for name in silent}


def test_a_stream_goes_on_beside_a_branch_that_ends_in_zeros():
    graph, ids = net(relu)

    assert zero_nodes(graph, lambda path: path == "second.weight") == {ids["second"]}


def test_without_zeros_there_are_none():
    graph, _ = net(relu)

    assert not zero_nodes(graph, lambda path: False)
