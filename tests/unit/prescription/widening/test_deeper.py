"""Depth-muP's exponents follow from its demands; plans have those exponents."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import sympy

from fanin.errors import ArgumentError, ContradictionError
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan

SHALLOW, DEEP = 3, 12


def net(n_branches, *, is_scaled=False, is_post=False, width=8):
    """A stream that takes branches up, each with a normalization and two weights."""
    sketch = Sketch()
    x = sketch.dense(sketch.input((4, 6)), width, path="in")
    for i in range(n_branches):
        z = sketch.normalize(x, path=f"block.{i}.norm", kind="layer")
        z = sketch.apply(sketch.dense(z, 2 * width, path=f"block.{i}.up"), np.tanh)
        z = sketch.dense(z, width, path=f"block.{i}.down")
        if is_scaled:
            path = sketch.hold(f"block.{i}.scale", (width,))
            z = sketch.add_node(Op.MULTIPLY, (z,), scale=path)
        x = sketch.combine(Op.ADD, x, z)
        if is_post:
            x = sketch.normalize(x, path=f"block.{i}.after", kind="layer")
    return sketch.graph(sketch.dense(x, 3, path="head"))


def plan_of(model, base=None, spec="depth_mup"):
    return make_plan(model, policy=spec, base=base, law="normal")


def solved():
    """Solve the demands: exponents of L of the branch factor, Adam's rate and SGD's."""
    c, by_adam, by_sgd = sympy.symbols("c by_adam by_sgd")
    half = sympy.Rational(1, 2)
    demands = [
        half - c,  # L independent branches are of size 1 together
        1 - c + by_adam,  # L steps in line, each of the rate's size
        1 - c - c + by_sgd,  # and each with the factor in its gradient
    ]
    (found,) = sympy.solve(demands, (c, by_adam, by_sgd), dict=True)
    return -found[c], found[by_adam], found[by_sgd]


def exponent(numbers, deeper):
    return log(deeper / numbers) / log(DEEP / SHALLOW)


@pytest.mark.parametrize("is_scaled", [False, True], ids=["weights", "learned scales"])
def test_a_plans_exponents_are_those_that_the_demands_have_as_their_only_solution(
    is_scaled,
):
    shallow = plan_of(net(SHALLOW, is_scaled=is_scaled))
    deep = plan_of(
        net(DEEP, is_scaled=is_scaled), base=net(SHALLOW, is_scaled=is_scaled)
    )
    c, by_adam, by_sgd = solved()

    end = "block.0.scale" if is_scaled else "block.0.down.weight"
    size = "value" if is_scaled else "std"
    found = exponent(getattr(shallow[end], size), getattr(deep[end], size))
    assert found == pytest.approx(float(c))
    for i in range(DEEP):
        # What carries the factor learns c times as fast under Adam, c² under SGD
        last = deep[end.replace("0", str(i))]
        assert exponent(1, last.learning_rate) == pytest.approx(float(by_adam + c))
        assert exponent(1, last.learning_rate_sgd) == pytest.approx(
            float(by_sgd + 2 * c)
        )
        for name in ("norm.weight", "up.weight", "up.bias"):
            inner = deep[f"block.{i}.{name}"]
            assert exponent(1, inner.learning_rate) == pytest.approx(float(by_adam))
            assert exponent(1, inner.learning_rate_sgd) == pytest.approx(float(by_sgd))


def test_what_is_on_no_branch_learns_as_in_the_base():
    deep = plan_of(net(DEEP), base=net(SHALLOW))

    for path in ("in.weight", "in.bias", "head.weight", "head.bias"):
        assert deep[path].learning_rate == deep[path].learning_rate_sgd == 1.0


def test_width_and_depth_are_carried_over_together():
    plan = plan_of(net(DEEP, width=32), base=net(SHALLOW))

    weight = plan["block.5.up.weight"]
    assert weight.learning_rate == pytest.approx(1 / 4 / 2)
    assert weight.learning_rate_sgd == pytest.approx(1.0)


def test_a_depth_in_place_of_a_base_gives_its_rates():
    by_depth = plan_of(net(DEEP), spec=f"depth_mup(depth={SHALLOW})")
    by_base = plan_of(net(DEEP), base=net(SHALLOW))

    for optimizer in ("adam", "sgd"):
        assert by_depth.multipliers(optimizer) == pytest.approx(
            by_base.multipliers(optimizer)
        )


def test_a_stream_that_is_normalized_after_each_sum_is_left_alone_and_warned_of():
    plan = plan_of(net(DEEP, is_post=True), base=net(SHALLOW, is_post=True))

    assert set(plan.multipliers().values()) == {1.0}
    assert any("scales nothing with the depth" in text for text in plan.warnings)


def test_a_base_of_other_blocks_is_refused():
    with pytest.raises(ArgumentError, match="also has"):
        plan_of(net(SHALLOW), base=net(DEEP))
    with pytest.raises(ArgumentError, match="without 'block"):
        plan_of(net(SHALLOW, is_post=True), base=net(SHALLOW))
    with pytest.raises(ContradictionError, match="depth"):
        plan_of(net(DEEP), base=net(SHALLOW), spec="depth_mup(depth=2)")
    with pytest.raises(ArgumentError, match="depth"):
        plan_of(net(DEEP), spec="depth_mup(depth=0)")
