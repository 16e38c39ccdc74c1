"""Each propagation rule against Monte Carlo, tolerance from the sampling error.

A statistic is computed on many independent draws. The prediction must lie within five
standard errors of its mean; a prediction that is 2 % off must not.
"""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.theory.moments import (
    LinearFacts,
    Moments,
    rule_of,
    through_concat,
    through_dropout,
    through_function,
    through_linear,
    through_product,
    through_sum,
)
from fanin.theory.pooling import (
    through_max_pool,
    through_mean_pool,
    through_normalization,
    through_softmax,
)
from fanin.theory.prediction import predict


def relu(x):
    return np.maximum(x, 0.0)


def silu(x):
    return x / (1.0 + np.exp(-x))


def check(samples, predicted):
    """Hold draws of a statistic against its expectation."""
    mean = np.mean(samples)
    error = 5 * np.std(samples, ddof=1) / np.sqrt(len(samples))

    assert abs(mean - predicted) <= error
    assert abs(mean - 1.02 * predicted) > error, "too few draws to tell 2 %"


def squares(arrays):
    return [float(np.mean(a**2)) for a in arrays]


def test_a_linear_layer_multiplies_the_second_moment_by_fan_in_times_variance():
    rng = np.random.default_rng(1)
    x = rng.gamma(2.0, size=64)
    facts = LinearFacts(n_terms=64.0, variance=0.03, n_units=64.0, bias_variance=0.2)
    moments = Moments(mean=x.mean(), second_moment=np.mean(x**2))

    outputs = [
        rng.normal(0, np.sqrt(0.03), (500, 64)) @ x + rng.normal(0, np.sqrt(0.2), 500)
        for _ in range(400)
    ]

    check(squares(outputs), through_linear(moments, facts).second_moment)


def test_a_mean_of_the_weights_adds_what_all_units_share():
    rng = np.random.default_rng(2)
    facts = LinearFacts(
        n_terms=50.0, variance=0.02, n_units=50.0, mean=0.03, bias_mean=0.4
    )
    predicted = through_linear(Moments(mean=0.7, second_moment=1.3), facts)

    def output():
        x = rng.normal(0.7, np.sqrt(1.3 - 0.49), 50)
        return rng.normal(0.03, np.sqrt(0.02), (20, 50)) @ x + 0.4

    outputs = [output() for _ in range(40_000)]

    check(squares(outputs), predicted.second_moment)
    check([o.mean() for o in outputs], predicted.mean)


@pytest.mark.parametrize("function", [relu, np.tanh, silu], ids=lambda f: f.__name__)
@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (0.4, 2.5)])
def test_an_activation_gives_the_moments_of_a_function_of_a_gaussian(
    function, mean, variance
):
    rng = np.random.default_rng(3)
    before = Moments(mean=mean, second_moment=mean**2 + variance)
    predicted = through_function(before, rule_of(before, function))

    values = function(rng.normal(mean, np.sqrt(variance), 2_000_000))

    check(values**2, predicted.second_moment)
    kurtosis = predicted.kurtosis * predicted.second_moment**2
    assert np.mean(values**4) == pytest.approx(
        kurtosis, abs=5 * np.std(values**4) / np.sqrt(values.size)
    )


def test_a_residual_stream_accumulates_the_mean_of_branches_that_end_in_relu():
    rng = np.random.default_rng(4)
    n_blocks, width = 3, 200
    sketch = Sketch()
    stream = sketch.input((8, width))
    for i in range(n_blocks):
        z = sketch.dense(stream, width, path=str(i), has_bias=False)
        stream = sketch.combine(Op.ADD, stream, sketch.apply(z, relu))
    found = predict(
        sketch.graph(stream), {f"{i}.weight": 2 / width for i in range(n_blocks)}
    )

    def output():
        x = rng.normal(size=(width, 16))
        for _ in range(n_blocks):
            w = rng.normal(0, np.sqrt(2 / width), (width, width))
            x = x + relu(w @ x)
        return x

    check(squares(output() for _ in range(1200)), found.moments[stream].second_moment)


