"""Keras models built in every way; the line that builds a layer bears its name."""

import keras
from keras import layers


class Own(keras.layers.Layer):
    def build(self, shape):
        wide = (shape[-1], 3)
        self.table = self.add_weight(shape=wide, name="table")

    def call(self, x):
        return x @ self.table


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(4)  # builds: dense
        self.rest = [
            layers.Dense(4),  # builds: dense_1
            layers.Dense(4),  # builds: dense_2
        ]
        self.own = Own()  # builds: table

    def call(self, x):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return self.own(x)


def subclassed():
    net = Net()
    net(keras.ops.zeros((2, 5)))
    return net


def sequential():
    model = keras.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(4),  # builds: dense
            layers.Dense(4, name="head"),  # builds: head
        ]
    )
    model.add(layers.Dense(2))  # builds: dense_1
    return model


def functional():
    inputs = layers.Input((5,))
    x = layers.Dense(4)(inputs)  # builds: dense
    for _ in range(2):
        x = layers.Dense(4)(x)  # builds: dense_[12]
    x = layers.Dense(4, name="top")(x)  # builds: top
    return keras.Model(inputs, layers.Dense(1)(x))  # builds: dense_3
