"""What two samples and two positions have in common: closed forms and Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.graph.windows import WindowAxis
from fanin.theory.joint import joint_of
from fanin.theory.prediction import predict

CORRELATIONS = np.array([-1.0, -0.5, 0.0, 0.3, 0.9, 0.999, 1.0])


def relu(x):
    return np.maximum(x, 0.0)


def test_relu_follows_the_arc_cosine_kernels():
    """Cho & Saul (2009), degrees 1 and 0."""
    joint = joint_of(relu, mean=0.0, variance=1.0)
    angle = np.arccos(CORRELATIONS)
    first = (np.sin(angle) + (np.pi - angle) * CORRELATIONS) / np.pi

    assert 2 * joint.at(joint.values, CORRELATIONS) == pytest.approx(first, abs=5e-5)
    zeroth = (1 - angle / np.pi)[1:]  # at −1 the series of a jump converges slowly
    slopes = 2 * joint.at(joint.slopes, CORRELATIONS[1:])
    assert slopes == pytest.approx(zeroth, abs=1e-3)


def test_leaky_relu_is_a_mixture_of_relu_and_identity():
    slope, q = 0.2, 1.7
    joint = joint_of(lambda x: np.where(x > 0, x, slope * x), mean=0.0, variance=q)
    angle = np.arccos(CORRELATIONS)
    kernel = (np.sin(angle) + (np.pi - angle) * CORRELATIONS) / np.pi
    closed = q * ((1 - slope) ** 2 * kernel / 2 + slope * CORRELATIONS)

    assert joint.at(joint.values, CORRELATIONS) == pytest.approx(closed, abs=5e-5)


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_pairs_of_any_function_and_mean_against_monte_carlo(mean):
    rng = np.random.default_rng(1)
    joint = joint_of(np.tanh, mean=mean, variance=1.5)
    z = rng.normal(size=(2, 1_000_000))
    u = mean + np.sqrt(1.5) * z[0]
    v = mean + np.sqrt(1.5) * (0.6 * z[0] + 0.8 * z[1])

    for table, product in (
        (joint.values, np.tanh(u) * np.tanh(v)),
        (joint.squares, np.tanh(u) ** 2 * np.tanh(v) ** 2),
        (joint.slopes, (1 - np.tanh(u) ** 2) * (1 - np.tanh(v) ** 2)),
    ):
        error = 5 * product.std() / np.sqrt(product.size)
        predicted = float(joint.at(table, np.array(0.6)))
        assert abs(product.mean() - predicted) <= error
        assert abs(product.mean() - 1.02 * predicted) > error


def test_masks_of_their_own_lower_the_correlation_of_two_samples():
    sketch = Sketch()
    x = sketch.input((8, 64))
    z = sketch.dense(x, 64, path="0")
    y = sketch.noise(z, p=0.3)
    shared = sketch.graph(y)
    found = predict(shared, {"0.weight": 0.5 / 64, "0.bias": 0.5})
    before, after = found.moments[z], found.moments[y]

    rho = before.pairs.between_samples / before.second_moment
    assert rho == pytest.approx(0.5)
    ratio = after.pairs.between_samples / after.second_moment
    assert ratio == pytest.approx(rho * 0.7)


def padded(sketch, n_side, n_units, depth):
    z = sketch.input((2, n_units, n_side, n_side))
    for i in range(depth):
        z = sketch.conv(z, n_units, path=str(i))
        windows = tuple(
            WindowAxis(axis=a, n_in=n_side, n_out=n_side, kernel=3, low=1)
            for a in (2, 3)
        )
        node = sketch.nodes[z]
        details = {**node.details, "windows": windows}
        sketch.nodes[z] = type(node)(**{**vars(node), "details": details})
    return z


def test_zero_padding_is_followed_position_by_position():
    """One layer keeps (22/24)² of an 8×8 map, 4/9 in its corner, 6/9 at its edge."""
    sketch = Sketch()
    z = padded(sketch, 8, 16, 1)
    found = predict(sketch.graph(z), {"0.weight": 1 / 144}).moments[z]
    map_of_q = found.second_moment * found.pairs.profile

    assert found.second_moment == pytest.approx((22 / 24) ** 2)
    assert map_of_q[0, 0] == pytest.approx(4 / 9)
    assert map_of_q[0, 3] == pytest.approx(6 / 9)
    assert map_of_q[3, 3] == pytest.approx(1.0)


def test_deep_padded_nets_lose_what_the_box_kernel_loses():
    """Later maps are not flat: 20 layers keep the mean of box²⁰·1, squared."""
    sketch = Sketch()
    z = padded(sketch, 8, 16, 20)
    variances = {f"{i}.weight": 1 / 144 for i in range(20)}
    found = predict(sketch.graph(z), variances).moments[z]

    box = (np.eye(8) + np.eye(8, k=1) + np.eye(8, k=-1)) / 3
    kept = (np.linalg.matrix_power(box, 20) @ np.ones(8)).mean() ** 2

    assert found.second_moment == pytest.approx(kept)
    assert kept != pytest.approx((22 / 24) ** 40, rel=0.02)


def test_the_mean_over_positions_of_relu_keeps_what_they_share():
    """With no position like another only the mean is left: 1/(2π) + var/k."""
    sketch = Sketch()
    a = sketch.apply(sketch.input((4, 32, 4, 4)), relu)
    y = sketch.reduce(a)
    found = predict(sketch.graph(y), {}).moments[y]
    expected = 1 / (2 * np.pi) + (0.5 - 1 / (2 * np.pi)) / 16

    assert found.second_moment == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_pooling_behind_a_shared_bias_against_monte_carlo(pooling):
    rng = np.random.default_rng(2)
    sketch = Sketch()
    x = sketch.input((4, 40, 2, 2))
    z = sketch.conv(x, 40, path="0", kernel=1, has_bias=True)
    y = sketch.reduce(sketch.apply(z, relu), kind=pooling)
    found = predict(sketch.graph(y), {"0.weight": 0.6 / 40, "0.bias": 0.4})

    z = np.sqrt(0.6) * rng.normal(size=(600_000, 4))
    values = relu(z + np.sqrt(0.4) * rng.normal(size=(600_000, 1)))
    pooled = values.mean(1) if pooling == "mean" else values.max(1)
    error = 5 * np.std(pooled**2) / np.sqrt(len(pooled))

    predicted = found.moments[y].second_moment
    assert abs(np.mean(pooled**2) - predicted) <= error
    assert abs(np.mean(pooled**2) - 1.02 * predicted) > error


def test_layer_norm_takes_the_mean_of_units_and_batch_norm_that_of_the_batch():
    sketch = Sketch()
    a = sketch.apply(sketch.input((1000, 4000)), relu)
    layer = sketch.normalize(a, path="l", kind="layer")
    batch = sketch.normalize(a, path="b", kind="batch")
    found = predict(sketch.graph(layer, batch), {})

    for node in (layer, batch):
        moments = found.moments[node]
        assert moments.second_moment == pytest.approx(1.0, rel=1e-4)
        assert moments.pairs.between_samples == pytest.approx(0.0, abs=2e-3)


def test_few_outputs_of_alike_samples_vary_as_a_chi_square():
    rng = np.random.default_rng(3)
    sketch = Sketch()
    x = sketch.input((4, 200))
    y = sketch.dense(x, 2, path="0", has_bias=False)
    alike = sketch.graph(y)
    found = predict(alike, {"0.weight": 1 / 200})
    batch = rng.normal(size=(4, 200))

    draws = [
        np.mean((batch @ rng.normal(0, 200**-0.5, (200, 2))) ** 2) for _ in range(4000)
    ]
    low, high = found.interval(y)

    assert np.mean((np.array(draws) < low) | (np.array(draws) > high)) < 0.01
    assert high / low < 100


def test_rows_of_a_causal_mask_average_fewer_values_the_earlier_they_are():
    sketch = Sketch()
    x = sketch.input((4, 8, 64))
    heads = {"unit_axis": None, "shape": (4, 8, 8)}
    logits = sketch.add_node(
        Op.CONTRACT, (x, x), details={"subscripts": "abc,adc->abd"}, **heads
    )
    flat = sketch.apply(logits, lambda t: 0.0 * t)
    alpha = sketch.add_node(
        Op.SOFTMAX,
        (flat,),
        details={"axis": 2, "mask": "constant", "n_unmasked": 4.5},
        **heads,
    )
    v = sketch.dense(x, 64, path="v", has_bias=False)
    out = sketch.add_node(
        Op.CONTRACT, (alpha, v), shape=(4, 8, 64), unit_axis=2, details={}
    )
    found = predict(sketch.graph(out), {"v.weight": 1 / 64}).moments[out]
    rows = found.second_moment * found.pairs.profile

    assert rows == pytest.approx(1 / np.arange(1, 9))
