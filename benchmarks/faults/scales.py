"""Weights of the wrong size: too large, too small, by a wrong rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmarks.faults.fault import fault
from benchmarks.faults.subject import SIGMOIDAL
from benchmarks.faults.zeros import one_of, rectified

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from benchmarks.faults.subject import Base, Layer, Subject

Paths = frozenset[str]
SCALE = "201 202 204 301 302 401 501 701 901"
SMALL = "201 202 301 302 303 701"
DEEP = 10


def times(subject: Subject, factor: float, paths: Iterable[str]) -> Paths:
    """Multiply these."""
    named = list(dict.fromkeys(paths))
    for path in named:
        subject.values[path] *= factor
    return subject.put(*named)


def weights(layers: Iterable[Layer]) -> list[str]:
    """Give the layers' weights."""
    return [layer.weight for layer in layers]


def is_deep(base: Base, activation: str, depth: int = DEEP) -> bool:
    """Say whether a base is plain, so deep, and of this activation."""
    kinds = {layer.activation for layer in base.layers}
    return base.is_plain and base.depth >= depth and kinds == {activation}


def is_plain(base: Base) -> bool:
    """Say whether a base is plain and of three hidden layers or more."""
    return base.is_plain and base.depth >= 3


def keeps_scale(base: Base) -> bool:
    """Say whether a plain classifier passes a wrong scale on, or saturates."""
    heals = any(layer.activation == "selu" for layer in base.layers)
    return is_plain(base) and base.classes > 0 and not heals


@fault("hidden weights × 100", SCALE, is_plain)
def hidden_times_100(subject: Subject, _: np.random.Generator) -> Paths:
    """Every hidden weight is 100 times too large.

    Fits plain nets of three hidden layers: the signal grows 100-fold a layer, or
    saturates. In front of a normalization the factor is taken out.
    """
    return times(subject, 100.0, weights(subject.base.bare))


@fault("hidden weights ÷ 100", SMALL, is_plain)
def hidden_over_100(subject: Subject, _: np.random.Generator) -> Paths:
    """Every hidden weight is 100 times too small.

    Fits plain nets of three hidden layers: what differs between samples shrinks
    100-fold a layer, and so does the gradient on its way back.
    """
    return times(subject, 0.01, weights(subject.base.bare))


@fault("one layer × 100", SCALE, keeps_scale)
def one_layer_times_100(subject: Subject, source: np.random.Generator) -> Paths:
    """One hidden weight is 100 times too large.

    Fits plain classifiers: behind ReLU the logits are 100 times too large, behind tanh
    or sigmoid the layer is saturated. SELU brings the scale back to 1 in the layers
    that follow (Klambauer et al. 2017), so there it is none.
    """
    layer = one_of(list(subject.base.bare), source)
    return times(subject, 100.0, [layer.weight])


@fault("Glorot for He, 30 ReLU layers", SMALL, lambda b: is_deep(b, "relu", 30))
def glorot_for_he(subject: Subject, _: np.random.Generator) -> Paths:
    """Each weight has n·Var(w) = 1 where ReLU asks for 2.

    Fits 30 plain ReLU layers: the second moment halves in each, 2⁻³⁰ in all. The other
    way round it is none: He's n·Var(w) = 2 before tanh gives χ = 1.106 at the fixed
    point, so that gradients grow by √1.106³⁰ = 4.5 over 30 layers, half of the depth
    scale's six-fold (Schoenholz et al. 2017).
    """
    return times(subject, 0.5**0.5, weights(subject.base.layers))


@fault(
    "library default, 10 layers up",
    SMALL,
    lambda base: is_deep(base, "relu") or is_deep(base, "tanh"),
)
def library_default(subject: Subject, source: np.random.Generator) -> Paths:
    """Each weight and bias is U(±1/√n), PyTorch's default: n·Var(w) = 1/3.

    Fits plain nets of ten hidden layers up: each keeps a sixth (ReLU) or a third (tanh)
    of what differs between samples.
    """
    changed = []
    for layer in subject.base.layers:
        value = subject.values[layer.weight]
        n_in = value.size // value.shape[layer.unit_axis]
        for path in (layer.weight, layer.bias):
            if path is not None:
                bound = 1.0 / math.sqrt(n_in)
                shape = subject.values[path].shape
                subject.values[path][...] = source.uniform(-bound, bound, shape)
                changed.append(path)
    return subject.put(*changed)


@fault(
    "kernel left out of the fan",
    "702",
    lambda base: base.is_plain and base.reads == "images",
)
def kernel_left_out(subject: Subject, source: np.random.Generator) -> Paths:
    """He's std for the channels alone: 3 × 3 kernels come out three times too large.

    Fits plain convolutional nets, from the second layer on (the first has too few
    numbers for its std to be known to a percent).
    """
    changed = weights(subject.base.layers[1:])
    for path in changed:
        value = subject.values[path]
        std = math.sqrt(2.0 / value.shape[1])
        value[...] = source.normal(0.0, std, value.shape)
    return subject.put(*changed)


