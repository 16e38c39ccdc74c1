"""Models that are not a plain stack: subclassed, nested, shared, mixed, compiled."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from fanin.errors import BatchError, NoStorageError
from fanin.frameworks import keras as framework
from fanin.frameworks.keras.arrays import to_numpy
from fanin.graph import Op, Task

ROWS = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


def graph_of(model, batch=ROWS):
    return framework.record(model, Task(batch=batch))


def paths(graph):
    return [node.weight.path.split("/")[-2] for node in graph.linears]


class Block(keras.Model):
    """A residual block that a user wrote, with a choice in Python."""

    def __init__(self, is_gated):
        super().__init__()
        self.inner = layers.Dense(5, name="inner")
        self.gate = layers.Dense(5, name="gate") if is_gated else None

    def call(self, x, training=False):
        y = ops.gelu(self.inner(x))
        if self.gate is not None and training:
            y = y * ops.sigmoid(self.gate(x))
        return x + y


@pytest.mark.parametrize(("is_gated", "expected"), [(True, 2), (False, 1)])
def test_a_subclassed_model_is_what_its_call_does(is_gated, expected):
    model = Block(is_gated)
    model(ROWS, training=True)
    graph = graph_of(model)

    assert len(graph.linears) == expected
    assert graph.node(graph.outputs[0]).op is Op.ADD


def test_inputs_and_outputs_of_a_functional_model_may_be_several():
    left, right = keras.Input((5,), name="left"), keras.Input((3,), name="right")
    both = layers.Concatenate()([layers.Dense(4)(left), layers.Dense(4)(right)])
    model = keras.Model(
        {"left": left, "right": right},
        {"a": layers.Dense(2, name="a")(both), "b": layers.Dense(1, name="b")(both)},
    )
    batch = {"left": ROWS, "right": ROWS[:, :3]}
    graph = graph_of(model, batch)

    assert [n.op for n in graph.nodes].count(Op.INPUT) == 2
    assert [graph.node(out).shape for out in graph.outputs] == [(6, 2), (6, 1)]
    assert len(framework.measure(model, Task(batch=batch)).gradients) == 8


def test_a_nested_model_is_its_layers():
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(5, "tanh")], name="in")
    model = keras.Sequential([keras.Input((5,)), inner, layers.Dense(2, name="out")])
    graph = graph_of(model)

    kinds = [node.op for node in graph.nodes]
    assert kinds == [Op.INPUT, Op.LINEAR, Op.ELEMENTWISE, Op.LINEAR]
    assert paths(graph) == ["dense", "out"]


def test_a_shared_layer_is_one_weight_read_twice():
    inputs = keras.Input((5,))
    shared = layers.Dense(5, activation="relu", name="shared")
    graph = graph_of(keras.Model(inputs, shared(shared(inputs))))

    assert paths(graph) == ["shared", "shared"]
    assert len(graph.parameters) == 2


def test_mixed_precision_changes_no_operation():
    def model(policy):
        hidden = layers.Dense(8, activation="gelu", dtype=policy)
        inputs = keras.Input((5,))
        return keras.Model(inputs, layers.Dense(2, dtype="float32")(hidden(inputs)))

    mixed, plain = graph_of(model("mixed_bfloat16")), graph_of(model("float32"))

    def kinds(graph):
        return [node.op for node in graph.nodes if node.op is not Op.REARRANGE]

    assert kinds(mixed) == kinds(plain)
    assert {parameter.dtype for parameter in mixed.parameters} == {"float32"}
    found = framework.measure(model("mixed_bfloat16"), Task(batch=ROWS))
    assert all(site.is_finite for site in found.sites.values())


def test_a_compiled_model_keeps_its_optimizer():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(ROWS, ROWS[:, :1], epochs=1, verbose=0)
    held = [to_numpy(v.value) for v in model.optimizer.variables]
    framework.record(model, Task(batch=ROWS))
    framework.measure(model, Task(batch=ROWS, target=ROWS[:, :1]))

    after = [to_numpy(v.value) for v in model.optimizer.variables]
    assert all(np.array_equal(a, b) for a, b in zip(held, after, strict=True))
    assert float(to_numpy(model.optimizer.iterations.value)) == 1.0


def test_a_model_without_shapes_is_refused_with_what_to_do():
    model = keras.Sequential([layers.Dense(4)])

    with pytest.raises(NoStorageError, match="not built"):
        graph_of(model)


def test_a_batch_that_does_not_fit_is_refused_before_the_model_runs():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4)])

    with pytest.raises(BatchError, match="takes"):
        graph_of(model, ROWS[:, :3])


def test_a_function_of_the_model_may_bring_its_own_batch():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4, "relu")])
    graph = graph_of(model, lambda m: m(ROWS))

    assert [node.op for node in graph.nodes] == [Op.INPUT, Op.LINEAR, Op.ELEMENTWISE]


def test_padding_that_is_uneven_is_part_of_the_convolution():
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, strides=2, padding="same")]
    )
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    graph = graph_of(model, images)

    (node,) = graph.linears
    assert not [n for n in graph.nodes if n.op is Op.CONCAT]
    # Along an axis, windows at 0, 2, 4, 6 read 12 taps, of which the last is padding.
    assert node.details["padding_share"] == pytest.approx(1 - (11 / 12) ** 2)
