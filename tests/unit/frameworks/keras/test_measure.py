from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from fanin.errors import NothingToTrainError, UnknownParameterError
from fanin.frameworks import keras as framework
from fanin.frameworks.keras.arrays import to_numpy
from fanin.graph import Op, Task
from fanin.graph.calibration import Aim

GENERATOR = np.random.default_rng(1)
X = GENERATOR.normal(size=(16, 5)).astype("float32")
Y = GENERATOR.normal(size=(16, 3)).astype("float32")
CLASSES = GENERATOR.integers(0, 3, 16)
IMAGES = GENERATOR.normal(size=(4, 8, 8, 3)).astype("float32")


def dense(last=None):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(4, activation="relu"),
            layers.Dense(3, activation=last),
        ],
        name="net",
    )


def by_hand(values):
    """Forward and backward of ``dense`` under the mean squared error, in float64."""
    held = {p.split("/", 1)[1]: v.astype(np.float64) for p, v in values.items()}
    sums = X.astype(np.float64) @ held["dense/kernel"] + held["dense/bias"]
    hidden = np.maximum(sums, 0)
    output = hidden @ held["dense_1/kernel"] + held["dense_1/bias"]
    of_output = 2 * (output - Y) / output.size
    of_hidden = of_output @ held["dense_1/kernel"].T
    return (sums, hidden, output), (of_hidden * (sums > 0), of_hidden, of_output)


def test_statistics_are_those_of_the_values():
    model = dense()
    found = framework.measure(model, Task(batch=X, loss="mse", target=Y))
    values, gradients = by_hand(framework.read(model))

    for node, value, gradient in zip(
        found.graph.nodes[1:], values, gradients, strict=True
    ):
        site = found.sites[node.id]
        assert site.mean == pytest.approx(value.mean(), rel=1e-5, abs=1e-7)
        assert site.second_moment == pytest.approx(np.square(value).mean(), rel=1e-5)
        assert site.between_samples == pytest.approx(value.var(0).mean(), rel=1e-5)
        assert site.unit_means == pytest.approx(value.mean(0), rel=1e-4, abs=1e-6)
        assert site.unit_maxima == pytest.approx(value.max(0), rel=1e-5, abs=1e-6)
        assert site.gradient_second_moment == pytest.approx(
            np.square(gradient).mean(), rel=1e-4
        )


def test_the_batch_is_a_site_without_a_gradient():
    found = framework.measure(dense(), Task(batch=X))

    assert found.sites[0].second_moment == pytest.approx(np.square(X).mean(), rel=1e-5)
    assert found.sites[0].gradient_second_moment is None


def test_loss_outputs_and_batch_size_are_given():
    model = dense()
    found = framework.measure(model, Task(batch=X, loss="mse", target=Y))
    output = by_hand(framework.read(model))[0][-1]

    assert found.loss == pytest.approx(np.square(output - Y).mean(), rel=1e-5)
    assert found.outputs == pytest.approx(output, rel=1e-4, abs=1e-6)
    assert (found.batch_size, found.outputs.dtype) == (16, np.float64)
    assert found.graph.is_measured


def test_without_a_loss_there_is_no_loss():
    assert framework.measure(dense(), Task(batch=X)).loss is None


def test_the_gradients_are_those_of_gradients():
    task = Task(batch=X, loss="cross_entropy", target=CLASSES)
    model = dense()
    expected = framework.gradients(model, task, {})

    found = framework.measure(model, task).gradients
    assert list(found) == list(expected)
    assert all(found[p] == pytest.approx(expected[p], rel=1e-5) for p in expected)


def test_other_values_can_be_measured():
    model = dense()
    zero = {"net/dense/kernel": np.zeros((5, 4))}
    found = framework.measure(model, Task(batch=X), zero)

    assert found.sites[1].second_moment == 0.0
    assert framework.read(model)["net/dense/kernel"].any()


