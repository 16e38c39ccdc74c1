from __future__ import annotations

from math import log
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from fanin.graph import Task
from fanin.rules.fan501_first_loss_high import find
from fanin.rules.first_loss import first_loss
from fanin.rules.losses import Options, cross_entropy
from fanin.rules.rule import Severity
from fanin.rules.trunk import Trunk


def inspected(outputs, target, loss, value):
    measured = SimpleNamespace(outputs=outputs, loss=value)
    return SimpleNamespace(
        task=Task(loss=loss, target=target),
        measured=measured,
        trunk=Trunk(nodes=()),
        graph=SimpleNamespace(linears=()),
        values={},
    )


def logits(n=40, n_classes=5, size=3.0, seed=0):
    rng = np.random.default_rng(seed)
    return size * rng.standard_normal((n, n_classes)), rng.integers(n_classes, size=n)


WEIGHT = torch.tensor([0.2, 1.0, 3.0, 0.5, 1.5], dtype=torch.float64)
OBJECTS = {
    "plain": torch.nn.CrossEntropyLoss(),
    "smoothed": torch.nn.CrossEntropyLoss(label_smoothing=0.3),
    "weighted": torch.nn.CrossEntropyLoss(weight=WEIGHT),
    "weighted-smoothed": torch.nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.1),
    "passed-over": torch.nn.CrossEntropyLoss(ignore_index=2),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_cross_entropy_is_computed_as_pytorch_does(name):
    outputs, target = logits()
    value = float(OBJECTS[name](torch.tensor(outputs), torch.tensor(target)))
    found = first_loss(inspected(outputs, torch.tensor(target), OBJECTS[name], value))

    assert found.value == pytest.approx(value, rel=1e-12)
    assert not found.is_sum


@pytest.mark.parametrize("name", OBJECTS)
def test_equal_logits_cost_the_logarithm_of_the_classes_under_every_option(name):
    _, target = logits()
    zeros = np.zeros((40, 5))
    value = float(OBJECTS[name](torch.tensor(zeros), torch.tensor(target)))
    found = first_loss(inspected(zeros, target, OBJECTS[name], value))

    assert found.ignorant == pytest.approx(value, rel=1e-12)
    assert name == "weighted-smoothed" or value == pytest.approx(log(5), rel=1e-12)


def test_the_least_that_a_constant_prediction_costs_counts_weights_and_smoothing():
    """The entropy is the minimum over constant logits, found by descent."""
    _, target = logits()
    loss = OBJECTS["weighted-smoothed"]
    constant = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([constant], max_iter=200, tolerance_grad=1e-12)

    def closure():
        descent.zero_grad()
        value = loss(constant.expand(40, 5), torch.tensor(target))
        value.backward()
        return value

    descent.step(closure)
    zeros = np.zeros((40, 5))
    found = first_loss(inspected(zeros, target, loss, log(5)))

    assert found.entropy == pytest.approx(closure().item(), rel=1e-6)


def test_a_weight_of_positives_is_read_off_the_loss():
    outputs, _ = logits(n_classes=1)
    target = (np.random.default_rng(1).random((40, 1)) < 0.2).astype(float)
    loss = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor([4.0]))
    value = float(loss(torch.tensor(outputs), torch.tensor(target)))
    found = first_loss(inspected(outputs, target, loss, value))
    zero = float(loss(torch.zeros(40, 1).double(), torch.tensor(target)))

    assert found.value == pytest.approx(value, rel=1e-12)
    assert found.ignorant == pytest.approx(zero, rel=1e-12)


def test_a_lambda_is_known_by_its_value():
    outputs, target = logits()
    value = float(functional.cross_entropy(torch.tensor(outputs), torch.tensor(target)))

    def anything(y, t):
        return None

    found = first_loss(inspected(outputs, target, anything, value))

    assert found.kind == "cross_entropy"
    assert first_loss(inspected(outputs, target, anything, 1.01 * value)) is None


def test_a_loss_on_the_next_word_is_known_by_its_value():
    rng = np.random.default_rng(0)
    outputs = rng.standard_normal((4, 9, 11))
    words = rng.integers(11, size=(4, 9))
    value = float(
        functional.cross_entropy(
            torch.tensor(outputs[:, :-1].reshape(-1, 11)),
            torch.tensor(words[:, 1:].reshape(-1)),
        )
    )
    found = first_loss(inspected(outputs, words, None, value))

    assert found.value == pytest.approx(value, rel=1e-12)
    assert found.per_sample.size == 4 * 8


def test_labels_that_are_passed_over_do_not_count():
    outputs, target = logits()
    target[:10] = -100
    found = cross_entropy(outputs, target, Options())

    assert found.per_sample.size == 30


@pytest.mark.parametrize("n", [8, 16, 64])
def test_a_sum_over_the_batch_is_noted_and_judged_by_its_mean(n):
    """It doubles with the batch; the mean does not."""
    outputs, target = logits(n=n, size=0.1)
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    value = float(loss(torch.tensor(outputs), torch.tensor(target)))
    findings = list(find(inspected(outputs, target, loss, value)))

    assert value > 0.9 * n * log(5)
    assert [f.severity for f in findings] == [Severity.INFO]
    assert findings[0].value == pytest.approx(value, rel=1e-9)


def test_a_sum_that_is_hot_as_well_is_an_error_too():
    outputs, target = logits(n=64, size=30.0)
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    value = float(loss(torch.tensor(outputs), torch.tensor(target)))
    findings = list(find(inspected(outputs, target, loss, value)))

    assert {f.severity for f in findings} == {Severity.INFO, Severity.ERROR}


@pytest.mark.parametrize("loss", ["smoothed", "integers"])
def test_losses_of_keras_are_judged(loss):
    import keras

    outputs, target = logits()
    outputs = outputs.astype(np.float32)
    if loss == "integers":
        made = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        value = float(made(target, outputs))
    else:
        made = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=0.2
        )
        target = np.eye(5)[target].astype(np.float32)
        value = float(made(target, outputs))
    found = first_loss(inspected(outputs, target, made, value))

    assert found.value == pytest.approx(value, rel=1e-5)
    assert found.ignorant == log(5)


def test_losses_of_optax_are_judged():
    optax = pytest.importorskip("optax")
    outputs, target = logits()
    outputs = outputs.astype(np.float32)

    def loss(y, t):
        return optax.softmax_cross_entropy_with_integer_labels(y, t).mean()

    found = first_loss(inspected(outputs, target, loss, float(loss(outputs, target))))

    assert found.kind == "cross_entropy"
