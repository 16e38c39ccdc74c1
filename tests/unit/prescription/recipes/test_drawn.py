"""Prescriptions of published policies: laws, slices, and what a caller may ask for."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.graph.fans import AxisRoles, Fan
from fanin.graph.graph import Weight
from fanin.graph.roles import Role, RoleKind, RoleSlice
from fanin.prescription import make_plan
from fanin.prescription.desk import Desk
from fanin.prescription.recipes.drawn import (
    bound_of,
    by_slice,
    drawn,
    glorot_std,
    he_std,
    open_weights,
    resized,
    std_of,
)
from tests.unit.prescription.policies.streams import residual_mlp, transformer

DENSE = AxisRoles(outputs=(0,), inputs=(1,))
KINDS = (RoleKind.QUERY, RoleKind.KEY, RoleKind.VALUE)


def weight_of(n_in, n_out):
    return Weight(path="w", roles=DENSE, fan=Fan(n_in=float(n_in), n_out=float(n_out)))


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, 9)] * 3),
    n_in=st.integers(1, 64),
    n_heads=st.integers(1, 4),
    gain=st.floats(0.1, 10.0),
)
def test_each_slice_has_the_std_of_a_weight_of_its_own(sizes, n_in, n_heads, gain):
    starts = (0, sizes[0], sizes[0] + sizes[1])
    period = sum(sizes)
    slices = tuple(
        RoleSlice(kind=kind, start=start, size=size, period=period)
        for kind, start, size in zip(KINDS, starts, sizes, strict=True)
    )
    role = Role(kind=RoleKind.QKV, evidence="", slices=slices)

    def wanted(fan, kind):
        return glorot_std(fan, gain if kind is RoleKind.VALUE else 1.0)

    std, parts = by_slice(role, weight_of(n_in, period * n_heads), wanted)

    factors = {part.kind: part.factor for part in parts}
    for kind, size in zip(KINDS, sizes, strict=True):
        alone = wanted(Fan(n_in=float(n_in), n_out=float(size * n_heads)), kind)
        assert std * factors.get(str(kind), 1.0) == pytest.approx(alone)


def test_a_slice_of_std_zero_does_not_hide_the_others():
    pieces = (
        RoleSlice(kind=RoleKind.VALUE, start=0, size=4, period=8),
        RoleSlice(kind=RoleKind.QUERY, start=4, size=4, period=8),
    )
    role = Role(kind=RoleKind.QKV, evidence="", slices=pieces)
    std, parts = by_slice(
        role, weight_of(4, 8), lambda _, kind: float(kind is RoleKind.QUERY)
    )

    assert std == 1.0
    assert [(part.kind, part.factor) for part in parts] == [("value", 0.0)]


def test_a_law_that_the_caller_asks_for_replaces_the_policy_s():
    plan = make_plan(residual_mlp(2), policy="keras", law="normal")

    assert {plan[f"{i}.end.weight"].law for i in range(2)} == {"normal"}
    assert plan["0.end.weight"].std == pytest.approx(sqrt(2 / 32))


def test_a_table_is_not_drawn_orthogonal():
    plan = make_plan(transformer(2), policy="gpt2", law="orthogonal")

    assert plan["table.weight"].law == "normal"
    assert plan["0.self.q.weight"].law == "orthogonal"
    assert plan["0.self.q.weight"].std == 0.02


def test_zero_is_a_constant():
    desk = Desk(residual_mlp(1))
    parameter, _, _ = next(open_weights(desk))

    assert drawn(desk, parameter, 0.0, "Off.").scheme == "zeros"


def test_resizing_carries_gain_and_target_along():
    desk = Desk(residual_mlp(1))
    parameter, _, _ = next(open_weights(desk))
    usual = desk.prescribe(parameter)
    half = resized(usual, 0.5, "Halved.")

    assert half.std == usual.std / 2
    assert half.target == usual.target / 2
    assert half.gain == usual.gain / 2
    assert half.reason.endswith("Halved.")


def test_bounds_and_deviations_are_each_other_s_inverse():
    assert bound_of(std_of(0.7)) == pytest.approx(0.7)
    assert he_std(Fan(n_in=8.0, n_out=1.0), 0.5) == pytest.approx(0.25)
