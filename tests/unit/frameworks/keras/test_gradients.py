from __future__ import annotations

import random

import keras
import numpy as np
import pytest
from keras import layers, ops

from fanin.errors import (
    ArgumentError,
    BatchError,
    ModelError,
    NoStorageError,
    NothingToTrainError,
    ShapeError,
    UnknownNameError,
    UnknownParameterError,
)
from fanin.frameworks import keras as framework
from fanin.frameworks.keras.arrays import to_numpy
from fanin.graph import Task

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(6, 5)).astype("float32")
CLASSES = GENERATOR.integers(0, 3, 6)
REAL = GENERATOR.normal(size=(6, 3)).astype("float32")


def dense(activation="tanh", n_out=3, last=None):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(4, activation=activation),
            layers.Dense(n_out, activation=last),
        ],
        name="net",
    )


def noisy():
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dropout(0.5, seed=3),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


IMAGES = GENERATOR.normal(size=(4, 6, 6, 2)).astype("float32")


def numerically(loss_of, value, index, step=1e-2):
    """Central difference of a float32 loss: error of order step² and 1e-7/step."""
    both = []
    for sign in (1, -1):
        moved = value.copy()
        moved[index] += sign * step
        both.append(loss_of(moved))
    return (both[0] - both[1]) / (2 * step)


def entropy(logits, classes):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_shares[np.arange(len(classes)), classes].mean()


def by_hand(values, x):
    hidden = np.tanh(x @ values["net/dense/kernel"] + values["net/dense/bias"])
    return hidden @ values["net/dense_1/kernel"] + values["net/dense_1/bias"]


LOSSES = {
    "mse": (Task(batch=X, loss="mse", target=REAL), lambda o: ((o - REAL) ** 2).mean()),
    "classes": (
        Task(batch=X, loss="cross_entropy", target=CLASSES),
        lambda o: entropy(o, CLASSES),
    ),
    "classes in a column": (
        Task(batch=X, loss="cross_entropy", target=CLASSES[:, None]),
        lambda o: entropy(o, CLASSES),
    ),
    "one-hot": (
        Task(batch=X, loss="cross_entropy", target=np.eye(3)[CLASSES]),
        lambda o: entropy(o, CLASSES),
    ),
    "binary": (
        Task(batch=X, loss="binary_cross_entropy", target=(REAL > 0).astype(float)),
        lambda o: (np.logaddexp(0, o) - o * (REAL > 0)).mean(),
    ),
    "callable": (
        Task(batch=X, loss=lambda o, t: ops.mean(ops.abs(o - t)), target=REAL),
        lambda o: np.abs(o - REAL).mean(),
    ),
    "loss object": (
        Task(batch=X, loss=keras.losses.MeanSquaredLogarithmicError(), target=X[:, :3]),
        lambda o: np.square(
            np.log(np.maximum(X[:, :3], 1e-7) + 1) - np.log(np.maximum(o, 1e-7) + 1)
        ).mean(),
    ),
    "name of Keras": (
        Task(batch=X, loss="mean_absolute_error", target=REAL),
        lambda o: np.abs(o - REAL).mean(),
    ),
    "objective": (
        Task(objective=lambda model: ops.mean(ops.square(model(X)))),
        lambda o: np.square(o).mean(),
    ),
    "callable batch": (
        Task(batch=lambda model: model(X * 1.0), loss="mse", target=REAL),
        lambda o: ((o - REAL) ** 2).mean(),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_the_slope_of_the_loss(name):
    task, loss_of = LOSSES[name]
    values = framework.read(dense())
    found = framework.gradients(dense(), task, values)

    for path in ("net/dense/kernel", "net/dense_1/bias"):
        index = tuple(0 for _ in values[path].shape)
        exact = {p: v.astype(np.float64) for p, v in values.items()}
        slope = numerically(
            lambda moved, path=path, exact=exact: loss_of(
                by_hand({**exact, path: moved}, X.astype(np.float64))
            ),
            exact[path],
            index,
            step=1e-5,
        )
        assert found[path][index] == pytest.approx(slope, rel=1e-3, abs=1e-5)


def test_gradients_are_taken_at_the_values_given():
    model = dense()
    zero = {p: np.zeros_like(v) for p, v in framework.read(model).items()}
    found = framework.gradients(model, Task(batch=X, loss="mse", target=REAL), zero)

    assert not found["net/dense/kernel"].any()
    assert found["net/dense_1/bias"] == pytest.approx(-2 * REAL.mean(0) / 3, rel=1e-5)


def test_without_a_loss_a_projection_wakes_every_parameter():
    found = framework.gradients(dense(), Task(batch=X), {})

    assert all(np.abs(g).min() > 0 for g in found.values())


def test_a_compiled_loss_is_used_with_its_regularization():
    model = dense()
    model.layers[0].kernel_regularizer = None
    model.compile(loss="mse", optimizer="sgd")
    task = Task(batch=X, target=REAL)
    plain = framework.gradients(model, Task(batch=X, loss="mse", target=REAL), {})

    found = framework.gradients(model, task, {})
    assert all(found[p] == pytest.approx(plain[p], rel=1e-5) for p in plain)


def test_a_regularizer_adds_its_gradient_to_the_compiled_loss():
    keras.utils.set_random_seed(0)
    layer = layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.5))
    model = keras.Sequential([keras.Input((5,)), layer], name="net")
    model.compile(loss="mse", optimizer="sgd")
    with_it = framework.gradients(model, Task(batch=X, target=REAL), {})
    without = framework.gradients(model, Task(batch=X, loss="mse", target=REAL), {})

    kernel = framework.read(model)["net/dense/kernel"]
    difference = with_it["net/dense/kernel"] - without["net/dense/kernel"]
    assert difference == pytest.approx(kernel, rel=1e-4, abs=1e-6)