def test_the_growth_of_such_a_stream_tends_to_2_904_a_block():
    stream, before = Moments(), 1.0
    for _ in range(60):
        he = LinearFacts(n_terms=1.0, variance=2.0, n_units=1.0)
        z = through_linear(stream, he)
        before = stream.second_moment
        stream = through_sum([stream, through_function(z, rule_of(z, relu))])

    assert stream.second_moment / before == pytest.approx(2.90410514, abs=1e-8)


def test_a_branch_scaled_by_one_over_root_depth_grows_by_less_than_e():
    alone = [Moments(second_moment=1 / 16)]
    stream = Moments()
    for _ in range(16):
        stream = through_sum([stream, through_product([stream, *alone])])

    assert stream.second_moment == pytest.approx(2.637928, abs=1e-6)


def test_independent_factors_multiply_their_second_moments():
    rng = np.random.default_rng(5)
    parts = [
        Moments(mean=0.5, second_moment=2.0),
        Moments(mean=-1.0, second_moment=3.0),
    ]

    a = rng.normal(0.5, np.sqrt(1.75), 3_000_000)
    b = rng.normal(-1.0, np.sqrt(2.0), 3_000_000)

    check((a * b) ** 2, through_product(parts).second_moment)


def test_concatenation_averages_by_size():
    rng = np.random.default_rng(6)
    parts = [Moments(second_moment=4.0), Moments(mean=1.0, second_moment=2.0)]
    a, b = rng.normal(0, 2, (20_000, 3)), rng.normal(1, 1, (20_000, 5))

    joined = np.concatenate([a, b], axis=1)

    check((joined**2).mean(1), through_concat(parts, [3, 5]).second_moment)


def test_dropout_divides_the_second_moment_by_the_kept_share():
    rng = np.random.default_rng(7)
    x = rng.normal(0.3, 1.0, 400_000)
    kept = np.where(rng.random(x.size) < 0.3, 0.0, x / 0.7)

    check(kept**2, through_dropout(Moments(second_moment=1.09), 0.3).second_moment)


@pytest.mark.parametrize("function", [relu, np.tanh], ids=lambda f: f.__name__)
@pytest.mark.parametrize("k", [4, 9])
def test_max_pooling_of_independent_positions(k, function):
    rng = np.random.default_rng(8)

    pooled = function(rng.normal(0, 1.5, (200_000, k))).max(axis=1)
    predicted = through_max_pool(Moments(second_moment=2.25), k, function)

    check(pooled**2, predicted.second_moment)


def test_max_pooling_of_equal_positions_lies_at_the_lower_end():
    predicted = through_max_pool(Moments(), 4, relu)

    assert predicted.second_moment * predicted.low == pytest.approx(0.5)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_mean_pooling_lies_between_independent_and_equal_positions(correlation):
    rng = np.random.default_rng(9)
    common = rng.normal(size=(200_000, 1))
    own = rng.normal(size=(200_000, 4))
    z = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    before = through_function(Moments(), rule_of(Moments(), relu))
    predicted = through_mean_pool(before, 4)

    measured = np.mean(relu(z).mean(axis=1) ** 2)

    low, high = predicted.interval()
    assert low * 0.99 <= measured <= high * 1.01
    assert (correlation > 0) == (measured > 1.05 * predicted.second_moment)


def test_normalization_forgets_the_scale():
    x = np.random.default_rng(10).normal(3.0, 7.0, 1000)
    before = Moments(mean=x.mean(), second_moment=np.mean(x**2))
    normed = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
    rms = x / np.sqrt(np.mean(x**2) + 1e-5)

    layer = through_normalization(before, "layer", 1e-5)
    root = through_normalization(before, "rms", 1e-5)

    assert np.mean(normed**2) == pytest.approx(layer.second_moment, rel=1e-12)
    assert np.mean(rms) == pytest.approx(root.mean, rel=1e-12)
    assert np.mean(rms**2) == pytest.approx(root.second_moment, rel=1e-12)


