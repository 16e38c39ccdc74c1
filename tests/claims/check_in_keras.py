"""Run as a program: check Keras models, print what changed; a backend a process."""

from __future__ import annotations

import contextlib
import json
import random
import sys

import keras
import numpy as np
from keras import layers

import fanin
from fanin.errors import FaninError
from fanin.frameworks.keras.arrays import to_numpy

BATCH, FEATURES, CLASSES = 8, 6, 4


class Interrupting(layers.Layer):
    """Raises at its n-th call; builds nothing of its own."""

    left, error = 0, None

    def call(self, x):
        Interrupting.left -= 1
        if Interrupting.left == 0:
            raise Interrupting.error
        return x


def built():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(16),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3, seed=3),
            layers.GaussianNoise(0.1),
            Interrupting(),
            layers.Dense(CLASSES, kernel_initializer="zeros"),
        ]
    )
    model.layers[0].trainable = False
    return model


def portrait(model):
    """Bits of every variable, modes, and random states."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002 (looked at)
    seen = {
        "python": str(random.getstate()),
        "numpy": str((kind, keys.tolist(), rest)),
        "modes": str([layer.trainable for layer in model.layers]),
        "draw": None,
    }
    for variable in (*model.variables, *model.non_trainable_variables):
        seen[variable.path] = to_numpy(variable.value).tobytes().hex()
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            seen[f"{layer.name} state"] = to_numpy(generator.state.value).tolist()
    if keras.backend.backend() == "torch":
        import torch

        seen["torch"] = torch.get_rng_state().tolist()
        for variable in model.variables:
            gradient = variable.value.grad
            seen[f"gradient of {variable.path}"] = str(gradient)
    return seen


def changed(work):
    model = built()
    source = np.random.default_rng(0)
    x = source.standard_normal((BATCH, FEATURES)).astype(np.float32)
    y = source.integers(0, CLASSES, BATCH)
    before = portrait(model)
    with contextlib.suppress(KeyboardInterrupt, FaninError):
        work(model, x, y)
    after = portrait(model)
    return sorted(key for key in before if before[key] != after[key])


def interrupted(error, n_calls):
    def work(model, x, y):
        Interrupting.left, Interrupting.error = n_calls, error
        try:
            fanin.check(model, x, "cross_entropy", y)
        finally:
            Interrupting.left = 0

    return work


WORKS = {
    "checked": lambda model, x, y: fanin.check(model, x, "cross_entropy", y),
    "quick": lambda model, x, y: fanin.check(
        model, x, "cross_entropy", y, closure=False
    ),
    "with an optimizer": lambda model, x, y: fanin.check(
        model,
        x,
        "cross_entropy",
        y,
        optimizer=keras.optimizers.Adam(1e-3),
        precision="bfloat16",
    ),
    "interrupted at once": interrupted(KeyboardInterrupt(), 1),
    "interrupted later": interrupted(KeyboardInterrupt(), 2),
    "failed": interrupted(ValueError("no"), 1),
}

if __name__ == "__main__":
    found = {name: changed(work) for name, work in WORKS.items()}
    sys.stdout.write(json.dumps(found) + "\n")
