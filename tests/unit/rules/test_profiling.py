"""The profile holds what was measured, and theory's numbers beside it."""

from __future__ import annotations

from dataclasses import replace
from math import gcd, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

import fanin
from fanin.api.task import find_framework, make_task
from fanin.rules import inspect, judge
from fanin.rules.expected_sizes import evenly, with_shared_functions
from fanin.rules.profile import N_BINS, Profile
from fanin.rules.profiling import histogram, profile_of

HE = sqrt(2.0)
N_SAMPLES, WIDTH, DEPTH = 512, 256, 4


def net(activation=nn.ReLU, *, gain=HE, depth=DEPTH):
    generator = torch.Generator().manual_seed(3)
    layers = []
    for _ in range(depth):
        linear = nn.Linear(WIDTH, WIDTH, bias=False)
        with torch.no_grad():
            linear.weight.normal_(0.0, gain / sqrt(WIDTH), generator=generator)
        layers += [linear, activation()]
    head = nn.Linear(WIDTH, 3)
    with torch.no_grad():
        head.weight.normal_(0.0, 1.0 / sqrt(WIDTH), generator=generator)
        head.bias.zero_()
    return nn.Sequential(*layers, head)


def batch():
    generator = torch.Generator().manual_seed(5)
    return torch.randn(N_SAMPLES, WIDTH, generator=generator)


def profile(model, *, closure=True):
    labels = torch.arange(N_SAMPLES) % 3
    task = make_task(batch(), "cross_entropy", labels, None, 0)
    framework = find_framework(model)
    inspection = inspect(framework, model, task)
    report = judge(inspection)
    seen = inspection if closure else replace(inspection, closure=False)
    return profile_of(seen, report.findings)


@pytest.fixture(scope="module")
def he():
    return profile(net())


def rows_of(found):
    return {row.name: row for row in found.rows}


def test_sizes_are_those_of_the_layers_outputs(he):
    model, x = net(), batch()
    with torch.no_grad():
        outputs = model[:3](x).double().numpy()
    row = rows_of(he)["2"]

    assert row.forward == pytest.approx(sqrt((outputs**2).mean()), rel=1e-3)
    between = sqrt(outputs.var(axis=0).mean())
    assert row.between == pytest.approx(between, rel=1e-3)
    assert row.input_share == pytest.approx((between / row.forward) ** 2, rel=5e-3)


def test_gradients_are_those_of_the_objective(he):
    model, x = net(), batch()
    hidden = model[:5](x).detach().requires_grad_()
    nn.functional.cross_entropy(
        model[5:](hidden), torch.arange(N_SAMPLES) % 3
    ).backward()

    wanted = sqrt(float((hidden.grad.double() ** 2).mean()))
    assert rows_of(he)["4"].gradient == pytest.approx(wanted, rel=1e-3)


def test_theory_lies_within_its_interval_of_what_was_measured(he):
    known = [row for row in he.trunk if row.kind == "dense"]
    inside = [r.predicted_low <= r.forward <= r.predicted_high for r in known]

    assert len(known) == DEPTH + 1
    assert all(inside)


def test_weights_of_another_scale_lie_outside_the_interval_of_these(he):
    # He's gain 2 % too small in each of four layers: 0.98⁴ = 0.92 behind the last.
    other = rows_of(profile(net(gain=0.98 * HE, depth=DEPTH)))
    last = str(2 * (DEPTH - 1))

    assert other[last].forward / rows_of(he)[last].forward == pytest.approx(
        0.98**DEPTH, rel=1e-2
    )
    assert other[last].predicted / rows_of(he)[last].predicted == pytest.approx(
        0.98**DEPTH, rel=1e-2
    )


def test_theory_follows_gradients_back_from_the_output(he):
    row = rows_of(he)["0"]

    # One draw: each of five layers of 256 and 3 units scatters the gradient.
    assert row.predicted_gradient == pytest.approx(row.gradient, rel=0.3)


def test_a_quick_check_leaves_theory_out():
    found = profile(net(depth=1), closure=False)

    assert all(row.predicted is None for row in found.rows)
    assert all(row.forward is not None for row in found.rows)


def test_rows_stand_in_order_of_running(he):
    names = [row.name for row in he.rows if row.kind != "input"]

    assert names == [str(i) for i in range(2 * DEPTH + 1)]


def test_units_that_are_always_off_are_counted_and_marked():
    model = net(depth=2)
    model[2] = nn.Linear(WIDTH, WIDTH)
    with torch.no_grad():
        model[2].bias[::4] = -1e3
        model[2].bias[1::4] = 1e3
    row = rows_of(profile(model))["2"]

    assert row.dead == pytest.approx(0.25, abs=0.02)
    assert row.units[:4] == "0+0+"  # every second unit of 256 is shown
    assert len(row.units) == 128


