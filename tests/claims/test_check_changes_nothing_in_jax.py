"""A check leaves Keras models and modules of NNX and Equinox as they were.

Keras takes one backend a process, so ``check_in_keras.py`` runs as a program for each.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import fanin
from fanin.errors import FaninError

BATCH, FEATURES, CLASSES = 8, 6, 4
PROGRAM = Path(__file__).parent / "check_in_keras.py"


@pytest.mark.parametrize(
    "backend",
    ["torch", pytest.param("jax", marks=pytest.mark.slow), "tensorflow"],
)
def test_a_check_of_a_keras_model_changes_nothing(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(PROGRAM)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=environment,
    )
    changed = json.loads(done.stdout.splitlines()[-1])

    assert len(changed) == 6
    assert {name: keys for name, keys in changed.items() if keys} == {}


def task():
    source = np.random.default_rng(0)
    x = source.standard_normal((BATCH, FEATURES)).astype(np.float32)
    return x, source.integers(0, CLASSES, BATCH)


def nnx_module(fail):
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.first = nnx.Linear(FEATURES, 16, rngs=rngs)
            self.norm = nnx.BatchNorm(16, rngs=rngs)
            self.dropout = nnx.Dropout(0.3, rngs=rngs)
            self.head = nnx.Linear(16, CLASSES, rngs=rngs)

        def __call__(self, x):
            h = self.dropout(nnx.relu(self.norm(self.first(x))))
            fail()
            return self.head(h)

    return Net(nnx.Rngs(0)), nnx.state


def equinox_module(fail):
    import equinox as eqx

    class Net(eqx.Module):
        first: eqx.nn.Linear
        head: eqx.nn.Linear

        def __init__(self, key):
            keys = jax.random.split(key)
            self.first = eqx.nn.Linear(FEATURES, 16, key=keys[0])
            self.head = eqx.nn.Linear(16, CLASSES, key=keys[1])

        def __call__(self, x):
            fail()
            return self.head(jax.nn.relu(self.first(x)))

    return Net(jax.random.key(0)), lambda model: model


def portrait(tree):
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002 (looked at)
    leaves, structure = jax.tree.flatten(tree)
    numbers = [
        np.asarray(
            jax.random.key_data(leaf)
            if jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key)
            else leaf
        ).tobytes()
        for leaf in leaves
        if hasattr(leaf, "dtype")
    ]
    return numbers, str(structure), random.getstate(), kind, keys.tolist(), rest


@pytest.mark.parametrize("make", [nnx_module, equinox_module])
@pytest.mark.parametrize(
    ("error", "at"), [(None, 0), (KeyboardInterrupt(), 1), (KeyboardInterrupt(), 2)]
)
def test_a_check_of_a_module_in_jax_changes_nothing(make, error, at):
    calls = []

    def fail():
        calls.append(1)
        if error is not None and len(calls) == at:
            raise error

    model, state = make(fail)
    x, y = task()
    before = portrait(state(model))

    try:
        fanin.check(model, x, "cross_entropy", y)
    except (KeyboardInterrupt, FaninError):
        assert error is not None

    assert portrait(state(model)) == before
    assert calls