@fault("experts taken for a kernel", "702", lambda base: bool(base.experts))
def experts_as_kernel(subject: Subject, source: np.random.Generator) -> Paths:
    """He's std of a stack (expert, in, out), as torch counts its inputs: in·out.

    Fits stacks that are read as x @ W: each matrix is √out times too small.
    """
    for path in subject.base.experts:
        value = subject.values[path]
        std = math.sqrt(2.0 / (value.shape[1] * value.shape[2]))
        value[...] = source.normal(0.0, std, value.shape)
    return subject.put(*subject.base.experts)


@fault(
    "saturating gain",
    "401",
    lambda base: any(layer.activation in SIGMOIDAL for layer in base.bare),
)
def saturating_gain(subject: Subject, _: np.random.Generator) -> Paths:
    """Weights in front of tanh and sigmoid are 30 times too large.

    Fits those: z of size 30 and more lies in the flat part for nine samples in ten.
    """
    flat = [layer for layer in subject.base.bare if layer.activation in SIGMOIDAL]
    return times(subject, 30.0, weights(flat))


@fault("residual branches × 10", "901 201 301 501", lambda base: bool(base.branch_ends))
def branches_times_10(subject: Subject, _: np.random.Generator) -> Paths:
    """The last weight of each branch is ten times too large.

    Fits streams without normalization: each sum multiplies the second moment by
    1 + 100/L.
    """
    return times(subject, 10.0, subject.base.branch_ends)


@fault("head × 100", "501", lambda base: base.head_reads_unit)
def hot_head(subject: Subject, _: np.random.Generator) -> Paths:
    """The output's weight is 100 times too large.

    Fits where what is read out is normalized or of unit size, tied tables too.
    """
    return times(subject, 100.0, [subject.base.head])


@fault(
    "tied table of std 1", "501", lambda b: b.table is not None and b.table == b.head
)
def table_of_std_1(subject: Subject, source: np.random.Generator) -> Paths:
    """A table that is also the head is N(0, 1).

    Fits tied heads that read a normalized stream without dividing by √d: the logits'
    std is √d, 4 to 8 here.
    """
    path = subject.base.head
    subject.values[path][...] = source.normal(size=subject.values[path].shape)
    return subject.put(path)


@fault(
    "head's bias for another prior",
    "501",
    lambda base: base.head_bias is not None and base.classes > 1,
)
def wrong_prior(subject: Subject, _: np.random.Generator) -> Paths:
    """The output's bias is 12 for one class: a prior of nearly 1.

    Fits classifiers with targets of all classes: the first loss is about 12·(1 − 1/K).
    """
    path = str(subject.base.head_bias)
    subject.values[path][...] = 0.0
    subject.values[path].reshape(-1)[0] = 12.0
    return subject.put(path)


@fault(
    "ReLU's bias −100",
    "402 601",
    lambda base: any(layer.bias or layer.norm for layer in rectified(base)),
)
def dead_bias(subject: Subject, source: np.random.Generator) -> Paths:
    """The bias, or the normalization's shift, in front of one ReLU layer is −100.

    Fits ReLU: every unit is off for every sample.
    """
    layer = one_of([la for la in rectified(subject.base) if la.bias or la.norm], source)
    path = layer.norm[1] if layer.norm else str(layer.bias)
    subject.values[path][...] = -100.0
    return subject.put(path) | {layer.weight}


@fault(
    "words all alike",
    "104 105 202",
    lambda b: b.table is not None and b.table != b.head,
)
def constant_table(subject: Subject, _: np.random.Generator) -> Paths:
    """All rows of the look-up table are equal.

    Fits tables that are no head: the model cannot tell one word from another, and the
    output does not depend on the input.
    """
    path = str(subject.base.table)
    value = subject.values[path]
    value[...] = value[3]
    return subject.put(path)


@fault("time steps of 1", "602", lambda base: bool(base.steps))
def constant_steps(subject: Subject, _: np.random.Generator) -> Paths:
    """Mamba-2's dt_bias is 1 throughout (flash-linear-attention, pull request 739).

    Fits state spaces: softplus(1) = 1.3 is far above the steps of 0.001 to 0.1 that
    they are made for, and the same in every head.
    """
    for path in subject.base.steps:
        subject.values[path][...] = 1.0
    return subject.put(*subject.base.steps)


@fault(
    "float16 overflows inside",
    "204 205",
    lambda base: is_plain(base) and {la.activation for la in base.layers} == {"relu"},
)
def half_precision(subject: Subject, _: np.random.Generator) -> Paths:
    """The first weight is 10⁵ times larger, the head as much smaller.

    Fits plain ReLU nets, which float32 computes unchanged (φ(az) = aφ(z)) and without
    drift; in float16, whose largest number is 65504, every hidden layer overflows.
    """
    first, head = subject.base.layers[0].weight, subject.base.head
    subject.values[first] *= 1e5
    subject.values[head] *= 1e-5
    subject.options["precision"] = "float16"
    return subject.put(first, head) | set(weights(subject.base.layers))
