"""Keras on every backend: what is frozen, cut, cloned, sharded or set wrongly is named.

Keras takes one backend a process, so this file is run as a program for each backend; it
prints the codes that the rules found, and the tests read that.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

import pytest

WIDTH = 32

EXPECTED = {
    "healthy": [],
    "frozen": ["FAN005"],
    "one-seed-two-shapes": ["FAN805"],
    "one-seed-one-shape": ["FAN804"],
    "cut": ["FAN703"],
    "shards": ["FAN810"],
    "gain": ["FAN602"],
}


@functools.cache
def report_of(backend):
    """Run this file once for a backend; skip where it is not installed."""
    done = subprocess.run(
        [sys.executable, __file__],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"},
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize(
    "backend",
    [
        "torch",
        pytest.param("jax", marks=pytest.mark.slow),
        pytest.param("tensorflow", marks=pytest.mark.slow),
    ],
)
def test_what_is_wrong_with_a_keras_model_is_named_on_every_backend(backend, name):
    assert report_of(backend)[name] == EXPECTED[name]


def models():
    import keras
    import numpy as np

    he = keras.initializers.HeNormal

    def net(widths, *initializers):
        keras.utils.set_random_seed(0)
        chosen = initializers or [he(seed=i) for i in range(len(widths))]
        layers = [
            keras.layers.Dense(n, kernel_initializer=start, activation="relu")
            for n, start in zip(widths, chosen, strict=True)
        ]
        return keras.Sequential(
            [keras.Input((WIDTH,)), keras.layers.LayerNormalization(), *layers]
        )

    frozen = net([WIDTH] * 5)
    frozen.layers[3].trainable = False
    shards = net([WIDTH, WIDTH])
    half = np.random.default_rng(0).normal(size=(WIDTH, WIDTH // 2)) * 0.2
    shards.layers[2].kernel.assign(np.concatenate([half, half], axis=1))
    gain = net([WIDTH, WIDTH])
    gain.layers[0].gamma.assign(np.full(WIDTH, 0.01))
    cut = keras.initializers.TruncatedNormal
    return {
        "healthy": net([WIDTH, WIDTH, 8]),
        "frozen": frozen,
        "one-seed-two-shapes": net([64, 8], he(seed=3), he(seed=3)),
        "one-seed-one-shape": net([WIDTH, WIDTH], he(seed=3), he(seed=3)),
        "cut": net([WIDTH, 512], he(seed=1), cut(stddev=0.03, seed=2)),
        "shards": shards,
        "gain": gain,
    }


def main():
    import numpy as np

    import fanin

    batch = np.random.default_rng(1).normal(size=(8, WIDTH)).astype("float32")
    words = ["FAN005", "FAN602", "FAN703", "FAN8"]
    found = {
        name: sorted({f.code for f in fanin.check(m, batch, select=words).findings})
        for name, m in models().items()
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
