"""muP's exponents follow from its demands; plans have those exponents."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.widening.multipliers import multipliers, rates

NARROW, WIDE = 16, 64
FACTOR = st.floats(0.05, 20.0)


def relu(x):
    return np.maximum(x, 0.0)


def net(width, *, factor=1.0, before=1.0):
    """An input layer, a hidden layer and a head, with biases and one number each."""
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((8, 10)), width, path="in"), relu)
    z = sketch.apply(sketch.dense(z, width, path="hidden"), relu)
    z = sketch.apply(z, lambda x: before * x)
    z = sketch.dense(z, 4, path="out")
    return sketch.graph(sketch.apply(z, lambda x: factor * x))


def plan_of(model, base=None, policy="mup"):
    return make_plan(model, policy=policy, base=base, law="normal")


def exponents(numbers, wide_numbers):
    """Give the powers of the width that two widths' numbers differ by."""
    ratio = log(WIDE / NARROW)
    return {k: log(wide_numbers[k] / numbers[k]) / ratio for k in numbers}


def demands():
    """Write the three demands down in powers of the width n.

    σ ~ n^(−b) and η ~ n^(−c) for the input layer, the hidden one and the head, and one
    hidden bias (its c alone). Sums of n terms grow as √n if the terms are independent
    and as n if they are in line. All activations and changes are to be of size n⁰.
    """
    b1, b2, b3 = sympy.symbols("b1:4")
    half = sympy.Rational(1, 2)
    start = [-b1, half - b2]  # of the two activations, independent sums
    # The hidden layer's change lies along the head's rows, as its gradient does: the
    # head sums n terms in line, and the change is to reach the output.
    reaching = [1 - b3]
    return start, reaching, (b1, b2, b3)


def solved(optimizer):
    start, reaching, (b1, b2, b3) = demands()
    c1, c2, c3, c_bias = sympy.symbols("c1 c2 c3 c_bias")
    half = sympy.Rational(1, 2)
    # Gradients: of the upper activation a row of the head, of the lower one an
    # independent sum of n of those times hidden weights.
    upper, lower = -b3, half - b2 - b3
    is_sgd = optimizer == "sgd"
    steps = [
        -c1 + (lower if is_sgd else 0),  # finite fan-in: one entry's step
        1 - c2 + (upper if is_sgd else 0),  # n steps in line with n inputs
        1 - c3,
        -c_bias + (upper if is_sgd else 0),
    ]
    unknown = (b1, b2, b3, c1, c2, c3, c_bias)
    (found,) = sympy.solve([*start, *reaching, *steps], unknown, dict=True)
    names = ("in.weight", "hidden.weight", "out.weight", "hidden.bias")
    stds = dict(zip(names[:3], (-found[b] for b in (b1, b2, b3)), strict=True))
    learning = dict(zip(names, (-found[c] for c in (c1, c2, c3, c_bias)), strict=True))
    return stds, learning


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_plans_exponents_are_those_that_the_demands_have_as_their_only_solution(
    optimizer,
):
    narrow = plan_of(net(NARROW))
    wide = plan_of(net(WIDE), base=net(NARROW))
    stds, learning = solved(optimizer)

    found = exponents(
        {path: narrow[path].std for path in stds},
        {path: wide[path].std for path in stds},
    )
    assert found == pytest.approx({path: float(e) for path, e in stds.items()})
    rate = exponents(multipliers(narrow, optimizer), multipliers(wide, optimizer))
    for path, exponent in learning.items():
        assert rate[path] == pytest.approx(float(exponent)), path


def test_the_demands_give_the_table_of_the_paper():
    # Yang et al. 2022, Table 3: variances 1, 1/n, 1/n²; SGD n, 1, 1/n; Adam 1, 1/n, 1/n
    stds, by_sgd = solved("sgd")
    _, by_adam = solved("adam")

    assert [2 * e for e in stds.values()] == [0, -1, -2]
    assert list(by_sgd.values()) == [1, 0, -1, 1]
    assert list(by_adam.values()) == [0, -1, -1, 0]


@settings(deadline=None, max_examples=20)
@given(here=FACTOR, there=FACTOR, before=FACTOR)
def test_a_number_in_the_model_moves_between_the_weight_and_its_rates(
    here, there, before
):
    base, model = net(NARROW, factor=there), net(WIDE, factor=here, before=before)
    plain = plan_of(net(WIDE), base=net(NARROW))["out.weight"]

    scaled = plan_of(model, base=base)["out.weight"]

    # φ·W is the weight that counts: W → W/φ, Adam's rate /φ, SGD's /φ² (Yang & Hu 2021)
    phi = here * before / there
    narrow = plan_of(base)["out.weight"]
    assert scaled.std * phi == pytest.approx(narrow.std * NARROW / WIDE)
    assert scaled.learning_rate * phi == pytest.approx(plain.learning_rate)
    assert scaled.learning_rate_sgd * phi**2 == pytest.approx(plain.learning_rate_sgd)


