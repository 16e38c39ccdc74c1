from __future__ import annotations

import random

import keras
import numpy as np
import pytest
from keras import layers

import fanin
from fanin.errors import NoStorageError, ShapeError, UnknownParameterError
from fanin.frameworks import keras as framework
from fanin.frameworks.keras.arrays import to_numpy


def small():
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )


def constant(value, shape):
    return lambda indices: np.full(shape, value)


class SameNames(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(2, name="twin")
        self.second = layers.Dense(2, name="twin")

    def call(self, inputs):
        return self.second(self.first(inputs))


def test_a_keras_model_and_a_layer_are_owned_and_nothing_else_is():
    owned = [framework.owns(m) for m in (small(), layers.Dense(2), np.ones(2), "x")]

    assert owned == [True, True, False, False]


def test_moving_means_and_generator_states_are_no_parameters():
    paths = [p.path for p in framework.parameters(small())]

    assert paths == [
        "sequential/conv2d/kernel",
        "sequential/conv2d/bias",
        "sequential/batch_normalization/gamma",
        "sequential/batch_normalization/beta",
        "sequential/dense/kernel",
        "sequential/dense/bias",
    ]


def test_moving_means_are_buffers():
    held = framework.buffers(small())

    assert {path: array.tolist() for path, array in held.items()} == {
        "sequential/batch_normalization/moving_mean": [0.0] * 4,
        "sequential/batch_normalization/moving_variance": [1.0] * 4,
    }


def test_a_model_built_twice_has_one_set_of_paths():
    twice = [[p.path for p in framework.parameters(small())] for _ in range(2)]

    assert twice[0] == twice[1]


def test_a_name_that_the_author_gave_is_kept():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2, name="gate_17")])

    assert framework.parameters(model)[0].path.endswith("/gate_17/kernel")


def test_variables_of_one_name_are_told_apart():
    model = SameNames()
    model(np.ones((1, 2), "float32"))

    assert [p.path for p in framework.parameters(model)] == [
        "same_names/twin/kernel",
        "same_names/twin/bias",
        "same_names/twin/kernel#2",
        "same_names/twin/bias#2",
    ]


def test_a_shared_layer_is_listed_once():
    inputs = keras.Input((3,))
    shared = layers.Dense(3)
    model = keras.Model(inputs, shared(shared(inputs)))

    assert [p.shape for p in framework.parameters(model)] == [(3, 3), (3,)]


def test_a_frozen_layer_keeps_its_parameters_and_says_so():
    model = small()
    model.layers[0].trainable = False
    model.layers[1].trainable = False

    trainable = [p.is_trainable for p in framework.parameters(model)]
    assert trainable == [False, False, False, False, True, True]


def test_an_owner_is_the_class_of_the_layer():
    owners = [p.owner for p in framework.parameters(small())]

    assert owners[::2] == ["Conv2D", "BatchNormalization", "Dense"]


def test_read_gives_copies():
    model = small()
    framework.read(model)["sequential/dense/bias"][:] = 7.0

    assert np.all(framework.read(model)["sequential/dense/bias"] == 0.0)


def test_written_numbers_are_read_back():
    model = small()
    written = framework.write(model, {"sequential/dense/bias": constant(0.5, (3,))})

    assert written is model
    assert framework.read(model)["sequential/dense/bias"].tolist() == [0.5] * 3


def test_write_takes_the_path_that_keras_prints():
    model = small()
    bias = model.layers[-1].bias
    framework.write(model, {bias.path: constant(2.0, (3,))})

    assert to_numpy(bias.value).tolist() == [2.0] * 3


def test_bfloat16_parameters_are_read_and_written():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2, dtype="bfloat16")])
    path = framework.parameters(model)[0].path
    framework.write(model, {path: constant(1.5, (2, 2))})

    assert framework.parameters(model)[0].dtype == "bfloat16"
    assert framework.read(model)[path].astype(float).tolist() == [[1.5, 1.5]] * 2