def test_what_is_not_reached_has_no_gradient():
    inputs = keras.Input((5,))
    hidden = layers.Dense(4, name="used")(inputs)
    model = keras.Model(inputs, [hidden, layers.Dense(2, name="aside")(inputs)])

    found = framework.gradients(model, Task(batch=X, loss="mse", target=X[:, :4]), {})
    assert found["aside/kernel"] is None
    assert found["used/kernel"] is not None


def test_a_frozen_layer_has_no_gradient():
    model = dense()
    model.layers[0].trainable = False

    found = framework.gradients(model, Task(batch=X), {})
    assert [g is None for g in found.values()] == [True, True, False, False]


def test_noise_is_the_same_in_every_run_and_moves_with_the_seed():
    model = noisy()

    def kernel(seed):
        found = framework.gradients(model, Task(batch=IMAGES, seed=seed), {})
        return found["sequential/dense/kernel"]

    assert np.array_equal(kernel(0), kernel(0))
    assert not np.array_equal(kernel(0), kernel(1))


def state_of(model):
    state = [to_numpy(v.value) for v in model.variables]
    state += [to_numpy(v.value) for v in model.optimizer.variables]
    return state


def test_nothing_in_the_model_or_outside_it_is_changed():
    model = noisy()
    model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    model.fit(IMAGES, np.zeros((4, 3)), epochs=1, verbose=0)
    before, random_before = state_of(model), random.getstate()
    numpy_before = np.random.get_state()[1].copy()  # noqa: NPY002
    framework.gradients(model, Task(batch=IMAGES, target=np.zeros((4, 3))), {})

    assert all(map(np.array_equal, before, state_of(model)))
    assert random.getstate() == random_before
    assert np.array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


