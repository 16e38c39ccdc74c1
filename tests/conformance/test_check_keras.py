"""Keras models, broken and healthy, on the torch and the JAX backend.

Keras takes one backend a process, so this file is run as a program for each backend;
it prints what the rules found, and the tests read that.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

import pytest

BATCH, FEATURES, WIDTH, CLASSES = 64, 32, 64, 10

# name: code, severity and verdict that must be found; None for a healthy model
EXPECTED = {
    "zeros-relu": ("FAN101", "error", "cannot learn (proved)"),
    "zeros-tanh": ("FAN101", "error", "cannot learn (proved)"),
    "zeros-sigmoid": ("FAN103", "error", "cannot learn (proved)"),
    "ones": ("FAN103", "error", "cannot learn (proved)"),
    "ones-then-random": ("FAN104", "warning", "will struggle (measured)"),
    "constant-cnn": ("FAN103", "error", "cannot learn (proved)"),
    "shared-initializer": ("FAN804", "warning", "will struggle (measured)"),
    "same-seed": ("FAN804", "warning", "will struggle (measured)"),
    "tiny-12": ("FAN701", "error", "will struggle (measured)"),
    "unit-normal-tanh-12": ("FAN401", "warning", "will struggle (measured)"),
    "dead-bias": ("FAN402", "error", "will struggle (measured)"),
    "hot-head": ("FAN501", "error", "will struggle (measured)"),
    "forgotten-layer": ("FAN001", "warning", "healthy for this batch"),
    "default-3": None,
    "default-tanh-12": None,
    "he-12": None,
    "lecun-selu-12": None,
    "zero-head": None,
    "batch-norm-cnn": None,
    "embedding": None,
    "logistic-zeros": None,
}
BROKEN = [name for name, fault in EXPECTED.items() if fault]
HEALTHY = [name for name, fault in EXPECTED.items() if not fault]
# JAX compiles each model anew; one of each kind is enough for everyday.
EVERYDAY_ON_JAX = (
    "zeros-relu",
    "ones",
    "shared-initializer",
    "forgotten-layer",
    "default-3",
    "zero-head",
)


def cases(names):
    """Give backend and name; the slow ones marked."""
    for name in names:
        yield pytest.param("torch", name, id=f"torch-{name}")
        is_slow = name not in EVERYDAY_ON_JAX
        marks = [pytest.mark.slow] if is_slow else []
        yield pytest.param("jax", name, id=f"jax-{name}", marks=marks)


def report_of(backend, name):
    is_few = backend == "jax" and name in EVERYDAY_ON_JAX
    return reports_on(backend, EVERYDAY_ON_JAX if is_few else tuple(EXPECTED))[name]


@functools.cache
def reports_on(backend, names):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, *names],
        env=os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("backend", "name"), list(cases(BROKEN)))
def test_a_broken_model_is_found(backend, name):
    code, severity, verdict = EXPECTED[name]
    report = report_of(backend, name)

    assert report["findings"].get(code) == severity, report["text"]
    assert report["verdict"] == verdict


@pytest.mark.parametrize(("backend", "name"), list(cases(HEALTHY)))
def test_a_healthy_model_raises_no_alarm(backend, name):
    report = report_of(backend, name)

    assert set(report["findings"].values()) <= {"info"}, report["text"]
    assert report["verdict"] == "healthy for this batch"


@pytest.mark.parametrize(("backend", "name"), list(cases(EXPECTED)))
def test_a_check_leaves_the_model_as_it_was(backend, name):
    assert report_of(backend, name)["is_untouched"]


def dense(
    n_hidden, activation="relu", init="glorot_uniform", *, bias="zeros", head=None
):
    from keras import Input, Sequential, layers

    hidden = [
        layers.Dense(
            WIDTH,
            activation=activation,
            kernel_initializer=init() if callable(init) else init,
            bias_initializer=bias() if callable(bias) else bias,
        )
        for _ in range(n_hidden)
    ]
    head = head or "glorot_uniform"
    return Sequential(
        [Input((FEATURES,)), *hidden, layers.Dense(CLASSES, kernel_initializer=head)]
    )


def cnn(init, *, is_normalized):
    from keras import Input, Sequential, layers

    body = []
    for _ in range(2):
        body.append(layers.Conv2D(8, 3, padding="same", kernel_initializer=init))
        if is_normalized:
            body.append(layers.BatchNormalization())
        body.append(layers.ReLU())
    return Sequential(
        [
            Input((8, 8, 3)),
            *body,
            layers.Flatten(),
            layers.Dense(CLASSES, kernel_initializer=init),
        ]
    )


def forgotten():
    import keras

    class Forgotten(keras.Model):
        def __init__(self):
            super().__init__()
            self.used = keras.layers.Dense(CLASSES, kernel_initializer="zeros")
            self.unused = keras.layers.Dense(WIDTH)

        def build(self, shape):
            self.used.build(shape)
            self.unused.build(shape)

        def call(self, x):
            return self.used(x)

    model = Forgotten()
    model.build((None, FEATURES))
    return model


def embedding():
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input((12,), dtype="int32"),
            layers.Embedding(50, WIDTH),
            layers.GlobalAveragePooling1D(),
            layers.Dense(CLASSES),
        ]
    )


def logistic():
    from keras import Input, Sequential, layers

    return Sequential([Input((FEATURES,)), layers.Dense(1, kernel_initializer="zeros")])


def makers():
    from keras import initializers

    shared = initializers.HeNormal(seed=0)

    def normal(std):
        return lambda: initializers.RandomNormal(stddev=std)

    def constant(value):
        return lambda: initializers.Constant(value)

    def again():
        return shared

    return {
        "zeros-relu": lambda: dense(2, "relu", "zeros", head="zeros"),
        "zeros-tanh": lambda: dense(2, "tanh", "zeros", head="zeros"),
        "zeros-sigmoid": lambda: dense(1, "sigmoid", "zeros", head="zeros"),
        "ones": lambda: dense(2, "tanh", constant(0.05), head=constant(0.05)()),
        "ones-then-random": lambda: dense(1, "tanh", constant(0.05)),
        "constant-cnn": lambda: cnn(constant(0.02)(), is_normalized=False),
        "shared-initializer": lambda: dense(3, "relu", again),
        "same-seed": lambda: dense(3, "relu", lambda: initializers.HeNormal(seed=3)),
        "tiny-12": lambda: dense(12, "relu", normal(0.01)),
        "unit-normal-tanh-12": lambda: dense(12, "tanh", normal(1.0)),
        "dead-bias": lambda: dense(2, "relu", "he_normal", bias=constant(-100.0)),
        "hot-head": lambda: dense(2, "relu", "he_normal", head=normal(5.0)()),
        "forgotten-layer": forgotten,
        "default-3": lambda: dense(3),
        "default-tanh-12": lambda: dense(12, "tanh"),
        "he-12": lambda: dense(12, "relu", "he_normal", head="zeros"),
        "lecun-selu-12": lambda: dense(12, "selu", "lecun_normal", head="zeros"),
        "zero-head": lambda: dense(3, head="zeros"),
        "batch-norm-cnn": lambda: cnn("glorot_uniform", is_normalized=True),
        "embedding": embedding,
        "logistic-zeros": logistic,
    }


def task_of(name):
    import numpy as np

    from fanin.graph import Task

    rng = np.random.default_rng(0)
    target = rng.integers(CLASSES, size=BATCH)
    if name.endswith("cnn"):
        batch = rng.standard_normal((BATCH, 8, 8, 3)).astype("float32")
    elif name == "embedding":
        batch = rng.integers(50, size=(BATCH, 12)).astype("int32")
    else:
        batch = rng.standard_normal((BATCH, FEATURES)).astype("float32")
    if name == "logistic-zeros":
        binary = (target[:, None] % 2).astype("float32")
        return Task(batch=batch, loss="binary_cross_entropy", target=binary)
    return Task(batch=batch, loss="cross_entropy", target=target)


def main():
    import keras
    import numpy as np

    from fanin.frameworks import keras as framework
    from fanin.rules import inspect, judge

    reports = {}
    makes = makers()
    for name in sys.argv[1:]:
        keras.utils.set_random_seed(0)
        model = makes[name]()
        before = model.get_weights()
        report = judge(inspect(framework, model, task_of(name)))
        reports[name] = {
            "findings": {f.code: str(f.severity) for f in report.findings[::-1]},
            "verdict": str(report.verdict),
            "text": str(report),
            "is_untouched": all(map(np.array_equal, before, model.get_weights())),
        }
    sys.stdout.write(json.dumps(reports) + "\n")


if __name__ == "__main__":
    main()
