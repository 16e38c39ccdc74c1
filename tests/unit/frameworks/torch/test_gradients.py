"""Gradients at given values, against autograd and against differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from fanin.errors import ArgumentError, BatchError, ModelError, NothingToTrainError
from fanin.frameworks import torch as framework
from fanin.graph import Task


def batch_of(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_gradients_are_those_of_autograd():
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    x, y = batch_of(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    task = Task(batch=x, loss="cross_entropy", target=y)

    found = framework.gradients(net, task, {})

    functional.cross_entropy(net(x), y).backward()
    for path, parameter in net.named_parameters():
        np.testing.assert_allclose(found[path], parameter.grad, rtol=1e-6)


def test_gradients_are_taken_at_the_values_given():
    net = nn.Linear(2, 1, bias=False)
    task = Task(batch=np.array([[1.0, 2.0]]), loss="mse", target=np.array([[0.0]]))

    at_zero = framework.gradients(net, task, {"weight": np.zeros((1, 2))})["weight"]

    assert (at_zero == 0.0).all()


def test_frozen_and_unreached_parameters_have_none():
    net = nn.ModuleDict({"used": nn.Linear(2, 1), "idle": nn.Linear(2, 1)})
    net["used"].bias.requires_grad_(requires_grad=False)
    task = Task(objective=lambda model: model["used"](torch.ones(3, 2)).sum())

    found = framework.gradients(net, task, {})

    assert [path for path, g in found.items() if g is None] == [
        "used.bias",
        "idle.weight",
        "idle.bias",
    ]


def test_a_tied_weight_gets_the_sum_of_both_uses():
    first, second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    second.weight = first.weight
    net = nn.Sequential(first, second)
    task = Task(batch=batch_of(3, 2), loss=lambda output, _: output.sum())

    found = framework.gradients(net, task, {})

    net(batch_of(3, 2)).sum().backward()
    np.testing.assert_allclose(found["0.weight"], first.weight.grad, rtol=1e-6)


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (np.ones((3, 2)), 3.0),
        (torch.ones(3, 2), 3.0),
        ((np.ones((3, 2)),), 3.0),
        ({"input": np.ones((3, 2))}, 3.0),
        (lambda model: model(torch.ones(3, 2)), 3.0),
    ],
    ids=["array", "tensor", "tuple", "dict", "function"],
)
def test_every_kind_of_batch_reaches_the_model(batch, expected):
    net = nn.Linear(2, 1, bias=False)
    task = Task(batch=batch, loss=lambda output, _: output.sum())

    found = framework.gradients(net, task, {})

    assert found["weight"].tolist() == [[expected, expected]]


class Wrapped(nn.Module):
    def __init__(self, wrap) -> None:
        super().__init__()
        self.wrap = wrap
        self.linear = nn.Linear(2, 2, bias=False)

    def forward(self, x: torch.Tensor) -> object:
        return self.wrap(self.linear(x))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y: (torch.tensor([1]), y),
        lambda y: {"hidden": y * 0, "logits": y},
        lambda y: {"past": None, "score": y},
        lambda y: ([y],),
    ],
    ids=["tuple", "logits", "dict", "nested"],
)
def test_the_first_floating_tensor_or_the_logits_are_the_output(wrap):
    net = Wrapped(wrap)
    task = Task(batch=torch.ones(1, 2), loss="mse", target=torch.ones(1, 2))

    found = framework.gradients(net, task, {"linear.weight": np.zeros((2, 2))})

    assert found["linear.weight"].tolist() == [[-1.0, -1.0], [-1.0, -1.0]]


def test_a_target_column_is_not_broadcast_against_a_row():
    net = nn.Linear(2, 1)
    wide = Task(batch=batch_of(4, 2), loss="mse", target=torch.arange(4.0))
    tall = Task(batch=batch_of(4, 2), loss="mse", target=torch.arange(4.0)[:, None])

    found = [framework.gradients(net, task, {})["weight"] for task in (wide, tall)]

    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("shape", [(6, 3), (6, 7, 3)], ids=["rows", "sequence"])
def test_cross_entropy_takes_classes_last_and_one_hot_targets(shape):
    net = nn.Identity()
    task_of = lambda target: Task(  # noqa: E731
        batch=lambda model: model(weights), loss="cross_entropy", target=target
    )
    weights = nn.Parameter(batch_of(*shape))
    net.weights = weights
    classes = torch.arange(6 if len(shape) == 2 else 42).reshape(shape[:-1]) % 3
    one_hot = functional.one_hot(classes, 3)

    run = lambda model: model(model.weights)  # noqa: E731
    found = [
        framework.gradients(net, Task(batch=run, loss="cross_entropy", target=t), {})
        for t in (classes, one_hot)
    ]

    np.testing.assert_allclose(found[0]["weights"], found[1]["weights"], atol=1e-8)
    assert task_of(classes).has_loss


def test_cross_entropy_takes_maps_with_classes_on_axis_one():
    net = nn.Conv2d(2, 5, 1)
    x, y = batch_of(2, 2, 3, 3), torch.zeros(2, 3, 3, dtype=torch.long)

    found = framework.gradients(net, Task(batch=x, loss="cross_entropy", target=y), {})

    functional.cross_entropy(net(x), y).backward()
    np.testing.assert_allclose(found["bias"], net.bias.grad, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"loss": "msee"}, ArgumentError, "mse, cross_entropy"),
        ({"target": None}, BatchError, "needs a target"),
        ({"target": torch.ones(5, 2)}, BatchError, r"\(5, 2\)"),
        ({"batch": np.full((3, 2), np.nan)}, BatchError, r"batch .*6 value"),
        ({"batch": np.ones((3, 4))}, BatchError, r"Linear raised RuntimeError.*3, 4"),
        ({"batch": None}, BatchError, "no batch"),
        ({"loss": lambda o, _: o}, ArgumentError, "one number"),
        ({"batch": (torch.ones(3, 2), 7)}, ModelError, "TypeError"),
    ],
)
def test_what_cannot_be_run_is_refused(changes, error, message):
    fields = {"batch": np.ones((3, 2)), "loss": "mse", "target": np.ones((3, 2))}
    task = Task(**{**fields, **changes})

    with pytest.raises(error, match=message):
        framework.gradients(nn.Linear(2, 2), task, {})


def test_a_class_that_the_output_lacks_is_named():
    task = Task(batch=np.ones((2, 2)), loss="cross_entropy", target=np.array([0, 9]))

    with pytest.raises(BatchError, match="from 0 to 9"):
        framework.gradients(nn.Linear(2, 3), task, {})


def test_a_model_without_trainable_parameters_is_refused():
    net = nn.Linear(2, 2).requires_grad_(requires_grad=False)

    with pytest.raises(NothingToTrainError, match="All 2"):
        framework.gradients(net, Task(batch=np.ones((1, 2))), {})


def test_without_a_loss_the_gradient_is_generic():
    task = Task(batch=batch_of(4, 3))

    found = framework.gradients(nn.Linear(3, 5), task, {})

    assert all((np.abs(g) > 0).all() for g in found.values())
    assert len(np.unique(found["weight"])) == 15


def test_noise_is_the_same_in_every_run():
    net = nn.Sequential(nn.Linear(3, 50), nn.Dropout(0.5), nn.Linear(50, 1))
    task = Task(batch=batch_of(4, 3), seed=5)

    first, second = (framework.gradients(net, task, {}) for _ in range(2))

    np.testing.assert_array_equal(first["0.weight"], second["0.weight"])


def test_a_recurrent_layer_runs_at_the_values_given():
    net = nn.LSTM(2, 3, batch_first=True)
    zeros = {p: np.zeros(tuple(t.shape)) for p, t in net.named_parameters()}
    task = Task(batch=batch_of(4, 5, 2), loss=lambda output, _: output[0].sum())

    found = framework.gradients(net, task, zeros)

    assert (found["weight_hh_l0"] == 0.0).all()
    assert (found["bias_ih_l0"] != 0.0).any()
