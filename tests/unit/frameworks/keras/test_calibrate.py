"""Calibration of Keras models, on each backend, and what it leaves alone."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import fanin
from fanin.errors import SignalError
from fanin.frameworks import keras as framework
from fanin.frameworks.keras.arrays import to_numpy
from fanin.graph import Task
from fanin.graph.calibration import Aim

GENERATOR = np.random.default_rng(3)
X = GENERATOR.normal(size=(32, 6)).astype("float32")
CLASSES = GENERATOR.integers(0, 3, 32)


def dense():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(20, activation="tanh", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.3, name="drop"),
            layers.Dense(3, name="last"),
        ],
        name="net",
    )


def size(numbers):
    return float(np.sqrt(np.mean(np.square(numbers.astype(np.float64)))))


def test_a_residual_net_is_what_lsuv_converges_to():
    inputs = keras.Input((6,))
    x = layers.Dense(6, name="stem")(inputs)
    for i in range(3):
        x = x + layers.Dense(6, name=f"b{i}")(
            layers.Dense(12, activation="tanh", name=f"a{i}")(x)
        )
    model = keras.Model(inputs, layers.Dense(3, name="head")(x))
    values = framework.read(model)
    kernels = [path for path in values if path.endswith("kernel")]

    found = framework.calibrate(
        model, Task(batch=X), values, {path: Aim(size=1.0) for path in kernels}
    )

    # LSUV by hand: layer after layer, each output divided by its root mean square.
    held = {path.split("/")[-2]: values[path].astype(np.float64) for path in kernels}
    expected = {}

    def scaled(name, x):
        expected[name] = 1.0 / size(x @ held[name])
        return x @ held[name] * expected[name]

    stream = scaled("stem", X)
    for i in range(3):
        stream = stream + scaled(f"b{i}", np.tanh(scaled(f"a{i}", stream)))
    scaled("head", stream)
    for path in kernels:
        assert found.factors[path] == pytest.approx(
            expected[path.split("/")[-2]], rel=1e-4
        )


def test_a_centred_output_has_its_size_around_its_means():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(5, name="only")])
    values = framework.read(model)
    (path,) = (path for path in values if path.endswith("kernel"))
    batch = X + 3.0

    found = framework.calibrate(
        model, Task(batch=batch), values, {path: Aim(size=0.5, n_centred=5)}
    )

    product = batch @ values[path]
    factor = 0.5 / size(product - product.mean(0))
    assert found.factors[path] == pytest.approx(factor, rel=1e-4)
    np.testing.assert_allclose(
        found.centres[path], factor * product.mean(0), rtol=1e-3, atol=1e-4
    )


def test_a_bias_that_follows_its_weight_counts():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5, name="one"),
            layers.Dense(4, use_bias=False, name="two"),
        ]
    )
    values = framework.read(model)
    names = {path.split("/")[-2] + "/" + path.split("/")[-1]: path for path in values}
    one, bias, two = (names[n] for n in ("one/kernel", "one/bias", "two/kernel"))
    values[bias] = -0.7 * values[one].sum(0)

    found = framework.calibrate(
        model,
        Task(batch=X),
        values,
        {one: Aim(size=1.0, follower=bias), two: Aim(size=1.0)},
    )

    first = X @ values[one] + values[bias]
    assert found.factors[one] == pytest.approx(1.0 / size(first), rel=1e-4)
    second = first / size(first) @ values[two]
    assert found.factors[two] == pytest.approx(1.0 / size(second), rel=1e-4)


def test_an_activation_that_is_silent_is_named():
    model = dense()
    values = framework.read(model)
    values["net/last/kernel"][:] = np.inf

    with pytest.raises(SignalError, match="output of 'net/last/kernel' is not finite"):
        framework.calibrate(
            model, Task(batch=X), values, {"net/last/kernel": Aim(size=1.0)}
        )


def test_moving_means_and_random_states_stay():
    model = dense()
    before = [to_numpy(variable.value) for variable in model.variables]
    aims = {path: Aim(size=2.0) for path in framework.read(model) if "kernel" in path}

    framework.calibrate(model, Task(batch=X), {}, aims)

    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, to_numpy(variable.value))


def test_dropout_is_on_and_the_same_each_time():
    model = dense()
    aims = {"net/last/kernel": Aim(size=2.0)}

    first, second = (
        framework.calibrate(model, Task(batch=X), {}, aims).factors for _ in range(2)
    )
    other = framework.calibrate(model, Task(batch=X, seed=1), {}, aims).factors

    assert first == second
    assert first != other


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_calibrated_to_its_own_rounding(policy):
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(64, activation="relu", dtype=policy, name="first"),
            layers.Dense(64, activation="relu", dtype=policy, name="second"),
            layers.Dense(3, dtype=policy, name="last"),
        ],
        name="net",
    )
    values = framework.read(model)
    aims = {path: Aim(size=1.0) for path in values if path.endswith("kernel")}

    factors = framework.calibrate(model, Task(batch=X), values, aims).factors

    scaled = {path: values[path] * factor for path, factor in factors.items()}
    found = framework.measure(model, Task(batch=X), scaled)
    for node in found.graph.linears:
        # A half type keeps 8 bits (bfloat16) of each number: errors of 2⁻⁹ each.
        moment = found.sites[node.id].second_moment
        assert np.sqrt(moment) == pytest.approx(1.0, rel=5e-3)


def test_the_state_of_an_optimizer_is_untouched():
    model = dense()
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(X, CLASSES, epochs=1, verbose=0)
    before = [to_numpy(variable.value) for variable in model.optimizer.variables]
    kernels = framework.read(model)

    fanin.init(model, X, "cross_entropy", CLASSES, seed=0)

    after = [to_numpy(variable.value) for variable in model.optimizer.variables]
    assert len(before) > 2
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    written = framework.read(model)
    assert not np.array_equal(written["net/last/kernel"], kernels["net/last/kernel"])
    model.fit(X, CLASSES, epochs=1, verbose=0)
