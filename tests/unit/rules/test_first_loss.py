from __future__ import annotations

from math import e, log
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from fanin.graph import Task
from fanin.rules.fan501_first_loss_high import _severity
from fanin.rules.first_loss import first_loss
from fanin.rules.losses import FirstLoss, class_axis
from fanin.rules.noise import generic
from fanin.rules.rule import Severity


def looked_at(outputs, target, loss, value=None):
    outputs = np.asarray(outputs, dtype=np.float64)
    if value is None:
        function = {
            "cross_entropy": functional.cross_entropy,
            "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
            "mse": functional.mse_loss,
        }[loss]
        value = float(function(torch.tensor(outputs), torch.as_tensor(target)))
    task = Task(loss=loss, target=target)
    measured = SimpleNamespace(outputs=outputs, loss=value)
    return first_loss(SimpleNamespace(task=task, measured=measured))


def labels(n, n_classes, shape=()):
    numbers = generic("labels", (n, *shape), 0)
    return (np.abs(numbers * 1e4) % n_classes).astype(np.int64)


@pytest.mark.parametrize("shape", [(), (7,), (3, 4)])
def test_cross_entropy_agrees_with_torch_in_every_layout(shape):
    outputs = 3.0 * generic("logits", (32, 5, *shape), 0)
    target = labels(32, 5, shape)
    found = looked_at(outputs, target, "cross_entropy")
    expected = float(
        functional.cross_entropy(torch.tensor(outputs), torch.tensor(target))
    )

    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.n_classes == 5


def test_probability_targets_are_understood():
    outputs = generic("logits", (32, 5), 0)
    target = np.full((32, 5), 0.2)
    found = looked_at(outputs, target, "cross_entropy")

    assert found.entropy == pytest.approx(log(5))


def test_binary_cross_entropy_agrees_with_torch():
    outputs = 30.0 * generic("logits", (64, 1), 0)
    target = labels(64, 2)[:, None].astype(np.float64)
    found = looked_at(outputs, target, "binary_cross_entropy")

    assert found.ignorant == log(2)


def test_squared_error_is_judged_by_the_variance_of_the_targets():
    target = 5.0 + 2.0 * generic("y", (64, 1), 0)
    found = looked_at(np.zeros((64, 1)), target, "mse")

    assert found.ignorant == pytest.approx(float(np.var(target)))
    assert found.value == pytest.approx(float(np.mean(target**2)))


def test_a_loss_that_disagrees_is_not_judged():
    outputs, target = generic("logits", (32, 5), 0), labels(32, 5)

    assert looked_at(outputs, target, "cross_entropy", value=99.0) is None


def test_a_loss_of_another_kind_is_not_judged():
    assert looked_at(np.zeros((4, 2)), labels(4, 2), "hinge", value=1.0) is None


def test_labels_outside_the_classes_are_not_judged():
    found = looked_at(np.zeros((4, 2)), np.full(4, -100), "cross_entropy", value=0.7)

    assert found is None


def test_the_classes_lie_on_the_axis_that_the_target_lacks():
    assert class_axis((8, 7, 5), np.zeros((8, 7))) == 2
    assert class_axis((8, 5, 7), np.zeros((8, 7))) == 1
    assert class_axis((8, 5), np.zeros((8, 1))) == 1
    assert class_axis((8, 5), np.zeros((9,))) is None


def with_excess(excess, n=64, n_classes=10):
    value = log(n_classes) + excess
    return FirstLoss(
        kind="cross_entropy",
        per_sample=np.full(n, value),
        n_classes=n_classes,
        shares=np.full(n_classes, 1 / n_classes),
        ignorant=log(n_classes),
        output_std=1.0,
    )


@pytest.mark.parametrize(
    ("excess", "severity"),
    [
        (0.0, None),
        (0.49, None),
        (0.51, Severity.WARNING),
        (log(10) + 0.49, Severity.WARNING),
        (log(10) + 0.51, Severity.ERROR),
    ],
)
def test_half_a_nat_above_ignorance_is_a_warning_and_twice_it_an_error(
    excess, severity
):
    assert _severity(with_excess(excess)) is severity


def test_independent_logits_of_size_s_add_half_its_square():
    """The rule's half a nat is where s²/2 with s = 1 lies."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((4000, 1000))
    lost = functional.cross_entropy(
        torch.tensor(logits), torch.tensor(rng.integers(1000, size=4000))
    )

    assert float(lost) - log(1000) == pytest.approx(0.5, abs=5 * 1.0 / 4000**0.5)


def test_softmax_twice_cannot_fall_below_the_limit_that_is_named():
    outputs = torch.eye(10, dtype=torch.float64)
    least = float(functional.cross_entropy(outputs, torch.arange(10)))

    assert least == pytest.approx(log(1 + 9 / e))


def test_probabilities_that_the_loss_reads_as_such_are_told_from_logits():
    shares = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    target = np.array([0, 1])
    read = float(-np.log(shares[[0, 1], target]).mean())

    assert looked_at(shares, target, "cross_entropy", read).reads_shares
    assert not looked_at(shares, target, "cross_entropy").reads_shares


def test_a_sigmoid_that_the_loss_reads_as_such_is_told_from_logits():
    shares = np.array([[0.9], [0.4], [0.2]])
    target = np.array([[1.0], [0.0], [1.0]])
    read = float(-np.log(np.where(target == 1.0, shares, 1.0 - shares)).mean())

    assert looked_at(shares, target, "binary_cross_entropy", read).reads_shares
    assert not looked_at(shares, target, "binary_cross_entropy").reads_shares