def test_a_plan_without_a_base_is_autos_and_trains_all_alike():
    own, auto = plan_of(net(WIDE)), plan_of(net(WIDE), policy="auto")

    stds = {p.path: p.std for p in own.prescriptions}
    assert stds == {p.path: pytest.approx(p.std) for p in auto.prescriptions}
    assert set(multipliers(own).values()) == {1.0}


def test_a_width_in_place_of_a_base_gives_what_a_base_of_that_width_gives():
    by_width = plan_of(net(WIDE), policy=f"mup(width={NARROW})")
    by_base = plan_of(net(WIDE), base=net(NARROW))

    for p in by_base.prescriptions:
        other = by_width[p.path]
        assert other.std == pytest.approx(p.std)
        assert other.learning_rate == pytest.approx(p.learning_rate)
        assert other.learning_rate_sgd == pytest.approx(p.learning_rate_sgd)


def test_a_head_that_starts_at_zero_is_filled_and_keeps_its_rate():
    plan = plan_of(net(WIDE), base=net(NARROW), policy="mup(head=zero)")

    assert plan["out.weight"].law == "constant"
    assert plan["out.weight"].value == 0.0
    assert plan["out.weight"].learning_rate == NARROW / WIDE


def test_an_option_that_is_no_word_of_the_policy_is_refused():
    with pytest.raises(ArgumentError, match="normal, zero"):
        plan_of(net(WIDE), policy="mup(head=one)")
    with pytest.raises(ArgumentError, match="width"):
        plan_of(net(WIDE), policy="mup(width=wide)")
    with pytest.raises(ArgumentError, match="width"):
        plan_of(net(WIDE), policy="mup(width=0)")


def test_decay_takes_one_share_of_a_weight_a_step_at_every_width():
    plan = plan_of(net(WIDE), base=net(NARROW))

    decoupled = rates(plan, lr=0.01, optimizer="adamw", weight_decay=0.1)
    for rate in decoupled.values():  # W ← W − η·λ·W
        assert rate.learning_rate * rate.weight_decay == pytest.approx(0.001)
    coupled = rates(plan, lr=0.01, optimizer="sgd", weight_decay=0.1)
    for rate in coupled.values():  # W ← W − η·(g + λ·W)
        assert rate.learning_rate * rate.weight_decay == pytest.approx(0.001)


def test_multipliers_survive_being_saved():
    plan = plan_of(net(WIDE), base=net(NARROW))

    read = type(plan).from_json(plan.to_json())

    for optimizer in ("adam", "sgd"):
        assert read.multipliers(optimizer) == plan.multipliers(optimizer)


@settings(deadline=None, max_examples=30)
@given(n_in=st.integers(8, 200), n_out=st.integers(8, 200), seed=st.integers(0, 2**32))
def test_a_spectral_weight_has_the_norm_that_its_source_asks_for(n_in, n_out, seed):
    sketch = Sketch()
    z = sketch.dense(sketch.input((4, n_in)), n_out, path="w", has_bias=False)
    graph = sketch.graph(sketch.apply(z, np.square))
    plan = make_plan(graph, policy="spectral(gain=1)", law="normal", seed=seed)

    norm = np.linalg.norm(plan.draws()["w.weight"](None), 2)

    # σ·(√n + √m) is √(m/n) times 1 to 2 (Yang, Simon, Bernstein 2023, eq. 4); the norm
    # deviates by σ a few times at most (Davidson & Szarek 2001, theorem II.13)
    m, n = n_out, n_in
    sigma = min(1.0, sqrt(m / n)) / sqrt(n)
    assert plan["w.weight"].std == pytest.approx(sigma)
    assert abs(norm - sigma * (sqrt(n) + sqrt(m))) <= 6 * sigma
    assert 0.9 - 6 / sqrt(n * m) <= norm / sqrt(m / n) <= 2.0 + 6 * sigma / sqrt(m / n)


def test_spectral_rates_are_the_published_ones_or_over_the_base():
    absolute = plan_of(net(WIDE), policy="spectral")
    relative = plan_of(net(WIDE), base=net(NARROW), policy="spectral")

    assert absolute.multipliers("sgd")["in.weight"] == WIDE / 10
    assert absolute.multipliers("sgd")["out.weight"] == 4 / WIDE
    assert absolute.multipliers("adam")["hidden.weight"] == 1 / WIDE
    mup = plan_of(net(WIDE), base=net(NARROW))
    assert relative.multipliers("sgd") == mup.multipliers("sgd")
    assert relative.multipliers("adam") == mup.multipliers("adam")
