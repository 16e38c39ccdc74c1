"""Prediction over whole graphs: what is known, what is left to be measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.theory.moments import Moments
from fanin.theory.prediction import predict


def relu(x):
    return np.maximum(x, 0.0)


def chain(n_layers, *, width=20, function=relu):
    sketch = Sketch()
    z = sketch.input((8, width))
    for i in range(n_layers):
        z = sketch.dense(z, width, path=str(i))
        z = sketch.apply(z, function) if i < n_layers - 1 else z
    return sketch.graph(z)


def variances(graph, gain=2.0):
    return {
        node.weight.path: gain / node.weight.fan.n_in
        for node in graph.linears
        if node.weight is not None
    }


@given(n_layers=st.integers(1, 12), gain=st.floats(0.1, 4.0), q=st.floats(1e-3, 1e3))
def test_relu_nets_multiply_by_half_the_gain_a_layer(n_layers, gain, q):
    graph = chain(n_layers)
    found = predict(graph, variances(graph, gain), inputs={0: Moments(second_moment=q)})

    expected = q * gain * (gain / 2) ** (n_layers - 1)
    assert found.moments[graph.outputs[0]].second_moment == pytest.approx(
        expected, rel=1e-9
    )
    assert found.gradients[0] == pytest.approx(expected / q, rel=1e-9)


def test_a_bias_adds_its_square():
    graph = chain(1)
    found = predict(graph, {"0.weight": 0.05, "0.bias": 0.25}, means={"0.bias": 0.5})

    assert found.moments[1].second_moment == pytest.approx(1.0 + 0.25 + 0.25)
    assert found.moments[1].mean == 0.5


def test_a_weight_without_variance_stops_the_prediction_and_is_named():
    graph = chain(2)
    found = predict(graph, {"1.weight": 0.1})

    assert found.moments[graph.outputs[0]] is None
    assert "variance is not given" in found.notes[1]


def test_a_measurement_at_an_unknown_operation_restarts_the_prediction():
    sketch = Sketch()
    z = sketch.add_node(Op.OPAQUE, (sketch.input((8, 4)),), path="odd")
    y = sketch.dense(z, 4, path="0")
    graph = sketch.graph(y)

    blind = predict(graph, {"0.weight": 0.25})
    seeing = predict(graph, {"0.weight": 0.25}, known={z: Moments(second_moment=3.0)})

    assert blind.moments[y] is None
    assert "measure here" in blind.notes[z]
    assert seeing.moments[y].second_moment == pytest.approx(3.0)


def test_a_normalization_restarts_the_prediction_by_itself():
    sketch = Sketch()
    z = sketch.add_node(Op.OPAQUE, (sketch.input((8, 4)),), path="odd")
    y = sketch.normalize(z, path="ln", kind="layer")

    found = predict(sketch.graph(y), {})

    assert found.moments[y].second_moment == pytest.approx(1.0)


def test_batch_normalization_with_fresh_statistics_hardly_changes_anything():
    sketch = Sketch()
    x = sketch.input((8, 4))
    y = sketch.normalize(x, path="bn", is_identity=True)
    found = predict(
        sketch.graph(y, is_training=False), {}, inputs={x: Moments(second_moment=9.0)}
    )

    assert found.moments[y].second_moment == pytest.approx(9.0 / (1 + 1e-5))
    assert found.gradients[x] == pytest.approx(1 / (1 + 1e-5))


@pytest.mark.parametrize(("is_training", "expected"), [(True, 2.0), (False, 1.0)])
def test_dropout_counts_in_training_only(is_training, expected):
    sketch = Sketch()
    x = sketch.input((8, 4))
    y = sketch.noise(x, p=0.5)
    found = predict(sketch.graph(y, is_training=is_training), {})

    assert found.moments[y].second_moment == expected
    assert found.gradients[x] == expected


def test_a_tensor_added_to_a_function_of_itself_is_one_function():
    sketch = Sketch()
    x = sketch.input((8, 4))
    y = sketch.combine(Op.ADD, x, sketch.noise(x, p=0.0))
    z = sketch.combine(Op.ADD, x, sketch.apply(x, relu))
    found = predict(sketch.graph(y, z), {})

    assert found.moments[y].second_moment == pytest.approx(4.0)
    assert found.moments[z].second_moment == pytest.approx(2.5)


def test_a_tensor_added_to_its_masked_self_is_bounded_by_twice_its_size():
    sketch = Sketch()
    x = sketch.input((8, 4))
    y = sketch.combine(Op.ADD, x, sketch.noise(x, p=0.5))
    found = predict(sketch.graph(y), {})

    low, high = found.interval(y)

    assert low < 1.0
    assert high >= (1 + np.sqrt(2)) ** 2
    assert found.assumptions[y] == ("operands depend on one tensor",)


def test_a_falling_function_of_what_may_be_nothing_is_bounded_by_its_value_there():
    sketch = Sketch()
    x = sketch.input((8, 4))
    y = sketch.combine(Op.MULTIPLY, x, sketch.noise(x, p=0.5))
    z = sketch.apply(y, lambda x: np.exp(-(x**2)))
    found = predict(sketch.graph(z), {}).moments
    faded, q = found[z], found[z].second_moment

    assert found[y].low == 0.0
    assert faded.low * q < q < 1.0
    assert faded.high * q == pytest.approx(1.0, rel=1e-4)  # φ² at the node next to 0


def test_a_factor_scales_forward_and_backward():
    sketch = Sketch()
    x = sketch.input((8, 4))
    sketch.hold("gamma", (4,))
    y = sketch.add_node(Op.MULTIPLY, (x,), scale="gamma")
    found = predict(sketch.graph(y), {"gamma": 0.0}, means={"gamma": 0.1})

    assert found.moments[y].second_moment == pytest.approx(0.01)
    assert found.gradients[x] == pytest.approx(0.01)


def test_a_gate_multiplies_and_each_side_gets_the_other_squared():
    sketch = Sketch()
    x = sketch.input((8, 50))
    gate = sketch.apply(sketch.dense(x, 50, path="g"), relu)
    value = sketch.dense(x, 50, path="v")
    y = sketch.combine(Op.MULTIPLY, gate, value)
    found = predict(sketch.graph(y), {"g.weight": 2 / 50, "v.weight": 3 / 50})

    assert found.moments[y].second_moment == pytest.approx(3.0)
    assert found.gradients[gate] == pytest.approx(3.0)
    assert found.gradients[value] == pytest.approx(1.0)


def test_the_gradient_of_a_mean_over_all_positions():
    sketch = Sketch()
    x = sketch.input((2, 3, 4, 4))
    y = sketch.reduce(x)
    found = predict(sketch.graph(y), {})

    assert found.gradients[x] == pytest.approx(1 / 16**2)


@pytest.mark.parametrize(
    ("kind", "expected"), [("mean", 1 / 16), ("sum", 1.0), ("max", 1 / 4)]
)
def test_the_gradient_of_windows_side_by_side(kind, expected):
    sketch = Sketch()
    x = sketch.input((2, 3, 4, 4))
    y = sketch.add_node(
        Op.REDUCE, (x,), shape=(2, 3, 2, 2), details={"kind": kind, "window": 4}
    )
    found = predict(sketch.graph(y), {})

    assert found.gradients[x] == pytest.approx(expected)


def test_gradients_add_up_at_a_fork():
    sketch = Sketch()
    x = sketch.input((8, 40))
    y = sketch.combine(Op.ADD, x, sketch.dense(x, 40, path="0"))
    found = predict(sketch.graph(y), {"0.weight": 1 / 40})

    assert found.gradients[x] == pytest.approx(2.0)


def test_a_node_that_reaches_no_output_gets_no_gradient():
    sketch = Sketch()
    x = sketch.input((8, 4))
    unused = sketch.dense(x, 4, path="unused")
    y = sketch.dense(x, 4, path="0")
    found = predict(sketch.graph(y), {"0.weight": 0.1, "unused.weight": 0.1})

    assert found.gradients[unused] == 0.0


def test_numbers_beyond_float64_are_left_out_and_not_raised():
    graph = chain(40)
    found = predict(graph, dict.fromkeys(variances(graph), 1e200))

    assert found.moments[graph.outputs[0]] is None
    assert "beyond the range" in " ".join(found.notes.values())


def test_a_function_that_is_not_finite_is_left_to_measurement():
    sketch = Sketch()
    y = sketch.apply(sketch.input((8, 4)), np.log)
    found = predict(sketch.graph(y), {})

    assert found.moments[y] is None
    assert "not finite" in found.notes[y]


@pytest.mark.parametrize("variance", [-1.0, float("nan"), float("inf")])
def test_a_variance_that_cannot_be_is_refused(variance):
    with pytest.raises(ArgumentError, match=r"0\.weight"):
        predict(chain(1), {"0.weight": variance})


def test_a_lookup_gives_the_moments_of_the_table():
    sketch = Sketch()
    tokens = sketch.add_node(Op.INPUT, shape=(8, 5))
    y = sketch.lookup(tokens, 11, 4, path="e")
    found = predict(
        sketch.graph(y), {"e.weight": 0.5}, inputs={tokens: Moments(second_moment=1e6)}
    )

    assert found.moments[y].second_moment == pytest.approx(0.5)


def test_max_pooling_looks_through_the_activation():
    sketch = Sketch()
    z = sketch.apply(sketch.input((2, 3, 4, 4)), relu)
    y = sketch.reduce(z, kind="max", window=4)
    found = predict(sketch.graph(y), {})

    assert found.moments[y].second_moment == pytest.approx(1.543785, abs=1e-6)
