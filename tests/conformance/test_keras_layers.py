"""Every layer class of Keras is recorded, on each of its three backends.

Keras takes one backend a process: the table of layers, `keras_layers`, is run as a
program, once for each.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("keras_layers.py")
BACKENDS = ("torch", "jax", "tensorflow")
FEW = (
    "Conv1DTranspose",
    "EinsumDense",
    "Embedding",
    "GroupNormalization",
    "LSTM",
    "MultiHeadAttention",
    "Resizing",
    "dilated DepthwiseConv2D",
)

sys.path.insert(0, str(PROGRAM.parent))
from keras_layers import (  # noqa: E402
    COMPOSED_FANS,
    COMPOSED_NAMES,
    ELSEWHERE,
    SLOW_TO_TRACE,
    TABLE,
)

sys.path.pop(0)

REFUSED = {
    # Keras itself cannot trace these two on JAX.
    ("jax", "RandomCrop"): "BatchError",
    ("jax", "RandomElasticTransform"): "ModelError",
}

MAY_BE_OPAQUE = {
    "AlphaDropout",
    "AugMix",
    "AutoContrast",
    "CategoryEncoding",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "GaussianNoise",
    "Masking",
    "Maximum",
    "Minimum",
    "RandAugment",
    "Resizing",
    "Solarization",
    "SpectralNormalization",
    "masked LSTM",
}
"""Where a primitive that fanin does not know is counted, beside all of ``Random…``
(Resizing: on torch)."""

NORMALIZATIONS = {
    "BatchNormalization": "batch",
    "GroupNormalization": "group",
    "LayerNormalization": "layer",
    "RMSNormalization": "rms",
    "UnitNormalization": "l2",
}


def everyday(names):
    """Give a few layers on two backends, and all others as slow tests."""
    for backend in BACKENDS:
        for name in names:
            if backend == "jax" and name in SLOW_TO_TRACE:
                continue
            is_few = name in FEW and backend != "jax"
            marks = () if is_few else pytest.mark.slow
            yield pytest.param(backend, name, id=f"{backend}-{name}", marks=marks)


def found_on(backend, name):
    is_few = name in FEW and backend != "jax"
    return all_on(backend, FEW if is_few else tuple(everything(backend)))[name]


def everything(backend):
    skipped = SLOW_TO_TRACE if backend == "jax" else ()
    return [name for name in (*TABLE, *COMPOSED_NAMES) if name not in skipped]


@functools.cache
def all_on(backend, names):
    settings = {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROGRAM), *names],
        env=os.environ | settings | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("backend", "name"), list(everyday((*TABLE, *COMPOSED_NAMES))))
def test_a_layer_is_recorded(backend, name):
    found = found_on(backend, name)
    refused = REFUSED.get((backend, name))
    if refused is not None:
        assert found["error"].startswith(refused)
        return

    assert "error" not in found, found.get("error")
    assert found["unknown"] == []
    if name not in MAY_BE_OPAQUE and not name.startswith("Random"):
        assert found["opaque"] == {}


FANS = {n: row[2] for n, row in TABLE.items() if row[2]} | COMPOSED_FANS


@pytest.mark.parametrize(("backend", "name"), list(everyday(FANS)))
def test_the_fans_of_a_layer_are_counted_right(backend, name):
    assert sorted(map(tuple, found_on(backend, name)["fans"])) == sorted(FANS[name])


@pytest.mark.parametrize(("backend", "name"), list(everyday(["LSTM", "GRU"])))
def test_a_recurrent_layer_has_two_weights_whatever_its_length(backend, name):
    gates = {"LSTM": 4, "GRU": 3}[name]

    fans = {tuple(fan) for fan in found_on(backend, name)["fans"]}
    assert fans == {(6, 4 * gates), (4, 4 * gates)}


@pytest.mark.parametrize(("backend", "name"), list(everyday(NORMALIZATIONS)))
def test_a_normalization_is_known_by_its_kind(backend, name):
    assert found_on(backend, name)["kinds"] == [NORMALIZATIONS[name]]


@pytest.mark.slow
def test_every_layer_class_has_a_row_or_a_reason():
    import keras

    layers = {
        name
        for name, value in vars(keras.layers).items()
        if isinstance(value, type) and issubclass(value, keras.layers.Layer)
    }
    known = {*TABLE, *COMPOSED_NAMES}

    assert not {
        name for name in layers - known if not name.startswith(tuple(ELSEWHERE))
    }