def test_saturated_layers_say_how_much_of_them_is_flat():
    rows = rows_of(profile(net(nn.Tanh, gain=50.0, depth=2)))

    assert rows["2"].saturated > 0.9
    assert rows["2"].dead is None
    assert not rows["2"].units


def test_equal_units_are_grouped_as_they_are():
    model = net(depth=1)
    with torch.no_grad():
        model[0].weight[1::2] = model[0].weight[0]
        model[2].weight[:, 1::2] = model[2].weight[:, :1]
        model[0].weight[0::2] = model[0].weight[0]
        model[2].weight[:, 0::2] = model[2].weight[:, :1]
    (twins,) = profile(model).twins

    assert (twins.size, twins.n_different) == (WIDTH, 1)
    assert set(twins.labels) == {0}


def test_weights_say_their_size_and_when_they_move(he):
    first = he.weights[0]

    assert (first.path, first.shape) == ("0.weight", (WIDTH, WIDTH))
    # 5σ/√(2n) of the 4096 entries that were looked at.
    assert first.std * sqrt(first.n_in) == pytest.approx(
        sqrt(2.0), rel=5 / sqrt(2 * 4096)
    )
    assert first.step == 1


def test_a_zero_head_wakes_what_stands_before_it_at_the_second_step():
    model = net(depth=1)
    nn.init.zeros_(model[2].weight)
    steps = {weight.path: weight.step for weight in profile(model).weights}

    assert steps == {"0.weight": 2, "2.weight": 1}


def test_what_could_not_be_run_has_no_profile():
    model = net(depth=1)
    with torch.no_grad():
        model[0].weight[0, 0] = float("nan")

    assert profile(model) is None


def test_a_profile_survives_json(he):
    assert Profile.from_data(he.to_data()) == he


def test_a_profile_does_not_run_the_model_again():
    model = net(depth=1)
    task = make_task(batch(), "cross_entropy", torch.arange(N_SAMPLES) % 3, None, 0)
    inspection = inspect(find_framework(model), model, task)
    report = judge(inspection)
    runs = []
    for layer in model:
        layer.register_forward_hook(lambda *_: runs.append(1))

    profile_of(inspection, report.findings)
    assert runs == []


def test_a_check_carries_its_profile():
    model = net(depth=1)
    report = fanin.check(model, batch(), "cross_entropy", torch.arange(N_SAMPLES) % 3)

    assert [row.kind for row in report.profile.trunk] == [
        "input",
        "dense",
        "elementwise",
        "dense",
    ]


FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(values=arrays(np.float64, st.integers(0, 40), elements=FLOATS))
def test_a_histogram_counts_every_finite_number_once(values):
    found, n_finite = histogram(values), int(np.isfinite(values).sum())

    if found is None:
        # Too few, or so small that even four digits of them are 0.
        assert n_finite == 0 or np.nanmax(np.abs(values)) < 1e-300
    else:
        assert len(found.counts) == N_BINS
        assert sum(found.counts) == n_finite


def test_a_histogram_of_a_mirrored_sample_is_mirrored():
    values = np.linspace(-3.0, 3.0, 1001)
    counts = histogram(values).counts

    assert max(abs(a - b) for a, b in zip(counts, counts[::-1], strict=True)) <= 1


@given(rows=st.integers(1, 60), columns=st.integers(1, 60), most=st.integers(1, 400))
def test_evenly_spaced_entries_meet_every_column(rows, columns, most):
    values = np.broadcast_to(np.arange(columns, dtype=float), (rows, columns))
    found = evenly(values, most)
    step = max(1, -(-rows * columns // most))

    assert len(found) <= most
    if len(found) >= 2 * columns and gcd(step, columns) == 1:
        assert set(found) == set(range(columns))


def test_theory_is_silent_on_gradients_that_a_zero_head_has_not_yet_sent():
    model = net(depth=1)
    nn.init.zeros_(model[2].weight)
    row = rows_of(profile(model))["0"]

    assert row.gradient > 0.0
    assert row.predicted_gradient is None


def test_activations_of_equal_values_share_one_function():
    model = nn.Sequential(*net(depth=2), nn.Tanh(), nn.Linear(3, 3), nn.Tanh())
    task = make_task(batch(), None, None, None, 0)
    graph = with_shared_functions(inspect(find_framework(model), model, task).graph)
    functions = [id(n.function) for n in graph.nodes if n.op == "elementwise"]

    assert len(functions) == 4
    assert len(set(functions)) == 2


class Called(nn.Module):
    """A network whose activation is a function that its forward method calls."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.first, self.last = nn.Linear(WIDTH, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.function(self.first(x)))


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (torch.relu, "relu after first"),
        (lambda z: torch.tanh(z) ** 3 + 1.0, "activation after first"),
    ],
    ids=["relu", "another"],
)
def test_a_function_without_a_path_is_named_after_the_layer_before_it(function, name):
    names = [row.name for row in profile(Called(function)).rows]

    assert names == ["input", "first", name, "last"]
