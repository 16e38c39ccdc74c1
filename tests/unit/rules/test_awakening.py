"""The exact truth table of the 2-2-1 net: which parameter moves at which step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.rules.awakening import Lock, amplified, awaken, blockers
from fanin.rules.fan101_never_moves import keys_to

PATHS = ["W1", "b1", "w2", "b2"]
X = torch.tensor([[0.3, -1.2], [1.1, 0.7], [-0.4, 0.9], [0.8, -0.5]])
Y = torch.tensor([0.7, -0.2, 1.3, 0.1])

# name → function; what matters of each is φ(0), and which φ′(0) torch takes.
ACTIVATIONS = {
    "relu": torch.relu,  # φ′(0) = 0
    "clamp": lambda z: z.clamp(min=0),  # φ′(0) = 1
    "maximum": lambda z: torch.maximum(z, torch.zeros(())),  # φ′(0) = ½
    "where": lambda z: torch.where(z > 0, z, torch.zeros(())),  # φ′(0) = 0
    "tanh": torch.tanh,
    "elu": torch.nn.functional.elu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
}
LOCKED_RELUS = {"relu", "where"}
NOT_ZERO_AT_ZERO = {"sigmoid", "softplus"}
EVERY = set(ACTIVATIONS)

ZERO, CONST, RANDOM = "zero", "const", "random"
DRAWS = {
    "W1": np.array([[0.31, -0.72], [0.54, 0.23]]),
    "b1": np.array([0.21, 0.43]),  # positive, so that ReLU units are on where W1 = 0
    "w2": np.array([0.61, -0.37]),
    "b2": np.array([0.0]),
}
NEVER = None

# row: (W1, b1, w2), activations, steps of (W1, b1, w2, b2)
TABLE = [
    ("A", (ZERO, ZERO, ZERO), EVERY - NOT_ZERO_AT_ZERO, (NEVER, NEVER, NEVER, 1)),
    ("A", (ZERO, ZERO, ZERO), NOT_ZERO_AT_ZERO, (2, 2, 1, 1)),
    ("B", (ZERO, CONST, ZERO), EVERY, (2, 2, 1, 1)),
    ("C", (ZERO, RANDOM, ZERO), EVERY, (2, 2, 1, 1)),
    ("D", (ZERO, ZERO, RANDOM), LOCKED_RELUS, (NEVER, NEVER, NEVER, 1)),
    (
        "D",
        (ZERO, ZERO, RANDOM),
        EVERY - LOCKED_RELUS - NOT_ZERO_AT_ZERO,
        (1, 1, 2, 1),
    ),
    ("D", (ZERO, ZERO, RANDOM), NOT_ZERO_AT_ZERO, (1, 1, 1, 1)),
    ("E", (RANDOM, ZERO, ZERO), EVERY, (2, 2, 1, 1)),
    ("F", (ZERO, ZERO, CONST), LOCKED_RELUS, (NEVER, NEVER, NEVER, 1)),
    ("F", (ZERO, ZERO, CONST), EVERY - LOCKED_RELUS - NOT_ZERO_AT_ZERO, (1, 1, 2, 1)),
    ("F", (ZERO, ZERO, CONST), NOT_ZERO_AT_ZERO, (1, 1, 1, 1)),
    ("G", (CONST, CONST, CONST), EVERY, (1, 1, 1, 1)),
    ("H", (CONST, ZERO, CONST), EVERY, (1, 1, 1, 1)),
    ("I", (CONST, RANDOM, CONST), EVERY, (1, 1, 1, 1)),
    ("J", (CONST, ZERO, RANDOM), EVERY, (1, 1, 1, 1)),
    ("K", (RANDOM, ZERO, CONST), EVERY, (1, 1, 1, 1)),
    ("L", (CONST, ZERO, ZERO), EVERY, (2, 2, 1, 1)),
]
CASES = [
    pytest.param(start, name, steps, loss, id=f"{row}-{name}-{loss}")
    for row, start, names, steps in TABLE
    for name in sorted(names)
    for loss in ("mse", "bce")
]


def values_of(start):
    kinds = dict(zip(PATHS, (*start, ZERO), strict=True))
    fill = {
        ZERO: lambda d: 0.0 * d,
        CONST: lambda d: 0.0 * d + 0.5,
        RANDOM: lambda d: d,
    }
    return {p: fill[kind](DRAWS[p]).astype(np.float32) for p, kind in kinds.items()}


def gradients_of(activation, loss="mse"):
    def gradients(values):
        tensors = {p: torch.tensor(v, requires_grad=True) for p, v in values.items()}
        hidden = activation(X @ tensors["W1"].T + tensors["b1"])
        output = hidden @ tensors["w2"] + tensors["b2"]
        if loss == "mse":
            value = torch.mean((output - Y) ** 2)
        else:
            target = (Y > 0).float()  # three of four: not balanced
            value = torch.nn.functional.binary_cross_entropy_with_logits(output, target)
        found = torch.autograd.grad(value, list(tensors.values()))
        return {p: g.numpy() for p, g in zip(tensors, found, strict=True)}

    return gradients


@pytest.mark.parametrize(("start", "name", "steps", "loss"), CASES)
def test_the_closure_gives_the_exact_truth_table(start, name, steps, loss):
    found = awaken(gradients_of(ACTIVATIONS[name], loss), values_of(start), PATHS)

    assert tuple(found.rounds.get(path) for path in PATHS) == steps


@pytest.mark.parametrize(("start", "name", "steps", "loss"), CASES)
def test_gradient_descent_agrees_with_the_closure(start, name, steps, loss):
    """Thirty plain steps: what the closure calls stuck has not moved by one bit."""
    gradients, now = gradients_of(ACTIVATIONS[name], loss), values_of(start)
    first_moved = dict.fromkeys(PATHS)
    for step in range(1, 31):
        stepped = {p: now[p] - np.float32(0.1) * g for p, g in gradients(now).items()}
        for path in PATHS:
            if first_moved[path] is None and np.any(stepped[path] != now[path]):
                first_moved[path] = step
        now = stepped

    assert tuple(first_moved.values()) == steps


def test_values_are_left_as_they_were():
    values = values_of((ZERO, ZERO, RANDOM))
    before = {path: value.copy() for path, value in values.items()}
    awaken(gradients_of(torch.tanh), values, PATHS)

    assert all(np.array_equal(before[path], values[path]) for path in PATHS)


def test_a_net_that_moves_at_once_costs_one_gradient():
    calls = []
    inner = gradients_of(torch.tanh)

    def counted(values):
        calls.append(1)
        return inner(values)

    awaken(counted, values_of((RANDOM, ZERO, RANDOM)), PATHS)

    assert len(calls) == 1


def test_a_parameter_without_gradient_is_unreached_and_not_stuck():
    def gradients(values):
        return {"used": values["used"], "unused": None}

    found = awaken(
        gradients, {"used": np.ones(2), "unused": np.zeros(2)}, ["used", "unused"]
    )

    assert found.unreached == ("unused",)
    assert found.stuck == ()


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_deep_sigmoid_net_of_zeros_wakes_from_the_top(depth):
    x = torch.tensor([[0.3, -1.2], [1.1, 0.7], [-0.4, 0.9]])

    def gradients(values):
        tensors = {p: torch.tensor(v, requires_grad=True) for p, v in values.items()}
        h = x
        for layer in range(depth):
            z = h @ tensors[f"W{layer}"].T
            h = torch.sigmoid(z) if layer < depth - 1 else z
        value = torch.mean((h[:, 0] - 0.7) ** 2)
        found = torch.autograd.grad(value, list(tensors.values()))
        return {p: g.numpy() for p, g in zip(tensors, found, strict=True)}

    values = {f"W{layer}": np.zeros((2, 2), np.float32) for layer in range(depth)}
    found = awaken(gradients, values, list(values))

    assert [found.rounds[f"W{layer}"] for layer in range(depth)] == list(
        range(depth, 0, -1)
    )


def test_two_zero_layers_are_named_as_each_others_lock():
    values = values_of((ZERO, ZERO, ZERO))
    lock = blockers(gradients_of(torch.tanh), values, ["W1", "b1", "w2"])

    assert lock.holders["W1"] == ("w2",)
    assert set(lock.holders["w2"]) == {"W1", "b1"}
    assert lock.unexplained == ()


def test_a_dead_layer_is_not_blamed_on_a_zero():
    values = values_of((RANDOM, CONST, RANDOM))
    values["b1"] = np.full(2, -100.0, np.float32)
    gradients = gradients_of(torch.relu)
    stuck = awaken(gradients, values, PATHS).stuck
    lock = blockers(gradients, values, stuck)

    assert stuck == ("W1", "b1", "w2")
    assert lock.unexplained == stuck


def test_a_frozen_zero_can_hold_a_trainable_parameter():
    values = values_of((RANDOM, ZERO, ZERO))
    lock = blockers(gradients_of(torch.relu), values, ["W1"], frozen=["w2", "b1"])

    assert lock.holders["W1"] == ("w2",)


def test_an_underflow_comes_back_at_ordinary_size_and_a_zero_does_not():
    def gradients(values):  # three factors of 1e-20 underflow float32; so do two
        a, b, c = (values[p].ravel()[0] for p in "abc")
        return {
            "a": np.full((1, 2), np.float32(b * c)),
            "b": np.full((1, 2), np.float32(a * c)),
            "c": np.full((1, 2), np.float32(a * b)),
        }

    tiny = {p: np.full((1, 2), 1e-30, np.float32) for p in "abc"}
    dead = {
        **tiny,
        "b": np.zeros((1, 2), np.float32),
        "c": np.zeros((1, 2), np.float32),
    }

    assert awaken(gradients, tiny, list("abc")).stuck == ("a", "b", "c")
    assert np.all(gradients(amplified(tiny))["a"] != 0)
    assert np.all(gradients(amplified(dead))["a"] == 0)


@settings(deadline=None, max_examples=60)
@given(
    kinds=st.lists(st.sampled_from([ZERO, RANDOM]), min_size=2, max_size=6),
    seed=st.integers(0, 1000),
)
def test_a_linear_chain_is_stuck_just_where_two_factors_are_zero(kinds, seed):
    """Loss = Σ of the product: a factor's gradient is the product of the others."""
    values = {
        f"w{i}": np.array([0.0 if kind == ZERO else 0.5 + 0.1 * i])
        for i, kind in enumerate(kinds)
    }

    def gradients(now):
        return {
            path: np.prod([now[other] for other in now if other != path], axis=0)
            for path in now
        }

    found = awaken(gradients, values, list(values), seed=seed)
    n_zero = kinds.count(ZERO)

    assert bool(found.stuck) == (n_zero > 1)
    assert set(found.late.values()) == ({2} if n_zero == 1 else set())


def test_of_two_zeros_that_hold_each_other_the_first_to_run_is_the_key():
    lock = Lock(holders={"A": ("B",), "B": ("A",)}, together=(), unexplained=())

    assert keys_to(lock, ["A", "B"], ["A", "B"]) == ("A",)


def test_the_zero_that_frees_most_is_the_key():
    lock = Lock(
        holders={"a": ("c",), "b": ("c",), "c": ("a",)}, together=(), unexplained=()
    )

    assert keys_to(lock, ["a", "b", "c"], ["a", "b", "c"]) == ("c",)


def test_zeros_that_must_all_be_drawn_are_all_keys():
    lock = Lock(holders={}, together=("a", "b", "c"), unexplained=())

    assert keys_to(lock, ["a", "b", "c"], ["a", "b", "c"]) == ("a", "b", "c")
