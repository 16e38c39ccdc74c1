"""What independent weights lose over a chain of layers, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.activations import ACTIVATIONS
from fanin.theory import MeanField, jacobian_spread
from fanin.theory.passage import passage


def relu(x):
    return np.maximum(x, 0.0)


def test_he_spreads_singular_values_by_two_a_layer_and_orthogonal_weights_by_one():
    for weights, a_layer in (("gaussian", 2.0), ("orthogonal", 1.0)):
        found = passage(relu, weight_variance=2.0, n_layers=7, weights=weights)
        field = MeanField(function=relu, weight_variance=2.0)

        assert found.spread == pytest.approx(7 * a_layer, rel=1e-12)
        expected = jacobian_spread(field, 1.0, depth=7, weights=weights)
        assert found.spread == pytest.approx(expected, rel=1e-9)


def test_half_of_hes_variance_halves_squared_gradients_and_moments_a_layer():
    found = passage(relu, weight_variance=1.0, n_layers=5)

    assert found.growth == pytest.approx(2.0**-4, rel=1e-12)
    assert found.moment == pytest.approx(2.0**-4, rel=1e-12)
    assert found.drift == pytest.approx(1.0, rel=1e-12)


def test_the_drift_of_gelu_is_the_derivative_of_what_comes_out():
    gelu = ACTIVATIONS["gelu"]
    field = MeanField(function=gelu, weight_variance=2.3)
    h = 1e-5

    up, down = (field.moments_by_layer(1.0 + s, 4)[-1] for s in (h, -h))

    found = passage(gelu, weight_variance=2.3, n_layers=5)
    assert found.drift == pytest.approx(np.log(up / down) / (2 * h), rel=1e-6)


def test_the_growth_of_tanh_is_that_of_schoenholz():
    field = MeanField(function=np.tanh, weight_variance=1.5)

    found = passage(np.tanh, weight_variance=1.5, n_layers=6)

    assert found.growth == pytest.approx(field.gradients_by_layer(1.0, 6)[0], rel=1e-9)


def test_the_share_is_the_participation_ratio_of_drawn_jacobians():
    """(Σs²)²/(n·Σs⁴) of products of wide random layers with ReLU masks."""
    rng = np.random.default_rng(0)
    n, depth, ratios = 400, 3, []
    for _ in range(8):
        jacobian = np.eye(n)
        for _ in range(depth):
            mask = rng.random(n) < 0.5
            layer = rng.normal(size=(n, n)) * np.sqrt(2 / n)
            jacobian = layer @ (mask[:, None] * jacobian)
        squares = np.linalg.svd(jacobian, compute_uv=False) ** 2
        ratios.append(squares.sum() ** 2 / (n * (squares**2).sum()))

    share = passage(relu, weight_variance=2.0, n_layers=depth).share
    error = np.std(ratios, ddof=1) / np.sqrt(len(ratios))
    assert np.mean(ratios) == pytest.approx(share, abs=5 * error + 2 * depth / n)


def test_a_flat_function_passes_nothing():
    found = passage(np.ones_like, weight_variance=1.0, n_layers=2)

    assert found.share == 0.0
    assert found.growth == 0.0
