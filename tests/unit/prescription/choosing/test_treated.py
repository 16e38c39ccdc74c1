"""Plans of deep plain nets: what their weights and biases get, and what comes of it."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan


def relu(x):
    return np.maximum(x, 0.0)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def gelu(x):
    from scipy.special import ndtr

    return x * ndtr(x)


def selu(x):
    negative = 1.6732632423543772 * np.expm1(np.minimum(x, 0.0))
    return 1.0507009873554805 * np.where(x > 0, x, negative)


FUNCTIONS = {
    "relu": relu,
    "gelu": gelu,
    "selu": selu,
    "tanh": np.tanh,
    "sin": np.sin,
    "sigmoid": sigmoid,
}
SAMPLES = np.random.default_rng(7).normal(size=(256, 64))


def mlp(function, n_hidden, width=64, *, has_bias=True):
    sketch = Sketch()
    z = sketch.input((256, 64))
    for i in range(n_hidden):
        z = sketch.dense(z, width, path=f"{i}", has_bias=has_bias)
        z = sketch.apply(z, function, path=f"{i}.act")
    return sketch.graph(sketch.dense(z, 10, path="head", has_bias=has_bias))


def run(graph, plan, x=SAMPLES):
    """Give the outputs of a dense chain, by node."""
    arrays = {path: draw(None) for path, draw in plan.draws().items()}
    outputs = {0: x}
    for node in graph.nodes[1:]:
        inputs = outputs[node.inputs[0]]
        if node.op is Op.LINEAR:
            inputs = inputs @ arrays[node.weight.path].T.astype(float)
            outputs[node.id] = inputs + (arrays[node.bias] if node.bias else 0.0)
        else:
            outputs[node.id] = node.function(inputs)
    return outputs


@pytest.mark.parametrize("name", FUNCTIONS)
def test_forty_layers_keep_the_size_foretold_on_standard_normal_inputs(name):
    graph = mlp(FUNCTIONS[name], 40)
    plan = make_plan(graph, seed=1)

    outputs = run(graph, plan)

    for node in graph.linears:
        weight = plan[node.weight.path]
        rms = sqrt(np.mean(outputs[node.id] ** 2))
        assert weight.predicted == pytest.approx(weight.target, rel=1e-6)
        assert rms == pytest.approx(weight.predicted, rel=0.15)


@pytest.mark.parametrize("name", ["relu", "gelu"])
def test_a_mirrored_chain_is_an_isometry_at_first(name):
    """Its hidden layers are linear and orthogonal: lengths and angles stay."""
    graph = mlp(FUNCTIONS[name], 30)
    plan = make_plan(graph, seed=2)
    outputs = run(graph, plan)

    first, last = graph.linears[0].id, graph.linears[-2].id
    gram = outputs[first] @ outputs[first].T
    assert outputs[last] @ outputs[last].T == pytest.approx(gram, abs=1e-3)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_inputs_stay_as_different_as_they_were(name):
    graph = mlp(FUNCTIONS[name], 40)
    deep, textbook = make_plan(graph), make_plan(graph, law="normal")

    def alike(plan):
        z = run(graph, plan)[graph.linears[-2].id]
        z = z / np.linalg.norm(z, axis=1, keepdims=True)
        return float(np.mean((z @ z.T)[~np.eye(len(z), dtype=bool)]))

    assert abs(alike(deep)) < 0.2
    if name in {"relu", "sigmoid"}:
        assert alike(textbook) > 0.8


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_neither_vanish_nor_explode_over_a_hundred_layers(name):
    graph = mlp(FUNCTIONS[name], 100, width=32)
    plan = make_plan(graph, seed=3)
    outputs = run(graph, plan)
    arrays = {path: draw(None) for path, draw in plan.draws().items()}
    delta = np.random.default_rng(0).normal(size=(256, 10))
    sizes = []
    for node in reversed(graph.linears):
        sizes.append(sqrt(np.mean(delta**2)))
        z = outputs[graph.nodes[node.inputs[0]].inputs[0]] if node.id > 1 else None
        if z is None:
            break
        function = FUNCTIONS[name]
        slope = (function(z + 1e-6) - function(z - 1e-6)) / 2e-6
        delta = (delta @ arrays[node.weight.path]) * slope

    assert 0.25 < sizes[-1] / sizes[1] < 4.0


def test_short_nets_keep_the_textbooks_answers():
    plan = make_plan(mlp(relu, 3))

    laws = {p.law for p in plan.prescriptions if p.path.endswith("weight")}
    assert laws == {"normal"}
    assert plan["1.weight"].scheme == "he_normal"
    assert all(p.mirrored == () for p in plan.prescriptions)


def test_a_law_that_the_caller_names_is_drawn_independently_at_any_depth():
    plan = make_plan(mlp(relu, 40), law="uniform")

    assert plan["7.weight"].scheme == "he_uniform"
    assert plan["7.weight"].mirrored == ()


def test_halves_of_mirrored_weights_are_opposite_on_both_axes():
    plan = make_plan(mlp(relu, 12))
    weight = plan.draws()["5.weight"](None)

    assert plan["0.weight"].mirrored == (0,)
    assert plan["5.weight"].mirrored == (0, 1)
    assert plan["head.weight"].mirrored == (1,)
    assert (weight[:32] == -weight[32:]).all()
    assert (weight[:, :32] == -weight[:, 32:]).all()


def test_a_centring_bias_takes_half_of_each_rows_sum_off_behind_sigmoids():
    plan = make_plan(mlp(sigmoid, 12))
    draws = plan.draws()
    weight, bias = (draws[f"5.{name}"](None) for name in ("weight", "bias"))

    assert plan["5.bias"].law == "offset"
    assert plan["0.bias"].law == "constant"
    assert bias == pytest.approx(-0.5 * weight.sum(axis=1), abs=1e-5)


def test_the_first_layer_and_the_head_of_a_deep_chain_are_orthogonal_too():
    plan = make_plan(mlp(np.tanh, 20))

    assert {plan[f"{n}.weight"].law for n in ("0", "9", "head")} == {"orthogonal"}


@pytest.mark.parametrize(
    ("function", "width", "has_bias", "words"),
    [
        (sigmoid, 64, False, "no free bias"),
        (gelu, 63, False, "cannot stand in pairs"),
    ],
)
def test_where_a_deep_chain_can_not_be_mended_the_plan_says_why(
    function, width, has_bias, words
):
    (warning,) = make_plan(mlp(function, 30, width, has_bias=has_bias)).warnings

    assert words in warning


def test_a_reason_names_what_independent_weights_would_lose():
    plan = make_plan(mlp(relu, 30))

    assert "in 1/61 of the directions" in plan["7.weight"].reason
    assert "in 1/61 of the directions" in plan["0.weight"].reason


@pytest.mark.parametrize("name", ["relu", "gelu", "sigmoid"])
@pytest.mark.parametrize("path", ["0.weight", "6.weight", "head.weight", "6.bias"])
def test_a_wish_for_one_parameter_leaves_the_prediction_right(name, path):
    """Units around it are neither paired nor centred; the chain goes on beyond."""
    graph = mlp(FUNCTIONS[name], 12)
    plan = make_plan(graph, seed=4, overrides={path: "normal(std=0.12)"})

    outputs = run(graph, plan)

    assert plan[path].std == 0.12
    for node in graph.linears:
        weight, bias = plan[node.weight.path], plan[node.bias]
        own = 0.0 if bias.law == "offset" else bias.variance
        rms = sqrt(np.mean(outputs[node.id] ** 2) - own)
        assert weight.low * 0.85 <= rms <= weight.high * 1.15


def test_a_skipped_weight_ends_the_pairs_beside_it():
    plan = make_plan(mlp(relu, 12), skip=["6.weight"])

    assert plan["5.weight"].mirrored == (1,)
    assert plan["7.weight"].mirrored == (0,)
    assert plan["8.weight"].mirrored == (0, 1)
