"""Theory beside the measured start: as close as chance allows."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.frameworks.torch.ensemble import train
from fanin.race.cohorts import cohort_of
from fanin.race.data import load
from fanin.race.expected import expected_start
from fanin.race.experiment import Experiment

WIDE = Experiment(
    schemes=("glorot_normal",), activations=("tanh",), seeds=tuple(range(8)),
    learning_rates=(0.1,), depth=5, width=400, n_steps=1,
)  # fmt: skip


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("scheme", ["glorot_normal", "he_normal", "normal(std=0.01)"])
def test_the_measured_start_agrees_with_theory_layer_by_layer(scheme, activation):
    trials = WIDE.trials(scheme, activation)
    starts = [r.start for r in train(cohort_of(WIDE, trials, load("digits")))]
    sizes = WIDE.sizes(64, 10)
    expected = expected_start(scheme, activation, sizes, starts[0])

    # Second moments of a ReLU net of L layers of n units vary by about √(5L/n) from
    # draw to draw (Hanin & Rolnick 2018), the mean of 8 draws √8 times less; three
    # of these, for a logarithm of the root.
    tolerance = 3 * np.sqrt(5 * 5 / 400 / 8) / 2 + 0.03
    rms = np.mean([s.rms for s in starts], axis=0)[1:-1]
    gradient = np.mean([s.gradient_rms for s in starts], axis=0)[:-1]
    assert np.log(rms / expected.rms[1:-1]) == pytest.approx(0, abs=tolerance)
    scale = np.log(gradient / expected.gradient_rms[:-1])
    assert scale == pytest.approx(0, abs=tolerance + 0.1)


def test_weights_that_are_not_random_have_no_theory_line():
    trials = WIDE.trials("zeros", "tanh")[:1]
    (one,) = train(cohort_of(WIDE, trials, load("digits")))

    assert expected_start("zeros", "tanh", WIDE.sizes(64, 10), one.start) is None