def test_the_global_generators_go_on_as_if_nothing_had_run():
    def drawn(between):
        keras.utils.set_random_seed(5)
        between()
        return to_numpy(keras.random.normal((3,)))

    model = noisy()
    ran = drawn(lambda: framework.gradients(model, Task(batch=IMAGES), {}))
    assert np.array_equal(ran, drawn(lambda: None))


BAD = {
    "missing batch": (Task(), BatchError, "There is no batch"),
    "NaN": (Task(batch=X * np.nan), BatchError, "NaN or infinity"),
    "width": (Task(batch=X[:, :3]), BatchError, r"\(6, 3\).*\('batch', 5\)"),
    "target shape": (
        Task(batch=X, loss="mse", target=REAL[:, :2]),
        BatchError,
        r"shape \(6, 2\).*needs \(6, 3\)",
    ),
    "class out of range": (
        Task(batch=X, loss="cross_entropy", target=CLASSES + 1),
        BatchError,
        "class 3.*3 classes, 0 to 2",
    ),
    "no target": (Task(batch=X, loss="mse"), BatchError, "needs a target"),
    "loss name": (
        Task(batch=X, loss="croos_entropy", target=CLASSES),
        UnknownNameError,
        "Did you mean 'cross_entropy'",
    ),
    "vector loss": (
        Task(batch=X, loss=lambda o, t: o - t, target=REAL),
        ArgumentError,
        "one number",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_error(name):
    task, error, message = BAD[name]

    with pytest.raises(error, match=message):
        framework.gradients(dense(), task, {})


def test_a_model_that_raises_is_named_and_its_error_is_the_cause():
    class Broken(keras.Model):
        def call(self, inputs):
            raise KeyError("lost")

    model = Broken(name="broken")
    model.layer = layers.Dense(2)
    model.layer.build((None, 5))
    model.built = True

    with pytest.raises(ModelError, match="'broken' raised KeyError") as caught:
        framework.gradients(model, Task(batch=X), {})
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_wrapped_torch_module_is_refused(backend):
    if backend != "torch":  # Keras wraps torch modules on this backend alone
        return
    import torch

    wrapped = keras.layers.TorchModuleWrapper(torch.nn.Linear(5, 3), name="wrapped")
    model = keras.Sequential([keras.Input((5,)), wrapped])

    with pytest.raises(ModelError, match="'wrapped' wraps a torch module"):
        framework.gradients(model, Task(batch=X), {})


def test_an_unbuilt_model_is_refused():
    model = keras.Sequential([layers.Dense(3)], name="late")

    with pytest.raises(NoStorageError, match="'late' is not built"):
        framework.gradients(model, Task(batch=X), {})


def test_a_wholly_frozen_model_is_refused():
    model = dense()
    model.trainable = False

    with pytest.raises(NothingToTrainError, match="All 4 parameters"):
        framework.gradients(model, Task(batch=X), {})


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"net/dense/kernel": np.zeros((2, 2))}, ShapeError),
        ({"net/dens/kernel": np.zeros((5, 4))}, UnknownParameterError),
    ],
    ids=["shape", "path"],
)
def test_values_that_do_not_fit_are_refused(values, error):
    with pytest.raises(error, match="net/den"):
        framework.gradients(dense(), Task(batch=X), values)


def two_inputs():
    left, right = keras.Input((5,), name="left"), keras.Input((5,), name="right")
    joined = layers.Concatenate()([left, right])
    return keras.Model({"left": left, "right": right}, layers.Dense(2)(joined))


def test_a_dict_batch_is_the_input_of_a_model_declared_with_one():
    found = framework.gradients(two_inputs(), Task(batch={"left": X, "right": X}), {})

    assert all(g.any() for g in found.values())


def test_a_tuple_batch_fills_a_list_of_inputs():
    left, right = keras.Input((5,)), keras.Input((5,))
    model = keras.Model([left, right], layers.Dense(2)(layers.Add()([left, right])))

    found = framework.gradients(model, Task(batch=(X, X)), {})
    assert all(g.any() for g in found.values())
