from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fanin.frameworks import jax as framework
from fanin.graph import Op, Task
from fanin.graph.calibration import Aim

X = np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)
W = np.random.default_rng(4).normal(size=(4, 4)).astype(np.float32)


def record(function, weights=W, batch=X):
    return framework.record((function, {"w": jnp.asarray(weights)}), Task(batch=batch))


def ops(graph):
    moving = {Op.REARRANGE, Op.CONSTANT, Op.INPUT}
    return [str(node.op) for node in graph.nodes if node.op not in moving]


UNDERSTOOD = {
    "sort": (lambda p, x: jnp.sort(x @ p["w"]), ["linear"]),
    "top_k": (lambda p, x: jax.lax.top_k(x @ p["w"], 2)[0], ["linear", "reduce"]),
    "cumsum": (lambda p, x: jnp.cumsum(x @ p["w"], 1), ["linear", "reduce"]),
    "argmax": (lambda p, x: jnp.argmax(x @ p["w"], 1), ["linear"]),
    "segment_sum": (
        lambda p, x: jax.ops.segment_sum(x @ p["w"], jnp.array([0, 0, 1, 1, 2]), 3),
        ["linear", "reduce"],
    ),
    "update of zeros": (
        lambda p, x: jax.lax.dynamic_update_slice(
            jnp.zeros((5, 9)), x @ p["w"], (0, 2)
        ),
        ["linear", "multiply"],
    ),
    "entries set": (
        lambda p, x: (x @ p["w"]).at[:, 1].set(0.0),
        ["linear", "multiply"],
    ),
    "entries set to others": (
        lambda p, x: (x @ p["w"]).at[:, 1:3].set(x[:, :2]),
        ["linear", "multiply", "multiply", "add"],
    ),
    "entries added to": (
        lambda p, x: (x @ p["w"]).at[:, 1:3].add(x[:, :2]),
        ["linear", "multiply", "add"],
    ),
    "scan": (
        lambda p, x: jax.lax.scan(
            lambda h, _: (jnp.tanh(h @ p["w"]), None), x, length=2
        )[0],
        ["linear", "elementwise"] * 2,
    ),
    "long scan": (
        lambda p, x: jax.lax.scan(
            lambda h, _: (jnp.tanh(h @ p["w"]), None), x, length=500
        )[0],
        ["linear", "elementwise"] * 2,
    ),
    "while": (
        lambda p, x: jax.lax.while_loop(
            lambda c: jnp.sum(c[1]) < c[0], lambda c: (c[0] + 1, c[1] @ p["w"]), (0, x)
        )[1],
        ["linear"],
    ),
    "cond of one": (
        lambda p, x: jax.lax.cond(
            x.sum() > 0, lambda h: h @ p["w"], lambda h: h @ p["w"], x
        ),
        ["linear"],
    ),
    "known branch": (
        lambda p, x: jax.lax.cond(jnp.ones(()) > 0, jnp.tanh, jnp.sin, x @ p["w"]),
        ["linear", "elementwise"],
    ),
    "remat": (
        lambda p, x: jax.checkpoint(lambda h: jnp.tanh(h @ p["w"]))(x),
        ["linear", "elementwise"],
    ),
    "erf_inv": (
        lambda p, x: jax.scipy.special.erfinv(jnp.tanh(x @ p["w"])),
        ["linear", "elementwise"],
    ),
    "noise added": (
        lambda p, x: x @ p["w"] + jax.random.normal(jax.random.key(0), (5, 4)),
        ["linear", "add"],
    ),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_what_chooses_ranks_or_repeats_is_understood(name):
    function, expected = UNDERSTOOD[name]

    assert ops(record(function)) == expected


def test_branches_that_differ_are_joined_without_a_claim():
    graph = record(
        lambda p, x: jax.lax.cond(x.sum() > 0, jnp.tanh, jnp.sin, x @ p["w"])
    )

    assert ops(graph) == ["linear", "elementwise", "elementwise", "opaque"]


def test_experts_are_reached_through_a_choice_of_the_largest():
    def mixture(p, x):
        shares, which = jax.lax.top_k(jax.nn.softmax(x @ p["w"]["router"]), 2)
        gates = jnp.einsum("bke,bk->be", jax.nn.one_hot(which, 4), shares)
        hidden = jnp.einsum("bd,edf->bef", x, p["w"]["experts"])
        return jnp.einsum("bef,be->bf", jax.nn.silu(hidden), gates)

    weights = {"router": jnp.asarray(W), "experts": jnp.ones((4, 4, 3))}
    graph = framework.record((mixture, {"w": weights}), Task(batch=X))

    assert "opaque" not in ops(graph)
    fans = {node.weight.path: node.weight.fan.n_in for node in graph.linears}
    assert fans == {"w.router": 4.0, "w.experts": 4.0}


def test_a_row_of_a_stack_by_group_is_one_product():
    graph = record(
        lambda p, x: jax.lax.ragged_dot(x, p["w"], jnp.array([2, 3])),
        np.ones((2, 4, 3), np.float32),
    )
    (node,) = graph.linears

    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (4.0, 3.0)


def test_layers_of_a_stacked_weight_have_the_fans_of_one():
    graph = record(
        lambda p, x: jax.lax.scan(lambda h, w: (jnp.tanh(h @ w), None), x, p["w"])[0],
        np.ones((3, 4, 4), np.float32),
    )

    assert [node.weight.fan.n_in for node in graph.linears] == [4.0] * 3


def test_entries_set_keep_the_mean_square_that_a_product_with_the_mask_has():
    graph = record(lambda p, x: (x @ p["w"]).at[:, 1].set(0.0))
    (mask,) = (node for node in graph.nodes if node.op is Op.CONSTANT)

    assert mask.details["second_moment"] == pytest.approx(3 / 4)


def test_a_grouped_transposed_convolution_has_the_fans_of_one_group():
    def function(p, x):
        return jax.lax.conv_general_dilated(
            x,
            p["w"],
            (1, 1),
            [(3, 3), (3, 3)],
            lhs_dilation=(2, 2),
            feature_group_count=2,
        )

    x = np.random.default_rng(5).normal(size=(3, 8, 6, 6)).astype(np.float32)
    graph = record(function, np.ones((6, 4, 4, 4), np.float32), x)
    (node,) = graph.linears

    # 4 inputs a group, a 4×4 kernel at stride 2: 16 / 4 taps; 3 outputs a group.
    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (16.0, 48.0)


@pytest.mark.parametrize("function", [jax.nn.softmax, jax.nn.log_softmax])
def test_a_softmax_that_takes_its_maximum_off_is_one_node(function):
    assert ops(record(lambda p, x: function(x @ p["w"]))) == ["linear", "softmax"]


def test_a_weight_that_first_meets_zeros_is_calibrated_where_it_meets_more():
    def recurrent(p, x):
        state = jnp.zeros((5, 4))
        for _ in range(2):
            state = jnp.tanh(x + state @ p["w"])
        return state

    model = (recurrent, {"w": jnp.asarray(W)})
    task = Task(batch=X)
    factors = framework.calibrate(model, task, {}, {"w": Aim(size=0.5)}).factors

    wanted = 0.5 / np.sqrt(np.square(np.tanh(X) @ W).mean())
    assert factors["w"] == pytest.approx(wanted, rel=1e-5)
