"""DeepCrime's weight mutants that Humbatova et al. (EMSE 2025) kept, in Keras 3.

The architectures and the numbers are theirs; the data are of the same shapes, drawn.
"""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

from benchmarks.cases.case import Case, Checked, codes

SOURCE = "https://github.com/dlfaults/dnn-auto-fl-empirical-assesment"


def checked(
    layers: list[keras.Layer], shape: tuple[int, ...], n_classes: int
) -> Checked:
    """Build the layers, a head of softmax, and data of this shape in [0, 1]."""
    keras.utils.set_random_seed(0)
    head = keras.layers.Dense(n_classes, "softmax")
    model = keras.Sequential([keras.layers.Input(shape), *layers, head])
    source = np.random.default_rng(0)
    batch = source.uniform(0.0, 1.0, (64, *shape)).astype(np.float32)
    target = source.integers(n_classes, size=64)
    return Checked(model=model, batch=batch, loss="cross_entropy", target=target)


def mnist(first: str) -> Checked:
    """Build the MNIST net of two convolutions; first: the initializer of layer 0."""
    lay = keras.layers
    layers = [
        lay.Conv2D(32, 3, activation="relu", kernel_initializer=first),
        lay.Conv2D(64, 3, activation="relu"),
        lay.MaxPooling2D(2),
        lay.Dropout(0.25),
        lay.Flatten(),
        lay.Dense(128, "relu"),
        lay.Dropout(0.5),
    ]
    return checked(layers, (14, 14, 1), 10)


def cifar(third: str) -> Checked:
    """Build the CIFAR-10 net; third: the initializer of layer 2, a convolution."""
    lay = keras.layers
    layers = [
        lay.Conv2D(32, 3, padding="same", activation="relu"),
        lay.Conv2D(32, 3, activation="relu"),
        lay.Conv2D(64, 3, activation="relu", kernel_initializer=third),
        lay.MaxPooling2D(2),
        lay.Flatten(),
        lay.Dense(256, "relu"),
        lay.Dropout(0.5),
    ]
    return checked(layers, (16, 16, 3), 10)


def reuters(first: str) -> Checked:
    """Build the Reuters net on a bag of 1000 words; first: of layer 0."""
    lay = keras.layers
    dense = lay.Dense(512, "relu", kernel_initializer=first)
    case = checked([dense, lay.Dropout(0.5)], (1000,), 46)
    words = (case.batch > 0.95).astype(np.float32)
    return Checked(model=case.model, batch=words, loss=case.loss, target=case.target)


CASES = (
    Case(
        number="M1",
        title="MNIST, layer 0 zeros",
        source=SOURCE,
        codes=codes("101 106"),
        broken=lambda: mnist("zeros"),
        mended=lambda: mnist("glorot_uniform"),
    ),
    Case(
        number="C3",
        title="CIFAR-10, layer 2 ones",
        source=SOURCE,
        codes=codes("103 104"),
        broken=lambda: cifar("ones"),
        mended=lambda: cifar("glorot_uniform"),
    ),
    Case(
        number="R6",
        title="Reuters, layer 0 ones",
        source=SOURCE,
        codes=codes("103 104"),
        broken=lambda: reuters("ones"),
        mended=lambda: reuters("glorot_uniform"),
    ),
)
