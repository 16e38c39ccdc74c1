"""Faults of numbers, memory, data, output and optimizer."""

from __future__ import annotations

import copy
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from benchmarks.faults.copies import trainable
from benchmarks.faults.fault import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.faults.subject import Base, Subject

Paths = frozenset[str]
NOWHERE: Paths = frozenset()


def is_torch(base: Base) -> bool:
    """Say whether a base is a torch module."""
    return base.framework == "torch"


def gives_tensor(base: Base) -> bool:
    """Say whether a torch base gives a bare tensor."""
    return is_torch(base) and not base.name.startswith("transformers")


def some_weight(subject: Subject, source: np.random.Generator) -> str:
    """Choose a wide trainable weight."""
    paths = trainable(subject)
    return paths[int(source.integers(len(paths)))]


def poked(subject: Subject, source: np.random.Generator, number: float) -> Paths:
    """Write one number into some weight."""
    path = some_weight(subject, source)
    flat = subject.values[path].reshape(-1)
    flat[int(source.integers(flat.size))] = number
    return subject.put(path)


@fault("one NaN", "801", lambda _: True)
def one_nan(subject: Subject, source: np.random.Generator) -> Paths:
    """One entry of one weight is NaN. Fits all: so is the loss."""
    return poked(subject, source, float("nan"))


@fault("one infinity", "801", lambda _: True)
def one_infinity(subject: Subject, source: np.random.Generator) -> Paths:
    """One entry of one weight is infinite. Fits all: ∞ − ∞ and 0·∞ are NaN."""
    return poked(subject, source, float("inf"))


@fault("memory never written", "801 802", lambda _: True)
def garbage(subject: Subject, source: np.random.Generator) -> Paths:
    """A weight holds what memory held: bytes of NumPy's own program.

    Fits all: numbers from 10⁻⁴⁰ to 10³⁸ and, mostly, some that are NaN.
    """
    path = some_weight(subject, source)
    value = subject.values[path]
    place = find_spec("numpy._core._multiarray_umath")
    program = np.fromfile(str(place and place.origin), dtype=np.float32)
    at = int(source.integers((program.size - value.size) // 2))
    value[...] = program[at : at + value.size].reshape(value.shape)
    return subject.put(path)


class Ending(nn.Module):
    """A model and a function of its output."""

    def __init__(self, model: nn.Module, end: Callable[[Any], Any]) -> None:
        super().__init__()
        self.model, self.end = model, end

    def forward(self, *batch: Any) -> Any:
        """Run the model, then the end."""
        return self.end(self.model(*batch))


@fault(
    "softmax before cross entropy", "505", lambda b: gives_tensor(b) and b.classes > 1
)
def softmax_twice(subject: Subject, _: np.random.Generator) -> Paths:
    """The model ends in a softmax, and the loss takes logits.

    Fits classifiers: the loss cannot fall below ln(1 + (K − 1)/e).
    """
    subject.model = Ending(subject.model, nn.Softmax(dim=-1))
    return NOWHERE


@fault("output ReLU off", "106 402 506", lambda b: gives_tensor(b) and b.classes == 0)
def dead_output(subject: Subject, _: np.random.Generator) -> Paths:
    """A regression ends in ReLU with a bias of −10.

    Fits regressions: the output is 0 for every sample and nothing has a gradient
    (jvargasmu/population_estimation, issue 68).
    """
    path = str(subject.base.head_bias)
    subject.values[path][...] = -10.0
    subject.put(path)
    subject.model = Ending(subject.model, torch.relu)
    return NOWHERE


class Sparing(nn.Module):
    """A model beside a layer that its ``forward`` never names."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.forgotten = nn.Linear(8, 8)

    def forward(self, *batch: Any, **named: Any) -> Any:
        """Run the model."""
        return self.model(*batch, **named)


@fault("a layer left out of forward", "001", is_torch)
def forgotten_layer(subject: Subject, _: np.random.Generator) -> Paths:
    """A layer is made and not called. Fits torch modules: it never gets a gradient."""
    subject.model = Sparing(subject.model)
    return frozenset({"forgotten.weight", "forgotten.bias"})


def _pixels(batch: Any, source: np.random.Generator) -> Any:
    """Give whole numbers from 0 to 255 in place of a batch."""
    if isinstance(batch, tuple):
        return tuple(_pixels(part, source) for part in batch)
    drawn = source.integers(0, 256, tuple(batch.shape)).astype(np.float32)
    return torch.from_numpy(drawn) if isinstance(batch, torch.Tensor) else drawn


@fault("inputs from 0 to 255", "203", lambda base: base.first_is_bare)
def pixels(subject: Subject, source: np.random.Generator) -> Paths:
    """The batch is not scaled.

    Fits nets that take numbers in without a normalization right behind the first
    weight: all that follows is 150 times too large, or what is added to it nothing.
    """
    subject.batch = _pixels(subject.batch, source)
    return NOWHERE


@fault("Adam's rate 1", "306", lambda _: True)
def large_rate(subject: Subject, _: np.random.Generator) -> Paths:
    """Adam with a learning rate of 1.

    Fits all: Adam's first step moves each entry by the rate, many times its std.
    """
    subject.options.update(optimizer="adam", learning_rate=1.0)
    return NOWHERE


@fault("SGD's rate 10⁻¹²", "304", lambda _: True)
def small_rate(subject: Subject, _: np.random.Generator) -> Paths:
    """SGD with a learning rate of 10⁻¹².

    Fits all in float32, whose numbers are 10⁻⁷ of themselves apart: the update rounds
    away for gradients under some thousands.
    """
    subject.options.update(optimizer="sgd", learning_rate=1e-12)
    return NOWHERE


@fault("Adam's ε of 1", "304 305", is_torch)
def large_epsilon(subject: Subject, _: np.random.Generator) -> Paths:
    """Adam that divides by |g| + 1.

    Fits all: gradients of a mean loss are far below 1, so steps are that much shorter
    than the rate says; behind LayerScale's 10⁻⁶ they round away.
    """
    free = [p for p in subject.model.parameters() if p.requires_grad]
    subject.options["optimizer"] = torch.optim.Adam(free, lr=1e-3, eps=1.0)
    return NOWHERE


@fault("empty memory that holds zeros", "807", lambda b: is_torch(b) and bool(b.layers))
def never_written(subject: Subject, source: np.random.Generator) -> Paths:
    """A weight is made by ``torch.empty`` and never written; it happens to hold zeros.

    Fits torch modules, told by the function that builds them: zeros today, anything
    tomorrow.
    """
    layers = subject.base.layers
    path = layers[int(source.integers(len(layers)))].weight
    subject.values[path][...] = 0.0
    subject.put(path)
    finished, (stem, _, name) = subject.model, path.rpartition(".")

    def build() -> nn.Module:
        model = copy.deepcopy(finished)
        holder = model.get_submodule(stem)
        shape = holder.get_parameter(name).shape
        setattr(holder, name, nn.Parameter(torch.empty(shape)))
        return model

    subject.options["factory"] = build
    return frozenset({path})
