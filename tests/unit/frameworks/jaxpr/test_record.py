from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fanin.frameworks._jaxpr.calibrate import calibrate
from fanin.frameworks._jaxpr.measure import measure
from fanin.frameworks._jaxpr.record import Argument, record
from fanin.frameworks._jaxpr.unfold import program_of
from fanin.frameworks.calibration import Goals
from fanin.graph import Op, Parameter
from fanin.graph.calibration import Aim

GENERATOR = np.random.default_rng(0)


def drawn(*shape):
    return GENERATOR.normal(size=shape).astype(np.float32)


def traced(function, parameters, *batch):
    """Record ``function(parameters, *batch)``; parameters are a dict of arrays."""
    closed = jax.make_jaxpr(function)(parameters, *batch)
    program = program_of(closed)
    names = sorted(parameters)
    arguments = [Argument(path=n, value=jnp.asarray(parameters[n])) for n in names]
    arguments += [Argument(value=jnp.asarray(array)) for array in batch]
    held = [
        Parameter(path=n, shape=parameters[n].shape, dtype="float32") for n in names
    ]
    recorded = record(
        program, arguments, held, framework="jax", path_of=lambda scope: scope
    )
    return program, arguments, recorded


def graph_of(function, parameters, *batch):
    return traced(function, parameters, *batch)[2].graph


def op_list(graph):
    return [str(n.op) for n in graph.nodes if n.op not in {Op.REARRANGE, Op.CONSTANT}]


def test_a_product_of_two_activations_is_a_contraction():
    graph = graph_of(lambda p, x: (x @ p["w"]) @ x.T, {"w": drawn(4, 4)}, drawn(3, 4))

    assert op_list(graph) == ["input", "linear", "contract"]


def test_einsum_in_several_axes_has_the_product_of_the_fans():
    graph = graph_of(
        lambda p, x: jnp.einsum("btd,dhk->bthk", x, p["w"]),
        {"w": drawn(6, 2, 3)},
        drawn(4, 5, 6),
    )
    (node,) = graph.linears

    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (6.0, 6.0)


@pytest.mark.parametrize("spec", [("NCHW", "OIHW", "NCHW"), ("NHWC", "HWIO", "NHWC")])
def test_a_convolution_in_any_layout_has_the_same_fans(spec):
    is_last = spec[0] == "NHWC"
    x = drawn(2, 6, 6, 4) if is_last else drawn(2, 4, 6, 6)
    w = drawn(3, 3, 2, 8) if is_last else drawn(8, 2, 3, 3)
    graph = graph_of(
        lambda p, x: lax.conv_general_dilated(
            x, p["w"], (2, 2), "SAME", dimension_numbers=spec, feature_group_count=2
        ),
        {"w": w},
        x,
    )
    (node,) = graph.linears

    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (18.0, 9.0)
    assert node.unit_axis == (3 if is_last else 1)


def test_a_transposed_convolution_counts_its_strides():
    graph = graph_of(
        lambda p, x: lax.conv_transpose(x, p["w"], (2, 2), "VALID"),
        {"w": drawn(4, 4, 8, 5)},
        drawn(2, 3, 3, 8),
    )
    (node,) = graph.linears

    assert node.details["kind"] == "conv_transpose"
    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (32.0, 80.0)


def test_a_grouped_batch_convolution_is_opaque_and_not_guessed():
    graph = graph_of(
        lambda p, x: lax.conv_general_dilated(
            x, p["w"], (1, 1), "VALID", batch_group_count=2
        ),
        {"w": drawn(4, 3, 3, 3)},
        drawn(4, 3, 6, 6),
    )

    assert op_list(graph)[-1] == "opaque"


def test_rows_taken_by_index_are_a_lookup():
    graph = graph_of(
        lambda p, i: jnp.take(p["w"], i, axis=0),
        {"w": drawn(9, 4)},
        np.array([[1, 2], [3, 4]]),
    )

    assert op_list(graph) == ["input", "linear"]
    assert graph.linears[0].details["kind"] == "lookup"


def test_rows_by_square_brackets_are_a_lookup_too():
    graph = graph_of(
        lambda p, i: p["w"][i], {"w": drawn(9, 4)}, np.array([[1, 2], [3, 4]])
    )

    assert [n.details["kind"] for n in graph.linears] == ["lookup"]


NORMALIZATIONS = {
    "layer": lambda x: (
        (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)
    ),
    "rms": lambda x: x * lax.rsqrt(jnp.mean(x**2, -1, keepdims=True) + 1e-6),
    "batch": lambda x: (x - x.mean(0)) / jnp.sqrt(x.var(0) + 1e-5),
}


