"""Equal numbers where different ones are meant: constants, twins, clones, one seed."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.faults.fault import fault
from benchmarks.faults.zeros import one_of

if TYPE_CHECKING:
    from benchmarks.faults.subject import Base, Layer, Subject

Paths = frozenset[str]
LEAST_SIDE = 8
"""Both sides of a weight that is copied: narrower ones are gains and small tables."""


def whole(base: Base) -> list[Layer]:
    """Give the layers that are all there is of their units."""
    return [layer for layer in base.layers if layer.is_whole and layer.reader]


def trainable(subject: Subject) -> list[str]:
    """Give the wide trainable weights that were drawn at random."""
    free = {
        p.path for p in subject.framework.parameters(subject.model) if p.is_trainable
    }
    return [
        path
        for path in subject.matrices
        if path in free
        and float(np.std(subject.values[path])) > 0.0
        and sorted(subject.values[path].shape)[-2] >= LEAST_SIDE
    ]


def size_of(value: np.ndarray) -> float:
    """Give the root mean square."""
    return float(np.sqrt(np.mean(np.square(value, dtype=np.float64))))


@fault("every weight one constant", "101 103 104", lambda _: True)
def every_weight_constant(subject: Subject, _: np.random.Generator) -> Paths:
    """Every weight is 0.05, every bias 0; gains stay.

    Fits all: all units of a layer have equal incoming and outgoing weights, so they get
    equal gradients for ever, or until dropout parts them.
    """
    for path, value in subject.values.items():
        is_matrix = path in subject.matrices
        is_gain = not is_matrix and bool(np.all(value == 1.0))
        if not is_gain:
            value[...] = 0.05 if is_matrix else 0.0
    return subject.put(*subject.values)


@fault("one layer constant", "104", lambda base: bool(whole(base)))
def one_layer_constant(subject: Subject, source: np.random.Generator) -> Paths:
    """One hidden weight is a constant of its own size, its bias 0; the others random.

    Fits layers whose units are read by one weight: all of them compute the same
    function, so the layer begins with rank one, and its reader sees a single unit.
    """
    layer = one_of(whole(subject.base), source)
    value = subject.values[layer.weight]
    value[...] = size_of(value)
    changed = [layer.weight]
    if layer.bias is not None:
        subject.values[layer.bias][...] = 0.0
        changed.append(layer.bias)
    return subject.put(*changed)


@fault("two twin units", "103", lambda base: bool(whole(base)))
def twin_units(subject: Subject, source: np.random.Generator) -> Paths:
    """One hidden unit is a copy of its neighbour, in and out.

    Fits layers that are all there is of their units: twins get equal gradients for
    ever, as after a network was widened by copying (Chen et al. 2016, without noise).
    """
    layer = one_of(whole(subject.base), source)
    around = [(layer.weight, layer.unit_axis), (layer.reader, layer.reader_axis)]
    around += [(path, 0) for path in (layer.bias, *(layer.norm or ()))]
    changed = []
    for path, axis in around:
        if path is not None:
            units = np.moveaxis(subject.values[path], axis, 0)
            units[1] = units[0]
            changed.append(path)
    return subject.put(*changed)


def _kind(path: str) -> str:
    """Give a path without its numbers: copies are of one kind of layer."""
    return re.sub(r"\d+", "", path)


def _pair(subject: Subject) -> tuple[str, str]:
    """Give two trained weights of one shape, of one kind of layer if there are any."""
    weights = trainable(subject)
    same = [
        (one, other)
        for one, other in combinations(weights, 2)
        if subject.values[one].shape == subject.values[other].shape
    ]
    return min(same, key=lambda pair: _kind(pair[0]) != _kind(pair[1]))


@fault("a layer cloned", "803", lambda base: base.has_equal_shapes)
def cloned_layer(subject: Subject, _: np.random.Generator) -> Paths:
    """One weight is a copy of another of its shape.

    Fits where two weights of one shape are trained: they are assumed independent by
    every initialization, and in the literature's bug (deep copies of a built layer)
    all layers begin as one.
    """
    pair = _pair(subject)
    subject.values[pair[1]][...] = subject.values[pair[0]]
    return subject.put(pair[1]) | set(pair)


@fault("one seed for every weight", "803 805", lambda _: True)
def one_seed(subject: Subject, _: np.random.Generator) -> Paths:
    """Every random weight is drawn again from one seed, with its own std.

    Fits all with two random weights: what should average out adds up.
    """
    paths = trainable(subject)
    for path in paths:
        value = subject.values[path]
        again = np.random.default_rng(0).normal(size=value.shape)
        value[...] = size_of(value) * again
    return subject.put(*paths)


@fault("one seed for every shard", "104 810", lambda base: bool(whole(base)))
def equal_shards(subject: Subject, source: np.random.Generator) -> Paths:
    """A hidden weight is one block four times over, along its units.

    Fits layers whose units are read by one weight: three quarters of the units repeat
    another's incoming weights, as when each shard draws its part from the same seed.
    """
    layer = one_of(whole(subject.base), source)
    units = np.moveaxis(subject.values[layer.weight], layer.unit_axis, 0)
    block = len(units) // 4
    for i in range(1, 4):
        units[i * block : (i + 1) * block] = units[:block]
    return subject.put(layer.weight)


@fault(
    "one initializer for every layer",
    "804",
    lambda base: "shared initializer" in base.variants,
)
def shared_initializer(subject: Subject, _: np.random.Generator) -> Paths:
    """One Keras initializer object makes all hidden layers.

    Fits Keras: an initializer with a seed gives the same numbers at each call.
    """
    subject.model, _batch = subject.base.variants["shared initializer"](0)
    return frozenset(layer.weight for layer in subject.base.layers)
