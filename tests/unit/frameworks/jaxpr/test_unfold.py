from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fanin.frameworks._jaxpr.interpret import interpret
from fanin.frameworks._jaxpr.loops import LONGEST_UNROLLED
from fanin.frameworks._jaxpr.unfold import program_of

X = np.linspace(-1.0, 1.0, 6, dtype=np.float32).reshape(2, 3)


def scanned(x, *, reverse=False):
    def body(carry, row):
        carry = jnp.tanh(carry + row)
        return carry, carry * 2

    return jax.lax.scan(body, x[0], jnp.stack([x, x + 1]), reverse=reverse)


def recurrent(x, *, reverse=False):
    def body(carry, row):
        carry = jnp.tanh(carry + row)
        return carry, (carry * 2, row)

    rows = jnp.stack([x[0], x[1], x[0] + 1])
    return jax.lax.scan(body, x[0], rows, reverse=reverse)


FUNCTIONS = {
    "jit": jax.jit(lambda x: jnp.sin(x) + 1),
    "one jit called twice": lambda x: jax.nn.relu(jax.nn.relu(x) - 0.5),
    "remat": jax.checkpoint(lambda x: jnp.tanh(x) * x),
    "custom_jvp": jax.nn.silu,
    "relu in jit": jax.jit(lambda x: jax.nn.relu(x * 2)),
    "scan": recurrent,
    "scan backwards": lambda x: recurrent(x, reverse=True),
    "cond": lambda x: jax.lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x),
    "while": lambda x: jax.lax.while_loop(
        lambda v: v.sum() < 10, lambda v: v + 1, jnp.abs(x)
    ),
    "sort": lambda x: jnp.sort(x, axis=1),
    "softmax": jax.nn.softmax,
    "constant output": lambda x: (x, jnp.ones(3)),
    "same value twice": lambda x: x @ x.T,
}


def run(function, x):
    closed = jax.make_jaxpr(function)(x)
    return interpret(program_of(closed), [x], lambda _, array: array, ())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_steps_compute_what_the_function_does(name):
    function = FUNCTIONS[name]

    for found, expected in zip(
        run(function, X), jax.tree.leaves(function(X)), strict=True
    ):
        assert np.asarray(found) == pytest.approx(np.asarray(expected), rel=1e-6)


@pytest.mark.parametrize("name", ["jit", "remat", "custom_jvp", "scan", "softmax"])
def test_gradients_go_through_the_steps(name):
    function = FUNCTIONS[name]

    def total(outputs):
        return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(outputs))

    found = jax.grad(lambda x: total(run(function, x)))(jnp.asarray(X))
    expected = jax.grad(lambda x: total(function(x)))(jnp.asarray(X))
    assert np.asarray(found) == pytest.approx(np.asarray(expected), rel=1e-5, abs=1e-6)


def test_the_derivative_of_relu_at_zero_is_that_of_jax():
    zero = np.zeros(1, np.float32)

    found = jax.grad(lambda x: run(jax.nn.relu, x)[0].sum())(jnp.asarray(zero))
    assert float(found[0]) == 0.0


def test_each_call_of_one_inner_program_has_values_of_its_own():
    steps = program_of(jax.make_jaxpr(lambda x: jax.nn.relu(jax.nn.relu(x) - 1.0))(X))

    outputs = [value for step in steps.readable() for value in step.outputs]
    assert len(outputs) == len(set(outputs))


def test_a_long_scan_stays_one_step():
    rows = np.zeros((LONGEST_UNROLLED + 1, 3), np.float32)
    program = program_of(
        jax.make_jaxpr(lambda r: jax.lax.scan(lambda c, x: (c + x, x), r[0], r))(rows)
    )

    assert [s.primitive for s in program.steps] == ["slice", "squeeze", "scan"]


def test_the_first_two_rounds_of_a_long_scan_can_be_read():
    rows = np.zeros((LONGEST_UNROLLED + 1, 3), np.float32)
    program = program_of(
        jax.make_jaxpr(lambda r: jax.lax.scan(lambda c, x: (c * x, c), r[0], r))(rows)
    )

    names = [step.primitive for step in program.readable()]
    assert names == ["slice", "squeeze", "slice", "mul", "slice", "mul", "rounds"]


def test_a_long_scan_gives_what_jax_gives():
    rows = np.linspace(0.9, 1.1, 3 * (LONGEST_UNROLLED + 1), dtype=np.float32)
    rows = rows.reshape(-1, 3)

    def function(r):
        return jax.lax.scan(lambda c, x: (c * x, c), r[0], r, reverse=True)

    closed = jax.make_jaxpr(function)(rows)
    found = interpret(program_of(closed), [rows], lambda _, x: x, ())
    for one, other in zip(found, function(rows), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_choice_of_branches_gives_what_jax_gives(sign):
    x = np.full(3, sign, np.float32)

    def function(x):
        return jax.lax.cond(x.sum() > 0.0, jnp.sin, jnp.cos, x)

    program = program_of(jax.make_jaxpr(function)(x))
    inner = {value for step in program.readable() for value in step.outputs}
    seen = {}

    def watch(value, array):
        seen[value] = array
        return array

    found = interpret(program, [x], watch, inner)
    np.testing.assert_allclose(found[0], function(x), rtol=1e-6)
    np.testing.assert_allclose(seen[program.outputs[0]], function(x), rtol=1e-6)


def test_a_scope_is_known_inside_an_inner_program():
    def function(x):
        with jax.named_scope("outer"):
            return jax.jit(jnp.sin)(x)

    program = program_of(jax.make_jaxpr(function)(X))
    assert {step.scope.split("/")[0] for step in program.readable()} == {"outer"}


def test_a_source_is_the_users_line():
    program = program_of(jax.make_jaxpr(lambda x: x * 2.0)(X))

    assert next(program.readable()).source.startswith("test_unfold.py:")


def test_values_are_let_go_and_watched_in_order():
    program = program_of(jax.make_jaxpr(lambda x: jnp.sin(jnp.cos(x)))(X))
    watched = [step.outputs[0] for step in program.steps]
    seen = []

    def watch(value, array):
        seen.append(value)
        return array * 0.0

    (output,) = interpret(program, [X], watch, watched)
    assert seen == watched
    assert not np.asarray(output).any()


def test_a_value_inside_a_custom_derivative_is_shown():
    program = program_of(jax.make_jaxpr(jax.nn.silu)(X))
    inner = [s.outputs[0] for s in program.readable() if s.primitive == "logistic"]
    seen = {}
    interpret(program, [X], seen.setdefault, inner)

    assert np.asarray(seen[inner[0]]) == pytest.approx(1 / (1 + np.exp(-X)), rel=1e-5)
