"""JAX modules built in every way; the line that builds a layer bears its path."""

import equinox as eqx
import jax
from flax import nnx


class Flax(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(4, 4, rngs=rngs)  # builds: Flax first
        self.body = nnx.List(
            [
                nnx.Linear(4, 4, rngs=rngs)  # builds: Flax body.*
                for _ in range(2)
            ]
        )
        self.head = nnx.Sequential(
            nnx.Linear(4, 4, rngs=rngs),  # builds: Flax head.layers.0
            nnx.relu,
            nnx.Linear(4, 4, rngs=rngs),  # builds: Flax head.layers.2
        )
        self.gain = nnx.Param(jax.numpy.ones(4))  # builds: Flax gain


class Equinox(eqx.Module):
    layers: list
    body: eqx.nn.Sequential
    gain: jax.Array

    def __init__(self, key):
        self.layers = [
            eqx.nn.Linear(4, 4, key=key),  # builds: Equinox layers.0
            jax.nn.relu,
            eqx.nn.Linear(4, 4, key=key),  # builds: Equinox layers.2
        ]
        self.body = eqx.nn.Sequential(
            [
                eqx.nn.Linear(4, 4, key=key),  # builds: Equinox body.layers.0
                eqx.nn.Linear(4, 4, key=key),  # builds: Equinox body.layers.1
            ]
        )
        self.gain = jax.numpy.ones(4)  # builds: Equinox gain

    def __call__(self, x):
        return self.gain * self.body(x)


class Fields(eqx.Module):
    table: jax.Array  # builds: Fields table
    scale: float = 1.0

    def __call__(self, x):
        return self.scale * (self.table @ x)


def make(name):
    if name == "Flax":
        return Flax(nnx.Rngs(0))
    if name == "Equinox":
        return Equinox(jax.random.key(0))
    return Fields(jax.numpy.ones((2, 2)))
