"""The ignorant predictor: its bias and its loss, from the target alone."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from fanin.errors import ArgumentError
from fanin.prescription import Evidence
from fanin.prescription.evidence import describe_target


def entropy(shares):
    return float(-(shares * np.log(shares)).sum())


def test_even_classes_need_no_bias():
    target = np.random.default_rng(0).integers(0, 10, 1000)

    found = describe_target(Evidence(loss="cross_entropy", target=target), 10)

    assert found.bias == ()
    assert found.loss == pytest.approx(log(10))


def test_rare_classes_get_their_log_frequency():
    target = np.repeat([0, 1, 2], [900, 90, 10])
    found = describe_target(Evidence(loss="cross_entropy", target=target), 3)
    shares = np.exp(found.bias) / np.exp(found.bias).sum()

    assert shares == pytest.approx([0.9, 0.09, 0.01], abs=1e-3)
    assert sum(found.bias) == pytest.approx(0.0, abs=1e-12)
    assert found.loss == pytest.approx(entropy(shares))


def test_one_hot_rows_say_the_same_as_labels():
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    one_hot = np.eye(3)[labels]

    found = [
        describe_target(Evidence(loss="cross_entropy", target=t), 3)
        for t in (labels, one_hot)
    ]

    assert found[0] == found[1]


def test_a_class_that_is_not_there_has_a_finite_bias():
    target = np.repeat([0, 1], [500, 500])

    found = describe_target(Evidence(loss="cross_entropy", target=target), 3)

    assert np.isfinite(found.bias).all()


def test_a_class_beyond_the_outputs_is_refused():
    with pytest.raises(ArgumentError, match="a class from 0 to 9"):
        describe_target(Evidence(loss="cross_entropy", target=np.array([3, 10])), 10)


def test_a_rare_positive_class_gets_its_log_odds():
    target = np.repeat([0.0, 1.0], [990, 10])[:, None]

    found = describe_target(Evidence(loss="binary_cross_entropy", target=target), 1)

    assert found.bias[0] == pytest.approx(log(10 / 990), abs=0.06)
    assert found.loss == pytest.approx(entropy(np.array([0.01, 0.99])), rel=0.05)


def test_a_regression_starts_at_the_mean_with_the_variance_as_its_loss():
    target = np.random.default_rng(1).normal([5.0, -2.0], [1.0, 3.0], (500, 2))

    found = describe_target(Evidence(loss="mse", target=target), 2)

    assert found.bias == pytest.approx(target.mean(axis=0))
    assert found.loss == pytest.approx(target.var(axis=0).mean())
    assert found.spread == pytest.approx(np.sqrt(target.var(axis=0).mean()))


def test_a_centred_regression_needs_no_bias():
    target = np.resize([1.0, -1.0], 100)

    assert describe_target(Evidence(loss="mse", target=target), 1).bias == ()


def test_without_a_target_cross_entropy_starts_at_ln_k():
    found = describe_target(Evidence(loss="cross_entropy"), 7)

    assert (found.bias, found.loss) == ((), pytest.approx(log(7)))


def test_without_a_loss_nothing_is_known():
    assert describe_target(Evidence(target=np.arange(3)), 3).loss is None
