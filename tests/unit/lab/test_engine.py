"""Recipes, draws, readings, theory and trials of the lab."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from fanin.errors import ArgumentError, UnknownNameError
from fanin.lab.engine import trial as trial_module
from fanin.lab.engine.draws import Weights, draw_weights, law_of
from fanin.lab.engine.expected import expected
from fanin.lab.engine.plane import plane
from fanin.lab.engine.reading import N_PROBE, read, root_mean_square
from fanin.lab.engine.recipe import NUMBERS, SCHEMES, Recipe
from fanin.lab.engine.seeds import spread
from fanin.lab.engine.tasks import TASKS, task
from fanin.lab.engine.trial import Trial
from fanin.race.cohorts import draw_weights as raced
from fanin.race.expected import expected_start
from fanin.schemes import find_scheme


@pytest.mark.parametrize(
    "form",
    [
        {"activation": "os.system"},
        {"scheme": "normal(std=3)"},
        {"data": "../../etc/passwd"},
        {"optimizer": 3},
        {"model": "pkg.mod:make"},
    ],
    ids=lambda form: next(iter(form)),
)
def test_a_name_that_stands_in_no_table_is_refused(form):
    with pytest.raises(UnknownNameError):
        Recipe.of(form)


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_a_number_outside_its_limits_is_refused(name, end):
    limits = NUMBERS[name]
    edge = getattr(limits, end)
    beyond = edge + (1 if end == "high" else -1)

    assert getattr(Recipe.of({name: edge}), name) == edge
    with pytest.raises(ArgumentError, match=name):
        Recipe.of({name: beyond})


@pytest.mark.parametrize("value", [True, None, "3", 2.5, math.nan, math.inf, [3]])
def test_a_depth_that_is_no_whole_number_is_refused(value):
    with pytest.raises(ArgumentError, match="a whole number from 1 to 60"):
        Recipe.of({"depth": value})


@pytest.mark.parametrize("form", [None, [], "depth", 3])
def test_a_form_that_is_no_object_is_refused(form):
    with pytest.raises(ArgumentError, match="an object of settings"):
        Recipe.of(form)


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_weights_are_the_schemes_own_at_factor_1(name):
    recipe = Recipe(depth=3, width=12, scheme=name, seed=5)
    sizes = recipe.sizes(4, 3)
    wanted = raced(find_scheme(SCHEMES[name]), sizes, seed=5)

    for mine, other in zip(draw_weights(recipe, sizes).matrices, wanted, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("name", sorted(set(SCHEMES) - {"zeros"}))
def test_the_factor_multiplies_the_same_draw(name):
    one = Recipe(depth=2, width=9, scheme=name)
    ten = replace(one, factor=10.0)
    sizes = one.sizes(2, 2)
    a, b = draw_weights(one, sizes), draw_weights(ten, sizes)

    for small, large in zip(a.matrices, b.matrices, strict=True):
        np.testing.assert_allclose(large, 10.0 * small, rtol=1e-6)


def test_pytorchs_default_is_uniform_to_one_over_the_root_of_fan_in():
    law = law_of(Recipe(scheme="pytorch_default"), (7, 100))

    assert law.kind == "uniform"
    assert law.half_width == pytest.approx(0.1, rel=1e-12)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_task_is_standardised_and_has_both_parts(name):
    data = task(name)

    assert abs(data.inputs.mean()) < 1e-5
    assert np.mean(data.inputs.astype(np.float64) ** 2) == pytest.approx(1, abs=1e-5)
    assert set(data.test_targets.tolist()) == set(range(data.n_classes))
    assert len(data.targets) >= N_PROBE


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("scheme", ["he_normal", "glorot_uniform", "orthogonal"])
def test_theory_is_that_of_the_race(scheme, activation):
    recipe = Recipe(depth=6, width=24, scheme=scheme, activation=activation)
    sizes = recipe.sizes(2, 2)

    class Ends:
        rms = np.array([1.3])
        gradient_rms = np.array([0.02])

    mine = expected(recipe, sizes, input_square=1.69, last_gradient=0.02)
    other = expected_start(scheme, activation, sizes, Ends)

    np.testing.assert_allclose(mine.rms[-1], other.rms[-1], rtol=1e-9)
    np.testing.assert_allclose(mine.gradient_rms, other.gradient_rms, rtol=1e-9)


def test_theory_meets_what_is_measured_in_a_wide_net():
    recipe = Recipe(depth=5, width=256, activation="tanh", data="digits", factor=1.5)
    trial = Trial.start(recipe)
    reading = trial.frames[0].reading
    said = expected(
        recipe,
        recipe.sizes(64, 10),
        input_square=root_mean_square(trial.data.inputs[:N_PROBE]) ** 2,
        last_gradient=reading.gradient_rms[-1],
    )

    # Each layer's second moment has a relative deviation of about √(2/256) = 9 %.
    np.testing.assert_allclose(reading.rms[:-1], said.rms[:-1], rtol=0.15)
    np.testing.assert_allclose(reading.gradient_rms, said.gradient_rms, rtol=0.3)


@pytest.mark.parametrize("scheme", ["zeros", "constant", "identity"])
def test_theory_is_silent_where_weights_are_not_random(scheme):
    recipe = Recipe(scheme=scheme)

    assert expected(recipe, (2, 3, 2), input_square=1.0, last_gradient=1.0) is None


def by_hand():
    """A net of one hidden layer whose numbers can be counted."""
    matrices = (
        np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], np.float32),
        np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], np.float32),
    )
    biases = (np.array([0.0, 0.0, -1.0], np.float32), np.zeros(2, np.float32))
    return Weights(matrices=matrices, biases=biases)


def test_a_reading_counts_dead_units_and_flat_entries():
    data = replace(
        task("spirals"),
        inputs=np.array([[2.0, 0.0], [1.0, 0.0]], np.float32),
        targets=np.array([0, 0]),
    )
    reading = read(by_hand(), data, "relu")

    # Unit 1 is open at both samples, units 2 and 3 at none.
    assert reading.dead == pytest.approx((2 / 3,))
    assert reading.flat == pytest.approx((2 / 3,))
    assert reading.accuracy == 1.0
    assert reading.rms[0] == pytest.approx(math.sqrt((4 + 4 + 1 + 1 + 1 + 1) / 6))
    assert reading.between[0] == pytest.approx(math.sqrt((0.25 * 4) / 6))
    wanted = (1 + math.exp(-2.0), 1 + math.exp(-1.0))
    assert reading.loss == pytest.approx(sum(map(math.log, wanted)) / 2)


def test_the_likeness_is_the_mean_cosine_over_all_pairs():
    trial = Trial.start(Recipe(depth=1, width=5))
    run = trial.data.inputs[:N_PROBE].astype(np.float64)
    z = run @ trial.weights.matrices[0].T.astype(np.float64)
    units = z / np.linalg.norm(z, axis=1, keepdims=True)
    pairs = (units @ units.T)[~np.eye(len(z), dtype=bool)]

    found = trial.frames[0].reading.likeness[0]
    assert found == pytest.approx(pairs.mean(), abs=1e-6)


def test_histograms_count_every_entry_that_is_a_number():
    trial = Trial.start(Recipe(depth=2, width=16))
    shown = trial.frames[0].reading.histograms

    assert [sum(c) for c in shown["weights"].counts] == [32, 256, 32]
    assert [sum(c) for c in shown["outputs"].counts] == [2048, 2048, 256]


def test_units_that_start_as_twins_stay_twins():
    trial = Trial.start(Recipe(depth=2, width=6, scheme="constant", factor=0.3))
    for _ in range(20):
        trial.advance()

    first, hidden, last = trial.weights.matrices
    assert np.abs(first - first[0]).max() == 0.0
    assert np.abs(hidden - hidden[0]).max() == 0.0
    assert np.abs(last - last[:, :1]).max() == 0.0
    assert trial.losses[0] != trial.losses[-1]


def test_zeros_move_nothing_but_the_last_bias():
    trial = Trial.start(Recipe(depth=2, width=6, scheme="zeros", activation="relu"))
    for _ in range(5):
        trial.advance()

    assert not any(matrix.any() for matrix in trial.weights.matrices)
    assert [bool(bias.any()) for bias in trial.weights.biases] == [False, False, True]


def test_the_same_recipe_trains_to_the_same_bits():
    def trained():
        trial = Trial.start(Recipe(optimizer="adam", learning_rate=0.01))
        for _ in range(30):
            trial.advance()
        return trial

    a, b = trained(), trained()

    assert a.losses == b.losses
    for mine, other in zip(a.weights.parameters, b.weights.parameters, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_net_learns_what_it_is_given():
    recipe = Recipe(data="circles", depth=2, optimizer="adam", learning_rate=0.01)
    trial = Trial.start(recipe)
    for _ in range(200):
        trial.advance()

    assert trial.look().reading.accuracy > 0.95


def test_frames_are_bounded_and_reach_back_to_the_start(monkeypatch):
    monkeypatch.setattr(trial_module, "MOST_FRAMES", 8)
    trial = Trial.start(Recipe(depth=1, width=4))
    for _ in range(50):
        trial.advance()
        trial.look()
    steps = [frame.step for frame in trial.frames]

    assert len(steps) <= 8
    assert steps[0] == 0
    assert steps[-1] == 50
    assert steps == sorted(set(steps))
    assert trial.frame_at(49).step == max(step for step in steps if step <= 49)


def test_a_trial_whose_loss_is_no_number_is_over():
    recipe = Recipe(depth=10, activation="relu", factor=100.0, learning_rate=10.0)
    trial = Trial.start(recipe)
    for _ in range(5):
        if not trial.is_over:
            trial.advance()

    assert trial.is_over
    assert trial.look().step <= 5


def test_the_spread_holds_the_recipes_own_seed():
    recipe = Recipe(depth=4, width=16)
    trial = Trial.start(recipe)
    found, reading = spread(recipe, trial.data), trial.frames[0].reading

    for low, own, high in zip(found.low, reading.rms, found.high, strict=True):
        assert low <= own <= high
        assert low < high
    sizes = zip(
        found.gradient_low, reading.gradient_rms, found.gradient_high, strict=True
    )
    assert all(low <= own <= high for low, own, high in sizes)


def test_the_plane_is_the_nets_answer_at_the_middle_of_each_cell():
    # Logits (x, −x) give class 1 a share of 1 / (1 + e^(2x)).
    matrix = np.array([[1.0, 0.0], [-1.0, 0.0]], np.float32)
    weights = Weights(matrices=(matrix,), biases=(np.zeros(2, np.float32),))
    shares = plane(weights, "tanh").shares
    x = (np.arange(40) + 0.5) / 40 * 4.8 - 2.4

    np.testing.assert_allclose(shares[0], 1 / (1 + np.exp(2 * x)), rtol=1e-5)
    np.testing.assert_array_equal(shares[0], shares[-1])


def test_a_root_mean_square_neither_overflows_nor_underflows():
    assert root_mean_square(np.full(9, 1e30, np.float32)) == pytest.approx(1e30)
    assert root_mean_square(np.full(9, 1e-35, np.float32)) == pytest.approx(1e-35)
    assert root_mean_square(np.zeros(3)) == 0.0
    assert math.isnan(root_mean_square(np.array([1.0, np.nan])))
