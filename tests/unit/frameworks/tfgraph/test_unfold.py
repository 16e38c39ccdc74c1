"""Programs alone: TensorFlow's loops, choices, calls and lists are laid open."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tf = pytest.importorskip("tensorflow")

from fanin.frameworks._tfgraph.interpret import interpret  # noqa: E402
from fanin.frameworks._tfgraph.measure import measure  # noqa: E402
from fanin.frameworks._tfgraph.record import Argument, record  # noqa: E402
from fanin.frameworks._tfgraph.trace import trace  # noqa: E402
from fanin.frameworks._tfgraph.unfold import program_of  # noqa: E402
from fanin.graph import Op, Parameter  # noqa: E402
from fanin.graph.draft import Place  # noqa: E402

ROWS = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
WEIGHT = np.random.default_rng(1).normal(size=(4, 4)).astype("float32")


def program(function, *arguments):
    given = [tf.constant(array) for array in arguments]
    return program_of(trace(function, given, Place)), given


def keep(_, tensor):
    return tensor


def graph_of(function, weight=WEIGHT, rows=ROWS):
    made, (held, given) = program(function, weight, rows)
    parameter = Parameter(path="w", shape=weight.shape, dtype="float32")
    arguments = [Argument(path="w", value=held), Argument(value=given)]
    return made, arguments, record(made, arguments, [parameter], framework="keras")


def repeated(weight, rows):
    """Three rounds of x ← tanh(x·w), the results in a list."""

    def body(index, values, made):
        values = tf.tanh(values @ weight)
        return index + 1, values, made.write(index, values)

    made = tf.TensorArray(tf.float32, size=3, element_shape=rows.shape)
    start = (tf.constant(0), rows, made)
    _, _, made = tf.while_loop(lambda i, *_: i < 3, body, start)
    return [made.stack()]


def long(weight, rows):
    """As many rounds as would fill a page."""
    end = tf.while_loop(
        lambda i, _: i < 100, lambda i, x: (i + 1, x @ weight), (tf.constant(0), rows)
    )
    return [end[1]]


def until_large(weight, rows):
    """As many rounds as the numbers decide."""
    end = tf.while_loop(
        lambda x: tf.reduce_max(tf.abs(x)) < 100.0,
        lambda x: [50.0 * (x @ weight)],
        [rows],
    )
    return list(end) if isinstance(end, list | tuple) else [end]


def chosen(weight, rows):
    """A choice that the numbers decide."""
    first = tf.reduce_sum(rows) > 0.0
    return [tf.cond(first, lambda: rows @ weight, lambda: tf.tanh(rows))]


def called(weight, rows):
    """A function within a function."""
    inner = tf.function(lambda x: tf.nn.relu(x @ weight), autograph=False)
    return [inner(inner(rows))]


FUNCTIONS = (repeated, long, until_large, chosen, called)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_steps_give_what_the_function_gives(function):
    made, given = program(function, 0.1 * WEIGHT, ROWS)
    (found,) = interpret(made, given, keep)

    expected = tf.function(function, autograph=False)(*given)[0]
    assert found.numpy() == pytest.approx(expected.numpy(), rel=1e-5, abs=1e-7)


def test_a_loop_of_known_length_is_its_rounds():
    _, _, recorded = graph_of(repeated)

    kinds = [n.op for n in recorded.graph.nodes if n.op is not Op.REARRANGE]
    assert kinds == [Op.INPUT, *[Op.LINEAR, Op.ELEMENTWISE] * 3, Op.CONCAT]
    assert {node.weight.path for node in recorded.graph.linears} == {"w"}


@pytest.mark.parametrize("function", [long, until_large, chosen])
def test_what_cannot_be_laid_open_is_opaque(function):
    _, _, recorded = graph_of(function)

    assert [n.op for n in recorded.graph.nodes].count(Op.OPAQUE) >= 1


def test_a_function_called_twice_is_its_operations_twice():
    _, _, recorded = graph_of(called)

    kinds = [node.op for node in recorded.graph.nodes]
    assert kinds == [Op.INPUT, *[Op.LINEAR, Op.ELEMENTWISE] * 2]


def test_what_no_output_needs_is_left_out():
    made, _ = program(lambda w, x: [tf.nn.relu(x), tf.tanh(x @ w)][:1], WEIGHT, ROWS)

    assert [step.kind for step in made.steps] == ["Relu"]


def test_a_length_that_the_numbers_decide_is_found_by_a_run():
    def positive(weight, rows):
        return [tf.boolean_mask(rows, rows[:, 0] > 0.0) @ weight]

    _, _, recorded = graph_of(positive)

    (node,) = recorded.graph.linears
    assert node.shape == (int((ROWS[:, 0] > 0.0).sum()), 4)


def test_gradients_are_those_of_the_tape():
    made, arguments, recorded = graph_of(repeated)
    found = measure(made, arguments, recorded, lambda ends: tf.reduce_sum(ends[0] ** 2))

    weight, rows = (tf.constant(array) for array in (WEIGHT, ROWS))
    with tf.GradientTape() as tape:
        tape.watch(weight)
        loss = tf.reduce_sum(repeated(weight, rows)[0] ** 2)
    expected = tape.gradient(loss, weight).numpy()
    assert found.gradients["w"].numpy() == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert found.objective == pytest.approx(float(loss), rel=1e-5)


def test_the_gradient_at_a_node_is_that_of_all_that_follows_it():
    made, arguments, recorded = graph_of(repeated)
    found = measure(made, arguments, recorded, lambda ends: tf.reduce_sum(ends[0]))

    last = recorded.graph.linears[-1]
    slope = 1.0 - np.tanh(found_output(made, arguments, recorded, last.id)) ** 2
    expected = float(np.square(slope).mean())
    assert found.sites[last.id].gradient_second_moment == pytest.approx(expected, 1e-4)


def found_output(made, arguments, recorded, node):
    seen = {}
    interpret(made, [a.value for a in arguments], seen.setdefault)
    return seen[recorded.sites[node]].numpy()
