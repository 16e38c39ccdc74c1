"""One architecture in torch, in Keras on torch and in Keras on JAX is one graph.

Keras takes one backend a process, so this file is run as a program for each backend;
it prints what a graph says to the theory: operations in order, fans, normalizations,
and the Gaussian moments of every activation as it ran.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

import pytest

CASES = ("mlp", "cnn", "residual")
NOT_STATISTICS = {"rearrange", "constant", "concat", "parameter"}
"""Operations that move numbers, or bring some along: layouts differ, numbers do not."""


def summary(graph):
    """Give one row a node that changes statistics."""
    from fanin.activations import identify
    from fanin.graph.roles import roles

    found = []
    for node in graph.nodes:
        if str(node.op) in NOT_STATISTICS:
            continue
        row = {"op": str(node.op)}
        if node.weight is not None:
            fan = node.weight.fan
            row |= {"fan": [fan.n_in, fan.n_out], "has_bias": node.bias is not None}
            row["groups"] = node.weight.roles.groups
            row["units"] = node.shape[node.unit_axis]
        if node.function is not None:
            moments = identify(node.function).moments()
            row["moments"] = [
                moments.mean,
                moments.second_moment,
                moments.derivative_second_moment,
            ]
        if row["op"] == "normalize":
            row["kind"] = node.details["kind"]
            row["eps"] = node.details["eps"]
        if row["op"] == "reduce":
            row |= {key: node.details[key] for key in ("kind", "window")}
        if row["op"] == "noise":
            row["p"] = node.details["p"]
        found.append(row)
    kinds = sorted(str(getattr(r, "kind", r)) for r in roles(graph).values())
    return {"nodes": found, "roles": kinds}


def of_keras():
    """Record the three architectures in Keras, on the backend of this process."""
    import keras
    import numpy as np
    from keras import layers

    from fanin.frameworks import keras as framework
    from fanin.graph import Task

    def mlp():
        return keras.Sequential(
            [
                keras.Input((12,)),
                layers.Dense(16, activation="tanh"),
                layers.Dense(16, activation="gelu"),
                layers.Dropout(0.25),
                layers.Dense(16, activation="silu"),
                layers.Dense(5),
            ]
        )

    def cnn():
        return keras.Sequential(
            [
                keras.Input((12, 12, 4)),
                layers.Conv2D(8, 3, activation="relu"),
                layers.BatchNormalization(epsilon=1e-5),
                layers.Conv2D(8, 3, strides=2, groups=2, activation="elu"),
                layers.DepthwiseConv2D(3, activation="leaky_relu"),
                layers.AveragePooling2D(2),
                layers.Conv2DTranspose(6, 4, strides=2, activation="mish"),
                layers.Flatten(),
                layers.Dense(5),
            ]
        )

    def residual():
        inputs = keras.Input((8, 8, 6))
        x = inputs
        for _ in range(2):
            branch = layers.BatchNormalization(epsilon=1e-5)(x)
            branch = layers.Conv2D(6, 1, use_bias=False)(layers.ReLU()(branch))
            branch = layers.LayerNormalization(epsilon=1e-5)(branch)
            branch = layers.Conv2D(6, 1)(layers.Activation("selu")(branch))
            x = layers.Add()([x, branch])
        x = layers.GlobalAveragePooling2D()(x)
        return keras.Model(inputs, layers.Dense(5)(x))

    shapes = {"mlp": (7, 12), "cnn": (7, 12, 12, 4), "residual": (7, 8, 8, 6)}
    makers = {"mlp": mlp, "cnn": cnn, "residual": residual}
    rng = np.random.default_rng(0)
    return {
        name: summary(
            framework.record(
                make(), Task(batch=rng.standard_normal(shapes[name]).astype("float32"))
            )
        )
        for name, make in makers.items()
    }


@functools.cache
def of_torch():
    """Record the same three architectures in PyTorch's own layout."""
    import torch
    from torch import nn

    from fanin.frameworks import torch as framework
    from fanin.graph import Task

    class ChannelsLast(nn.Module):
        """Layer normalization over the channels of (batch, channels, h, w)."""

        def __init__(self, n_channels):
            super().__init__()
            self.norm = nn.LayerNorm(n_channels, eps=1e-5)

        def forward(self, x):
            return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.branches = nn.ModuleList(
                nn.Sequential(
                    nn.BatchNorm2d(6, eps=1e-5),
                    nn.ReLU(),
                    nn.Conv2d(6, 6, 1, bias=False),
                    ChannelsLast(6),
                    nn.SELU(),
                    nn.Conv2d(6, 6, 1),
                )
                for _ in range(2)
            )
            self.head = nn.Linear(6, 5)

        def forward(self, x):
            for branch in self.branches:
                x = x + branch(x)
            return self.head(x.mean((2, 3)))

    mlp = nn.Sequential(
        nn.Linear(12, 16),
        nn.Tanh(),
        nn.Linear(16, 16),
        nn.GELU(),
        nn.Dropout(0.25),
        nn.Linear(16, 16),
        nn.SiLU(),
        nn.Linear(16, 5),
    )
    cnn = nn.Sequential(
        nn.Conv2d(4, 8, 3),
        nn.ReLU(),
        nn.BatchNorm2d(8, eps=1e-5),
        nn.Conv2d(8, 8, 3, stride=2, groups=2),
        nn.ELU(),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.LeakyReLU(0.2),
        nn.AvgPool2d(2),
        nn.ConvTranspose2d(8, 6, 4, stride=2),
        nn.Mish(),
        nn.Flatten(),
        nn.Linear(96, 5),
    )
    shapes = {"mlp": (7, 12), "cnn": (7, 4, 12, 12), "residual": (7, 6, 8, 8)}
    models = {"mlp": mlp, "cnn": cnn, "residual": Residual()}
    generator = torch.Generator().manual_seed(0)
    return {
        name: summary(
            framework.record(
                model, Task(batch=torch.randn(shapes[name], generator=generator))
            )
        )
        for name, model in models.items()
    }


@functools.cache
def of_backend(backend):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__],
        env=os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {}, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), ""


@pytest.fixture(params=["torch", "jax"])
def in_keras(request):
    found, error = of_backend(request.param)
    assert found, error
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_operations_are_the_same(in_keras, name):
    expected = [row["op"] for row in of_torch()[name]["nodes"]]

    assert [row["op"] for row in in_keras[name]["nodes"]] == expected


@pytest.mark.parametrize("name", CASES)
def test_fans_and_settings_are_the_same(in_keras, name):
    def settings(row):
        return {key: value for key, value in row.items() if key not in UNEVEN}

    expected = [settings(row) for row in of_torch()[name]["nodes"]]
    assert [settings(row) for row in in_keras[name]["nodes"]] == expected


UNEVEN = {"moments", "eps", "p"}
"""Numbers that went through float32 on the way, or were solved for."""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("key", sorted(UNEVEN))
def test_numbers_are_the_same(in_keras, name, key):
    expected = [row.get(key) for row in of_torch()[name]["nodes"]]
    found = [row.get(key) for row in in_keras[name]["nodes"]]

    # JAX writes constants such as SELU's in float32: 1e-7; eps is found to 3 digits.
    tolerance = 1e-2 if key == "eps" else 2e-6
    for one, other in zip(found, expected, strict=True):
        assert one == (
            other if other is None else pytest.approx(other, rel=tolerance, abs=1e-7)
        )


@pytest.mark.parametrize("name", CASES)
def test_the_roles_of_the_parameters_are_the_same(in_keras, name):
    assert in_keras[name]["roles"] == of_torch()[name]["roles"]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(of_keras()) + "\n")