@pytest.mark.parametrize("kind", NORMALIZATIONS)
def test_a_normalization_written_out_is_one_node(kind):
    graph = graph_of(
        lambda p, x: NORMALIZATIONS[kind](x @ p["w"]), {"w": drawn(6, 8)}, drawn(5, 6)
    )

    assert op_list(graph) == ["input", "linear", "normalize"]
    assert graph.nodes[-1].details["kind"] == kind


@pytest.mark.parametrize("function", [jax.nn.softmax, jax.nn.log_softmax])
def test_a_softmax_is_one_node(function):
    graph = graph_of(lambda p, x: function(x @ p["w"]), {"w": drawn(6, 8)}, drawn(5, 6))

    assert op_list(graph) == ["input", "linear", "softmax"]


def test_a_scaled_softmax_keeps_its_scale():
    graph = graph_of(
        lambda p, x: jax.nn.softmax(3.0 * (x @ p["w"])), {"w": drawn(6, 8)}, drawn(5, 6)
    )

    assert op_list(graph) == ["input", "linear", "elementwise", "softmax"]


def test_dropout_by_bernoulli_is_noise_of_its_rate():
    def function(p, x):
        h = x @ p["w"]
        keep = jax.random.bernoulli(jax.random.key(0), 0.8, h.shape)
        return jnp.where(keep, h / 0.8, 0.0)

    graph = graph_of(function, {"w": drawn(6, 8)}, drawn(5, 6))

    assert op_list(graph) == ["input", "linear", "noise"]
    assert graph.nodes[-1].details["p"] == pytest.approx(0.2)


def test_average_pooling_is_a_mean_over_its_window():
    def function(p, x):
        del p
        sums = lax.reduce_window(x, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return sums / 4.0

    graph = graph_of(function, {}, drawn(2, 4, 4, 3))

    assert graph.nodes[-1].op is Op.REDUCE
    assert (graph.nodes[-1].details["kind"], graph.nodes[-1].details["window"]) == (
        "mean",
        4,
    )


def test_what_is_not_known_is_opaque():
    graph = graph_of(
        lambda p, x: jnp.fft.fft(x @ p["w"]), {"w": drawn(6, 8)}, drawn(5, 6)
    )

    assert op_list(graph) == ["input", "linear", "opaque"]


def test_a_choice_by_a_known_condition_is_the_case_taken():
    graph = graph_of(
        lambda p, x: jnp.where(jnp.array(True), x @ p["w"], jnp.nan),
        {"w": drawn(6, 8)},
        drawn(5, 6),
    )

    assert op_list(graph) == ["input", "linear"]


def test_a_frozen_activation_with_a_custom_derivative_has_a_gradient_site():
    program, arguments, recorded = traced(
        lambda p, x: jax.nn.relu(x @ p["w"]), {"w": drawn(6, 8)}, drawn(5, 6)
    )
    found = measure(program, arguments, recorded, lambda outputs: outputs[0].sum())

    assert [n.op for n in recorded.graph.nodes][-1] is Op.ELEMENTWISE
    assert found.sites[recorded.graph.nodes[-1].id].gradient_second_moment == 1.0


def test_a_parameter_of_value_is_a_site():
    program, arguments, recorded = traced(
        lambda p, x: x @ p["w"] + p["table"][None, :, :].sum(1),
        {"w": drawn(6, 8), "table": drawn(3, 8)},
        drawn(5, 6),
    )
    found = measure(program, arguments, recorded, lambda outputs: outputs[0].sum())

    assert found.gradients["table"].shape == (3, 8)
    assert np.asarray(found.gradients["table"]) == pytest.approx(5.0)


def test_calibration_reaches_into_a_scan():
    def function(p, x):
        def body(carry, row):
            carry = jnp.tanh(row @ p["w"] + carry @ p["u"])
            return carry, None

        return lax.scan(body, jnp.zeros((4, 6)), x)[0]

    program, arguments, recorded = traced(
        function, {"w": drawn(5, 6), "u": drawn(6, 6)}, drawn(3, 4, 5)
    )
    goals = Goals(aims={"w": Aim(size=1.0)})
    factors = calibrate(program, arguments, recorded, goals, {}).factors

    # One use a round, on another row each.
    w, x = (np.asarray(a.value) for a in arguments[1:])
    assert factors["w"] == pytest.approx(1 / np.square(x @ w).mean() ** 0.5, rel=3e-3)