@pytest.mark.parametrize(
    ("path", "shape", "error"),
    [
        ("sequential/dense/kernel", (2, 2), ShapeError),
        ("sequential/dense/kernle", (16, 3), UnknownParameterError),
        ("sequential/batch_normalization/moving_mean", (4,), UnknownParameterError),
    ],
    ids=["shape", "unknown", "buffer"],
)
def test_a_wrong_draw_leaves_the_model_as_it_was(path, shape, error):
    model = small()
    before = framework.read(model)
    draws = {"sequential/dense/bias": constant(9.0, (3,)), path: constant(1.0, shape)}
    with pytest.raises(error, match=path):
        framework.write(model, draws)

    after = framework.read(model)
    assert all(np.array_equal(before[p], after[p]) for p in before)


def test_write_leaves_buffers_and_generators_alone():
    model = small()
    before = [to_numpy(v.value) for v in model.non_trainable_variables]
    framework.write(model, {"sequential/dense/bias": constant(9.0, (3,))})

    after = [to_numpy(v.value) for v in model.non_trainable_variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_model_that_is_not_built_is_listed_as_lazy():
    model = keras.Sequential([layers.Dense(3)])

    assert [p.storage for p in framework.parameters(model)] == ["lazy"]


@pytest.mark.parametrize("verb", [framework.read, framework.buffers])
def test_a_model_that_is_not_built_cannot_be_read(verb):
    model = keras.Sequential([layers.Dense(3)], name="late")

    with pytest.raises(NoStorageError, match=r"'late' is not built.*Call it once"):
        verb(model)


def test_set_random_seed_governs_the_seed():
    def taken():
        keras.utils.set_random_seed(3)
        return framework.seed(None)

    first, second = taken(), taken()
    assert first == second
    assert 0 <= first < 1 << 63


def test_two_seeds_in_a_row_differ():
    keras.utils.set_random_seed(3)

    assert framework.seed(None) != framework.seed(None)


def test_another_seed_gives_another_seed():
    keras.utils.set_random_seed(3)
    first = framework.seed(None)
    keras.utils.set_random_seed(4)

    assert framework.seed(None) != first


def test_layers_that_share_an_unseeded_initializer_are_named():
    initializer = keras.initializers.HeNormal()
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(4, kernel_initializer=initializer),
            layers.Dense(4, kernel_initializer=initializer),
            layers.Dense(4, kernel_initializer="he_normal"),
        ]
    )

    paths = list(framework.shared_initializers(model).values())
    assert paths == [["sequential/dense/kernel", "sequential/dense_1/kernel"]]


def test_two_initializers_with_one_seed_count_as_shared():
    model = keras.Sequential([keras.Input((4,))])
    for _ in range(2):
        one = keras.initializers.GlorotUniform(seed=7)
        model.add(layers.Dense(4, kernel_initializer=one))

    first, _, second, _ = framework.parameters(model)
    assert first.initializer == second.initializer == "GlorotUniform(seed=7)"


def test_a_seed_generator_never_draws_the_same_twice():
    generator = keras.random.SeedGenerator(5)
    initializer = keras.initializers.HeNormal(seed=generator)
    model = keras.Sequential([keras.Input((4,))])
    for _ in range(2):
        model.add(layers.Dense(4, kernel_initializer=initializer))

    assert framework.shared_initializers(model) == {}


def test_listing_takes_nothing_from_the_global_random_state():
    model = small()
    state = random.getstate()
    framework.parameters(model)
    framework.read(model)

    assert random.getstate() == state


def test_what_is_held_is_verified_against_the_plan():
    model = keras.Sequential(
        [
            keras.layers.Input((16,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(8, dtype="bfloat16"),
        ]
    )
    plan = fanin.init(model, scheme="he_normal", seed=0)
    whole = fanin.verify(model, plan, sample=None)
    kernel = model.layers[0].kernel
    kernel.assign(kernel * 2)
    found = fanin.verify(model, plan).different

    assert whole
    assert whole.n_looked == plan.n_parameters
    assert [each.reason for each in found] == ["the plan's numbers times 2"]
