"""What holds of Keras's models on eight devices of JAX; prints all claims as JSON.

Claim → true, or what was found instead. Run in a process of its own.
"""

import json
import os
import sys
from functools import partial

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from claims_in_jax import SHAPES, X, Y, claim, claims, require
from keras import distribution, layers

import fanin
from fanin.frameworks._jaxpr import sharded
from fanin.frameworks.keras.spread import is_spread

ALL = distribution.list_devices()


def net(width=32):
    return keras.Sequential(
        [
            layers.Input((16,)),
            layers.Dense(width, activation="relu"),
            layers.Dense(8),
        ]
    )


def bits(model):
    return [np.asarray(v.value).tobytes() for v in model.trainable_variables]


def layouts(model):
    return [v.value.sharding for v in model.trainable_variables]


def model_parallel(shape):
    mesh = distribution.DeviceMesh(shape, ["batch", "model"], ALL)
    layout_map = distribution.LayoutMap(mesh)
    layout_map[".*dense.*kernel"] = (None, "model")
    layout_map[".*dense.*bias"] = ("model",)
    return distribution.ModelParallel(layout_map=layout_map, batch_dim_name="batch")


PLAIN = net()
PLAN = fanin.init(PLAIN, seed=3)
BITS = bits(PLAIN)
CALIBRATED = fanin.plan(PLAIN, np.asarray(X), "mse", np.asarray(Y), seed=3)

KINDS = {
    f"keras, model parallel, on {rows}x{columns}": partial(
        model_parallel, (rows, columns)
    )
    for rows, columns in SHAPES
}
KINDS["keras, data parallel"] = distribution.DataParallel

for kind, make in KINDS.items():

    @claim(kind)
    def _(make=make):
        with make().scope():
            model = net()
            before = layouts(model)
            require(all(is_spread(v) for v in model.trainable_variables), before)
            fanin.init(model, seed=3)
            require(model(np.asarray(X)).shape == (16, 8))
        require(bits(model) == BITS)
        require(layouts(model) == before, before)
        require(bool(fanin.verify(model, PLAN)))

    @claim(kind.replace("keras,", "keras, calibrated,"))
    def _(make=make):
        with make().scope():
            model = net()
        plan = fanin.plan(model, np.asarray(X), "mse", np.asarray(Y), seed=3)
        require(plan.fingerprint == CALIBRATED.fingerprint)


@claim("keras, no device holds the whole")
def _():
    with model_parallel((1, 8)).scope():
        model = net(width=4096)
    plan = fanin.plan(model, seed=0)
    whole, part = 16 * 4096 * 4, 16 * 4096 * 4 // 8
    largest = []
    box = sharded._Parts.box

    def watched(self, region):
        found = box(self, region)
        alive = [s.data.nbytes for a in jax.live_arrays() for s in a.addressable_shards]
        largest.append(max(found.nbytes, *alive))
        return found

    sharded._Parts.box = watched
    try:
        fanin.apply(plan, model)
    finally:
        sharded._Parts.box = box
    require(part <= max(largest) < whole // 2, (max(largest), part))
    require(bool(fanin.verify(model, plan)))


json.dump(claims, sys.stdout)
