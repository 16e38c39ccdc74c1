"""Healthy models outside torch: Keras, Flax NNX and Equinox, mostly library code."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from benchmarks.faults.dense import CLASSES, FEATURES, WIDTH
from benchmarks.faults.subject import Base, Layer

os.environ.setdefault("KERAS_BACKEND", "torch")

import jax
import keras
import numpy as np
from flax import nnx

from benchmarks.models import equinox as equinox_models
from benchmarks.models import flax as flax_models

BATCH = 64


def numbers(seed: int, *shape: int) -> np.ndarray:
    """Give standard normal numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def keras_dense(seed: int, *, is_shared: bool = False) -> Any:
    """Build four He layers; shared: all by one initializer object."""
    keras.utils.set_random_seed(seed)
    one = keras.initializers.HeNormal(seed=seed)
    net = keras.Sequential([keras.layers.Input((FEATURES,))], name="net")
    for i in range(4):
        kernel = one if is_shared else "he_normal"
        net.add(
            keras.layers.Dense(
                WIDTH, "relu", kernel_initializer=kernel, name=f"hidden_{i}"
            )
        )
    head = keras.initializers.RandomNormal(stddev=0.5 * WIDTH**-0.5, seed=seed + 1)
    net.add(keras.layers.Dense(CLASSES, kernel_initializer=head, name="head"))
    return net, numbers(seed, BATCH, FEATURES)


def keras_mobilenet(seed: int) -> Any:
    """Build the MobileNet of ``keras.applications``, with logits for outputs."""
    keras.utils.set_random_seed(seed)
    model = keras.applications.MobileNet(
        weights=None,
        input_shape=(32, 32, 3),
        classes=CLASSES,
        alpha=0.25,
        classifier_activation=None,
    )
    return model, numbers(seed, 16, 32, 32, 3)


def flax(name: str, seed: int) -> Any:
    """Build one of the Flax models with a larger batch."""
    model, batch = flax_models.MODELS[name]
    return model(nnx.Rngs(seed)), larger(batch(), seed)


def equinox(name: str, seed: int) -> Any:
    """Build one of the Equinox models with a larger batch."""
    model, batch = equinox_models.MODELS[name]
    return model(jax.random.PRNGKey(seed)), larger(batch(), seed)


def larger(batch: np.ndarray, seed: int) -> np.ndarray:
    """Give a batch of 32 samples like this one."""
    shape = (32, *batch.shape[1:])
    if batch.dtype.kind == "i":
        return np.random.default_rng(seed).integers(0, flax_models.WORDS, shape)
    return numbers(seed, *shape)


def _layer(
    weight: str, bias: str | None, reader: str, activation: str, **more: Any
) -> Layer:
    axes = {"unit_axis": -1, "reader_axis": -2}
    return Layer(
        weight=weight, bias=bias, reader=reader, activation=activation, **(axes | more)
    )


def _flax_blocks(axes: dict[str, int], weight: str) -> tuple[Layer, ...]:
    return tuple(
        _layer(
            f"blocks.{i}.wide.{weight}",
            f"blocks.{i}.wide.bias",
            f"blocks.{i}.narrow.{weight}",
            "gelu",
            in_branch=True,
            **axes,
        )
        for i in range(2)
    )


TORCH_AXES = {"unit_axis": 0, "reader_axis": 1}

BASES: list[Base] = [
    Base(
        name="keras mlp relu 4",
        framework="keras",
        make=keras_dense,
        layers=tuple(
            _layer(
                f"net/hidden_{i}/kernel",
                f"net/hidden_{i}/bias",
                f"net/hidden_{i + 1}/kernel" if i < 3 else "net/head/kernel",
                "relu",
                is_bare=True,
            )
            for i in range(4)
        ),
        head="net/head/kernel",
        head_bias="net/head/bias",
        is_plain=True,
        depth=4,
        first_is_bare=True,
        variants={"shared initializer": partial(keras_dense, is_shared=True)},
    ),
    Base(
        name="keras mobilenet",
        framework="keras",
        make=keras_mobilenet,
        layers=tuple(
            _layer(
                f"conv_pw_{i}/kernel",
                None,
                f"conv_dw_{i + 1}/kernel",
                "relu6",
                norm=(f"conv_pw_{i}_bn/gamma", f"conv_pw_{i}_bn/beta"),
                is_whole=False,
            )
            for i in (1, 4, 7)
        ),
        head="conv_preds/kernel",
        head_bias="conv_preds/bias",
        depth=13,
        reads="images",
    ),
    Base(
        name="flax mlp",
        has_equal_shapes=False,
        framework="flax",
        make=partial(flax, "mlp"),
        layers=(
            _layer("first.kernel", "first.bias", "second.kernel", "relu", is_bare=True),
            _layer("second.kernel", "second.bias", "head.kernel", "gelu", is_bare=True),
        ),
        head="head.kernel",
        head_bias="head.bias",
        classes=3,
        is_plain=True,
        depth=2,
        first_is_bare=True,
    ),
    Base(
        name="flax resnet",
        framework="flax",
        make=partial(flax, "resnet"),
        layers=tuple(
            _layer(
                f"blocks.{i}.first.kernel",
                None,
                f"blocks.{i}.second.kernel",
                "relu",
                norm=(f"blocks.{i}.norms.0.scale", f"blocks.{i}.norms.0.bias"),
                in_branch=True,
            )
            for i in range(3)
        ),
        head="head.kernel",
        head_bias="head.bias",
        classes=3,
        depth=3,
        reads="images",
        first_is_bare=True,
    ),
    Base(
        name="flax gpt",
        framework="flax",
        make=partial(flax, "gpt"),
        layers=_flax_blocks({}, "kernel"),
        head="words.embedding",
        classes=flax_models.WORDS,
        depth=2,
        reads="words",
        per_token=True,
        table="words.embedding",
    ),
    Base(
        name="equinox mlp",
        has_equal_shapes=False,
        framework="equinox",
        make=partial(equinox, "mlp"),
        layers=(
            _layer(
                "first.weight",
                "first.bias",
                "second.weight",
                "relu",
                is_bare=True,
                **TORCH_AXES,
            ),
        ),
        head="head.weight",
        head_bias="head.bias",
        classes=3,
        is_plain=True,
        depth=2,
        first_is_bare=True,
    ),
    Base(
        name="equinox vit",
        framework="equinox",
        make=partial(equinox, "vit"),
        layers=_flax_blocks(TORCH_AXES, "weight"),
        head="head.weight",
        head_bias="head.bias",
        classes=3,
        depth=2,
        reads="images",
        first_is_bare=True,
    ),
]