def test_softmax_over_many_logits():
    rng = np.random.default_rng(11)
    logits = rng.normal(0, 0.5, (2000, 4096))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    check(
        (shares**2).mean(axis=1),
        through_softmax(Moments(second_moment=0.25), 4096).second_moment,
    )


def test_zero_padding_leaves_terms_out():
    rng = np.random.default_rng(12)
    sketch = Sketch()
    share = 1 - (22 / 24) ** 2
    z = sketch.conv(sketch.input((1, 4, 8, 8)), 4, path="c", padding_share=share)
    found = predict(sketch.graph(z), {"c.weight": 1 / 36})

    def output():
        x = np.pad(rng.normal(size=(4, 8, 8)), ((0, 0), (1, 1), (1, 1)))
        w = rng.normal(0, 1 / 6, (4, 4, 3, 3))
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        return np.einsum("ihwkl,oikl->ohw", windows, w)

    assert found.moments[z].second_moment == pytest.approx((22 / 24) ** 2)
    check(squares(output() for _ in range(8000)), found.moments[z].second_moment)


def relu_net(width, depth):
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, width)), width, path="0", has_bias=False)
    for i in range(1, depth):
        z = sketch.dense(sketch.apply(z, relu), width, path=str(i), has_bias=False)
    variances = {f"{i}.weight": (2 if i else 1) / width for i in range(depth)}
    return z, predict(sketch.graph(z), variances)


def draw_relu_net(rng, width, depth):
    x = rng.normal(size=(width, 8))
    z = rng.normal(0, 1 / np.sqrt(width), (width, width)) @ (x / np.sqrt(np.mean(x**2)))
    for _ in range(1, depth):
        z = rng.normal(0, np.sqrt(2 / width), (width, width)) @ relu(z)
    return float(np.mean(z**2))


def test_the_fluctuation_of_a_narrow_relu_net_is_that_of_hanin():
    """Var[ln q] = 9·ln(1 + 5/n) behind ten layers: E[q²] = (1 + 5/n)⁹."""
    z, found = relu_net(40, 10)

    assert found.moments[z].log_variance == pytest.approx(9 * np.log(1 + 5 / 40))


def test_the_interval_covers_the_draws_of_narrow_nets():
    rng = np.random.default_rng(13)
    z, found = relu_net(40, 10)

    draws = np.array([draw_relu_net(rng, 40, 10) for _ in range(2000)])
    low, high = found.interval(z)

    assert found.moments[z].second_moment == pytest.approx(1.0)
    assert np.mean((draws < low) | (draws > high)) < 0.02
    assert np.mean((draws < low**0.5) | (draws > high**0.5)) > 0.05


@pytest.mark.parametrize("function", [relu, np.tanh], ids=lambda f: f.__name__)
def test_the_gradient_of_a_dense_net_backwards(function):
    rng = np.random.default_rng(14)
    width, sketch = 150, Sketch()
    x = sketch.input((8, width))
    z = sketch.dense(x, width, path="0", has_bias=False)
    output = sketch.dense(sketch.apply(z, function), 30, path="1", has_bias=False)
    graph = sketch.graph(output)
    found = predict(graph, {"0.weight": 1.4 / width, "1.weight": 0.8 / width})

    def gradient():
        w0 = rng.normal(0, np.sqrt(1.4 / width), (width, width))
        w1 = rng.normal(0, np.sqrt(0.8 / width), (30, width))
        z = w0 @ rng.normal(size=(width, 50))
        slope = (z > 0) * 1.0 if function is relu else 1 - np.tanh(z) ** 2
        return w0.T @ (slope * (w1.T @ rng.normal(size=(30, 50))))

    check(squares(gradient() for _ in range(800)), found.gradients[x])