def test_every_node_but_constants_has_statistics():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, padding="same")(inputs)
    x = layers.Dropout(0.2)(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.Add()([x, layers.Conv2D(6, 1)(inputs)])
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    found = framework.measure(model, Task(batch=IMAGES))

    without = [n for n in found.graph.nodes if n.id not in found.sites]
    assert {n.op for n in without} <= {Op.CONSTANT, Op.CONCAT}


PROBABILITIES = {
    "softmax": (
        lambda: dense("softmax"),
        Task(batch=X, loss="cross_entropy", target=CLASSES),
    ),
    "softmax layer": (
        lambda: keras.Sequential([dense(), layers.Softmax()]),
        Task(batch=X, loss="cross_entropy", target=CLASSES),
    ),
    "softmax by hand": (
        lambda: Squashed(ops.softmax),
        Task(batch=X, loss="cross_entropy", target=CLASSES),
    ),
    "sigmoid": (
        lambda: dense("sigmoid"),
        Task(batch=X, loss="binary_cross_entropy", target=np.float32(Y > 0)),
    ),
    "sigmoid by hand": (
        lambda: Squashed(ops.sigmoid),
        Task(batch=X, loss="binary_cross_entropy", target=np.float32(Y > 0)),
    ),
    "log softmax by hand": (
        lambda: Squashed(ops.log_softmax),
        Task(batch=X, loss="cross_entropy", target=CLASSES),
    ),
}


@keras.saving.register_keras_serializable()
class Squashed(keras.Model):
    def __init__(self, squash):
        super().__init__()
        self.inner = dense()
        self.squash = squash
        self.built = True

    def call(self, inputs):
        return self.squash(self.inner(inputs))


@pytest.mark.parametrize("name", PROBABILITIES)
def test_a_cross_entropy_is_not_squashed_twice(name):
    make, task = PROBABILITIES[name]
    plain = framework.measure(dense(), task)

    found = framework.measure(make(), task)
    assert found.loss == pytest.approx(plain.loss, rel=1e-4)


def test_nothing_is_changed():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    before = [to_numpy(v.value) for v in model.variables]
    framework.measure(model, Task(batch=IMAGES))
    framework.calibrate(model, Task(batch=IMAGES), {}, {})

    after = [to_numpy(v.value) for v in model.variables]
    assert all(map(np.array_equal, before, after))


def test_a_frozen_model_is_refused():
    model = dense()
    model.trainable = False

    with pytest.raises(NothingToTrainError):
        framework.measure(model, Task(batch=X))


def calibrated(model, task, values, targets):
    """Give the factors for outputs of these root mean squares."""
    aims = {path: Aim(size=size) for path, size in targets.items()}
    return framework.calibrate(model, task, values, aims).factors


def rms(site):
    return site.second_moment**0.5


def test_calibrated_weights_give_the_wanted_sizes():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,))], name="net")
    for _ in range(4):
        model.add(layers.Dense(16, activation="tanh", bias_initializer="zeros"))
    targets = {p.path: 0.5 + i for i, p in enumerate(framework.parameters(model)[::2])}
    values = framework.read(model)
    factors = calibrated(model, Task(batch=X), values, targets)
    scaled = {p: values[p] * factor for p, factor in factors.items()}
    found = framework.measure(model, Task(batch=X), scaled)

    sizes = [rms(found.sites[node.id]) for node in found.graph.linears]
    assert sizes == pytest.approx(list(targets.values()), rel=1e-4)


def test_a_bias_does_not_count():
    model = dense()
    values = framework.read(model)
    values["net/dense/bias"][:] = 7.0
    factors = calibrated(model, Task(batch=X), values, {"net/dense/kernel": 1.0})

    size = np.square(X @ values["net/dense/kernel"]).mean() ** 0.5
    assert factors == {"net/dense/kernel": pytest.approx(1 / size, rel=1e-5)}


def test_the_uses_of_a_shared_weight_meet_its_target_together():
    inputs = keras.Input((5,))
    shared = layers.Dense(5, use_bias=False)
    model = keras.Model(inputs, shared(shared(inputs)))
    factors = calibrated(model, Task(batch=X), {}, {"dense/kernel": 2.0})

    kernel = framework.read(model)["dense/kernel"] * factors["dense/kernel"]
    squares = [np.square(X @ kernel).mean(), np.square(X @ kernel @ kernel).mean()]
    assert np.mean(squares) ** 0.5 == pytest.approx(2.0, rel=3e-3)


def test_a_dead_weight_keeps_its_size():
    model = dense()
    zero = {"net/dense/kernel": np.zeros((5, 4))}

    targets = {"net/dense/kernel": 1.0, "net/dense_1/bias": 1.0}
    found = calibrated(model, Task(batch=X), zero, targets)
    assert found == {"net/dense/kernel": 1.0, "net/dense_1/bias": 1.0}


def test_a_target_that_is_no_parameter_is_refused():
    with pytest.raises(UnknownParameterError, match="Did you mean 'net/dense/kernel'"):
        calibrated(dense(), Task(batch=X), {}, {"net/dense/kernle": 1.0})


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_convolutions_are_calibrated_too(padding):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(8, 3, padding=padding, activation="relu"),
            layers.DepthwiseConv2D(3, padding=padding),
            layers.Conv2DTranspose(4, 4, strides=2, padding=padding),
        ],
        name="net",
    )
    paths = [p.path for p in framework.parameters(model) if p.path.endswith("kernel")]
    factors = calibrated(model, Task(batch=IMAGES), {}, dict.fromkeys(paths, 1.0))
    scaled = {p: framework.read(model)[p] * factor for p, factor in factors.items()}
    found = framework.measure(model, Task(batch=IMAGES), scaled)

    sizes = [rms(found.sites[node.id]) for node in found.graph.linears]
    assert sizes[:2] == pytest.approx([1.0, 1.0], rel=1e-4)
    # Keras on torch crops a transposed convolution after it has run.
    assert sizes[2] == pytest.approx(1.0, rel=0.25 if padding == "same" else 1e-4)
