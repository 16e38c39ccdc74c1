"""The architectures of the suite in Keras, on the backend of the process."""

from __future__ import annotations

import json
import sys
from pathlib import Path

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


def transformer():
    inputs = keras.Input((6, 8))
    normal = layers.LayerNormalization(epsilon=1e-5)(inputs)
    attention = layers.MultiHeadAttention(num_heads=2, key_dim=4)
    x = layers.Add()([inputs, attention(normal, normal)])
    hidden = layers.LayerNormalization(epsilon=1e-5)(x)
    hidden = layers.Dense(8)(layers.Dense(32, activation="gelu")(hidden))
    return keras.Model(inputs, layers.Add()([x, hidden]))


def lstm():
    cell = layers.LSTM(3, return_sequences=True)
    return keras.Sequential([keras.Input((3, 4)), cell, layers.Dense(5)])


MODELS = {
    "mlp": (mlp, (7, 12)),
    "cnn": (cnn, (7, 12, 12, 4)),
    "residual": (residual, (7, 8, 8, 6)),
    "transformer": (transformer, (7, 6, 8)),
    "lstm": (lstm, (7, 3, 4)),
}


def graphs():
    """Give the graph of each architecture, by name."""
    rng = np.random.default_rng(0)
    return {
        name: framework.record(
            make(), Task(batch=rng.standard_normal(shape).astype("float32"))
        )
        for name, (make, shape) in MODELS.items()
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from graph_summary import summary

    found = {name: summary(graph) for name, graph in graphs().items()}
    sys.stdout.write(json.dumps(found) + "\n")
