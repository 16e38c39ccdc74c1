"""Which axes are width is read off two shapes; a base that does not fit is refused."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.errors import ArgumentError, ContradictionError
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.desk import Desk
from fanin.prescription.widening.widths import growths, on_base


def kinds(model, base):
    desk = Desk(model)
    return {path: g.kind for path, g in growths(desk, on_base(desk, base)).items()}


def convolutional(width, *, kernel=3):
    sketch = Sketch()
    z = sketch.conv(sketch.input((2, 3, 8, 8)), width, path="in", kernel=kernel)
    z = sketch.normalize(z, path="norm")
    z = sketch.conv(z, width, path="depthwise", groups=width)
    z = sketch.conv(sketch.apply(z, np.tanh), 2 * width, path="hidden", has_bias=True)
    z = sketch.conv(z, 2 * width, path="grouped", groups=4)
    z = sketch.reduce(sketch.apply(z, np.tanh))
    return sketch.graph(sketch.dense(z, 5, path="out"))


def test_every_kind_of_layer_has_its_column_of_the_table():
    assert kinds(convolutional(32), convolutional(8)) == {
        "in.weight": "input",
        "norm.weight": "input",
        "norm.bias": "input",
        "depthwise.weight": "input",  # one kernel a channel sums a fixed window
        "hidden.weight": "hidden",
        "hidden.bias": "input",
        "grouped.weight": "hidden",
        "out.weight": "output",
        "out.bias": "finite",
    }


def mixer(width, *, n_tokens=6):
    """One block that mixes positions, at a fixed length, and one that mixes units."""
    sketch = Sketch()
    z = sketch.lookup(sketch.input((4, n_tokens)), 11, width, path="table")
    turned = sketch.add_node(Op.REARRANGE, (z,), shape=(4, width, n_tokens))
    across = sketch.dense(turned, n_tokens, path="tokens")
    z = sketch.add_node(Op.REARRANGE, (across,), shape=(4, n_tokens, width))
    z = sketch.dense(sketch.apply(z, np.tanh), 4 * width, path="up")
    z = sketch.dense(sketch.apply(z, np.tanh), width, path="down")
    return sketch.graph(sketch.dense(z, 11, path="out"))


def test_weights_that_mix_positions_are_finite_and_those_that_mix_units_hidden():
    found = kinds(mixer(32), mixer(8))

    assert found["table.weight"] == "input"
    assert found["tokens.weight"] == "finite"
    assert found["up.weight"] == found["down.weight"] == "hidden"


def test_a_weight_that_narrows_to_a_fixed_size_is_an_output_wherever_it_stands():
    def net(width):
        sketch = Sketch()
        z = sketch.apply(sketch.dense(sketch.input((4, 6)), width, path="in"), np.tanh)
        z = sketch.apply(sketch.dense(z, 3, path="narrow"), np.tanh)
        z = sketch.apply(sketch.dense(z, width, path="again"), np.tanh)
        return sketch.graph(sketch.dense(z, 2, path="out"))

    found = kinds(net(64), net(16))

    assert found["narrow.weight"] == "output"
    assert found["again.weight"] == "input"
    plan = make_plan(net(64), policy="mup", base=net(16), law="normal")
    base = make_plan(net(16), policy="mup", law="normal")
    assert plan["narrow.weight"].std == pytest.approx(base["narrow.weight"].std / 4)


def perceptron(width, *, n_classes=3, path="out", depth=1):
    sketch = Sketch()
    z = sketch.dense(sketch.input((4, 6)), width, path="in")
    for i in range(depth):
        z = sketch.dense(sketch.apply(z, np.tanh), width, path=f"hidden.{i}")
    return sketch.graph(sketch.dense(sketch.apply(z, np.tanh), n_classes, path=path))


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (perceptron(8, path="head"), "without 'out.weight', 'out.bias'"),
        (perceptron(8, depth=2), "also has 'hidden.1.weight', 'hidden.1.bias'"),
        (perceptron(32), "smaller in no axis"),
        (perceptron(64), r"'in.weight' is \(32, 6\) and \(64, 6\) in the base"),
        (perceptron(8, n_classes=2), r"'out.weight' is \(3, 32\) and \(2, 8\)"),
    ],
    ids=["another path", "more layers", "itself", "wider", "fewer classes"],
)
def test_a_base_that_does_not_fit_is_refused_and_the_reason_named(base, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        make_plan(perceptron(32), policy="mup", base=base)

    assert "Argument 'base' must be a smaller model" in str(caught.value)


def test_a_kernel_of_another_size_is_no_width():
    with pytest.raises(ArgumentError, match="no width"):
        make_plan(convolutional(32), policy="mup", base=convolutional(8, kernel=1))


def test_features_as_wide_as_the_model_are_no_other_task():
    def features(width):
        sketch = Sketch()
        z = sketch.apply(sketch.dense(sketch.input((4, 6)), width, path="in"), np.tanh)
        return sketch.graph(sketch.dense(z, 2 * width, path="out"))

    found = kinds(features(32), features(8))

    assert found["out.weight"] == "hidden"
    assert found["out.bias"] == "input"


def test_a_base_and_a_width_contradict_each_other():
    with pytest.raises(ContradictionError, match="16"):
        make_plan(perceptron(32), policy="mup(width=16)", base=perceptron(8))


def test_a_parameter_that_the_caller_fills_or_keeps_still_learns_at_its_own_pace():
    wishes = {"overrides": {"hidden.0.weight": "he_normal"}, "skip": "out.*"}

    plan = make_plan(perceptron(32), policy="mup", base=perceptron(8), **wishes)

    assert plan["hidden.0.weight"].scheme == "he_normal"
    assert plan["out.weight"].is_kept
    assert plan["hidden.0.weight"].learning_rate == 0.25
    assert plan["out.weight"].learning_rate == 0.25
