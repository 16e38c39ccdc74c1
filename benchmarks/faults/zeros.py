"""Zeros where they lock, and gains of zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.faults.fault import fault
from benchmarks.faults.subject import RECTIFIERS, THROUGH_ZERO

if TYPE_CHECKING:
    from benchmarks.faults.subject import Base, Layer, Subject

Paths = frozenset[str]


def rectified(base: Base) -> list[Layer]:
    """Give the layers whose activation is shut at zero."""
    return [layer for layer in base.layers if layer.activation in RECTIFIERS]


def paired(base: Base) -> list[Layer]:
    """Give the layers that have a reader and an activation with φ(0) = 0."""
    return [la for la in base.layers if la.reader and la.activation in THROUGH_ZERO]


def one_of(layers: list[Layer], source: np.random.Generator) -> Layer:
    """Choose a layer."""
    return layers[int(source.integers(len(layers)))]


def zeroed(subject: Subject, *paths: str | None) -> Paths:
    """Fill these with zeros."""
    named = [path for path in paths if path is not None]
    for path in named:
        subject.values[path][...] = 0.0
    return subject.put(*named)


@fault("every weight zero", "101 103", lambda _: True)
def every_weight_zero(subject: Subject, _: np.random.Generator) -> Paths:
    """Every weight and bias is 0; gains of 1 stay.

    Fits all: nothing but the last bias has a gradient, since each gradient has a zero
    factor on both sides (units of a sigmoid, where φ(0) ≠ 0, are twins instead).
    """
    for path, value in subject.values.items():
        is_gain = value.ndim == 1 and bool(np.all(value == 1.0))
        if not is_gain:
            subject.values[path][...] = 0.0
    return subject.put(*subject.values)


@fault("one ReLU layer zero", "101", lambda base: bool(rectified(base)))
def one_rectified_layer_zero(subject: Subject, source: np.random.Generator) -> Paths:
    """Weight and bias of one hidden layer are 0.

    Fits ReLU and ReLU6, behind batch normalization too: z = 0 for every sample, and
    φ′(0) = 0, so nothing before the activation ever gets a gradient. After tanh or
    GELU, where φ′(0) ≠ 0, the layer wakes at the first step and there is no fault.
    """
    layer = one_of(rectified(subject.base), source)
    shift = layer.norm[1] if layer.norm else None
    return zeroed(subject, layer.weight, layer.bias, shift)


@fault("two zero layers in a row", "101", lambda base: bool(paired(base)))
def two_zero_layers(subject: Subject, source: np.random.Generator) -> Paths:
    """A layer and the one that reads it are both 0.

    Fits where φ(0) = 0: the reader's gradient has the layer's output, 0, for a factor,
    and the layer's has the reader, 0.
    """
    layer = one_of(paired(subject.base), source)
    return zeroed(subject, layer.weight, layer.bias, layer.reader)


@fault(
    "norm gain 0 before ReLU",
    "101",
    lambda base: any(layer.norm for layer in rectified(base)),
)
def dead_norm(subject: Subject, source: np.random.Generator) -> Paths:
    """Gain and shift of the normalization in front of a ReLU are 0.

    Fits norm → ReLU: as one ReLU layer of zeros. At the end of a residual branch the
    same zero is a recipe (Goyal et al. 2017), and it is not put there.
    """
    layer = one_of([la for la in rectified(subject.base) if la.norm], source)
    return zeroed(subject, *(layer.norm or ())) | {layer.weight}


@fault("both LoRA factors zero", "101", lambda base: bool(base.lora))
def both_factors_zero(subject: Subject, _: np.random.Generator) -> Paths:
    """The first factor is 0 as the second is.

    Fits low-rank pairs: ∂/∂A has the factor B, ∂/∂B the factor A.
    """
    pairs = [path for pair in subject.base.lora for path in pair]
    return zeroed(subject, *pairs)


@fault("tied table zero", "101", lambda base: base.tied_table is not None)
def tied_table_zero(subject: Subject, _: np.random.Generator) -> Paths:
    """The table that looks words up and reads them out is 0.

    Fits where nothing is added to what is looked up (positions come in as rotations or
    biases of scores): the stream is 0, so the read-out has no gradient, and the
    look-up's has the read-out, 0, for a factor. With learned positions it wakes.
    """
    return zeroed(subject, subject.base.tied_table)
