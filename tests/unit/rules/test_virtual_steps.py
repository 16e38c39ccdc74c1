from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.rules.equal_units import classes, could_be_chance, repeated, spread
from fanin.rules.noise import generic, nudged, step_size
from fanin.rules.virtual_steps import virtual_steps

X = torch.tensor([[0.3, -1.2], [1.1, 0.7], [-0.4, 0.9], [0.8, -0.5]])


def gradients(values):
    tensors = {p: torch.tensor(v, requires_grad=True) for p, v in values.items()}
    output = torch.tanh(X @ tensors["W1"].T) @ tensors["w2"]
    value = torch.mean((output - torch.tensor([0.7, -0.2, 1.3, 0.1])) ** 2)
    found = torch.autograd.grad(value, list(tensors.values()))
    return {p: g.numpy() for p, g in zip(tensors, found, strict=True)}


def test_twins_stay_twins_and_move():
    values = {"W1": np.full((4, 2), 0.5), "w2": np.full(4, 0.5)}
    values = {p: v.astype(np.float32) for p, v in values.items()}
    after = virtual_steps(gradients, values, ["W1", "w2"])

    assert np.all(after["W1"] != values["W1"])
    assert spread(after["W1"], np.arange(4)) < 1e-6


def test_units_that_differ_in_an_outgoing_weight_part():
    values = {"W1": np.full((4, 2), 0.5), "w2": np.array([0.5, 0.4, 0.3, 0.2])}
    values = {p: v.astype(np.float32) for p, v in values.items()}
    after = virtual_steps(gradients, values, ["W1", "w2"])

    assert spread(after["W1"], np.arange(4)) > 1e-2


def test_frozen_parameters_do_not_move():
    values = {"W1": np.full((4, 2), 0.5), "w2": np.full(4, 0.5)}
    values = {p: v.astype(np.float32) for p, v in values.items()}
    after = virtual_steps(gradients, values, ["w2"])

    assert np.array_equal(after["W1"], values["W1"])


def test_a_step_is_a_tenth_of_the_tensor_whatever_the_gradients_size():
    def tiny(values):
        return {"a": 1e-12 * values["a"]}

    after = virtual_steps(tiny, {"a": np.array([3.0, -4.0])}, ["a"], n_steps=1)

    np.testing.assert_allclose(after["a"], [2.7, -3.6])


def test_two_columns_of_random_numbers_cannot_be_equal_by_chance():
    drawn = generic("w", (100, 2), 0)

    assert not could_be_chance(drawn, "float32")


def test_one_bfloat16_number_a_unit_can_be_equal_by_chance():
    drawn = generic("w", (100, 1), 0)

    assert could_be_chance(drawn, "bfloat16")


def test_units_that_were_never_drawn_are_not_equal_by_chance():
    assert not could_be_chance(np.ones((100, 1)), "bfloat16")


@settings(deadline=None, max_examples=50)
@given(
    n_units=st.integers(2, 12),
    copies=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=6),
)
def test_equal_rows_are_found_and_no_others(n_units, copies):
    table = generic("rows", (n_units, 3), 1)
    for source, target in copies:
        table[target % n_units] = table[source % n_units]
    labels = classes(table)
    same = [[bool(np.array_equal(a, b)) for b in table] for a in table]

    assert (labels[:, None] == labels[None, :]).tolist() == same
    assert sum(map(len, repeated(labels))) == sum(sum(row) > 1 for row in same)


def test_generic_numbers_are_equal_no_more_often_than_chance_makes_them():
    numbers = np.concatenate([generic(p, (200, 50), 0).ravel() for p in "abc"])

    # Of n numbers of 31 bits, n²/2³² pairs are equal in the mean: a Poisson count.
    expected = numbers.size**2 / 2**32
    n_equal = numbers.size - len(np.unique(np.abs(numbers)))
    assert n_equal <= expected + 5 * max(expected, 1) ** 0.5


def test_generic_numbers_have_no_mean():
    numbers = generic("w", (1000, 100), 3)

    assert abs(numbers.mean()) < 5 * numbers.std() / np.sqrt(numbers.size)


def test_only_masked_coordinates_are_nudged():
    mask = np.array([[True, False], [False, True]])
    moved = nudged({"w": np.zeros((2, 2))}, {"w": mask}, 0)["w"]

    assert np.array_equal(moved != 0, mask)


def test_a_tensor_is_nudged_by_a_share_of_its_size():
    assert step_size(np.array([-10.0, 10.0])) == 0.5
