"""The rules of an update: plain gradient descent, with momentum, and Adam."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Arrays = tuple[np.ndarray, ...]
MOMENTUM: Final = 0.9
BETAS: Final = (0.9, 0.999)
EPSILON: Final = 1e-8


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What an optimizer remembers. step: updates made; first, second: its averages."""

    step: int = 0
    first: Arrays = ()
    second: Arrays = ()


@dataclass(frozen=True, kw_only=True)
class Update:
    """What is added to each parameter, and what is remembered for the next."""

    changes: Arrays
    memory: Memory


def sgd(gradients: Arrays, rate: float, memory: Memory) -> Update:
    """Δ = −η·g.

    >>> sgd((np.array([2.0]),), 0.5, Memory()).changes[0].tolist()
    [-1.0]
    """
    changes = tuple(-rate * gradient for gradient in gradients)
    return Update(changes=changes, memory=Memory(step=memory.step + 1))


def momentum(gradients: Arrays, rate: float, memory: Memory) -> Update:
    """Δ = −η·v, v ← 0.9·v + g, with v = g at the first step (Polyak 1964).

    >>> once = momentum((np.array([1.0]),), 1.0, Memory())
    >>> momentum((np.array([1.0]),), 1.0, once.memory).changes[0].tolist()
    [-1.9]
    """
    speeds = (
        tuple(
            MOMENTUM * speed + gradient
            for speed, gradient in zip(memory.first, gradients, strict=True)
        )
        if memory.first
        else gradients
    )
    changes = tuple(-rate * speed for speed in speeds)
    return Update(changes=changes, memory=Memory(step=memory.step + 1, first=speeds))


def adam(gradients: Arrays, rate: float, memory: Memory) -> Update:
    """Δ = −η·m̂ / (√v̂ + ε) (Kingma & Ba 2015, algorithm 1).

    The first step is −η·sign(g) wherever |g| is far above ε.

    >>> adam((np.array([4.0, -0.5]),), 0.5, Memory()).changes[0].round(6).tolist()
    [-0.5, 0.5]
    """
    step = memory.step + 1
    zeros = tuple(np.zeros_like(gradient) for gradient in gradients)
    first = _averaged(memory.first or zeros, gradients, BETAS[0])
    squares = tuple(gradient * gradient for gradient in gradients)
    second = _averaged(memory.second or zeros, squares, BETAS[1])
    short, long = 1 - BETAS[0] ** step, 1 - BETAS[1] ** step
    changes = tuple(
        -(rate / short) * m / (np.sqrt(v) / long**0.5 + EPSILON)
        for m, v in zip(first, second, strict=True)
    )
    return Update(changes=changes, memory=Memory(step=step, first=first, second=second))


def _averaged(old: Arrays, new: Arrays, keep: float) -> Arrays:
    return tuple(keep * a + (1 - keep) * b for a, b in zip(old, new, strict=True))


OPTIMIZERS: Final[Mapping[str, Callable[[Arrays, float, Memory], Update]]] = (
    MappingProxyType({"sgd": sgd, "momentum": momentum, "adam": adam})
)
