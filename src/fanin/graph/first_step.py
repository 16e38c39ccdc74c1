"""What a named optimizer adds to a parameter at its first step, one entry at a time.

Written for a first step: every running mean is the gradient itself, times a factor
that the method corrects for or that is left in. A test holds each formula to what
``torch.optim`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from fanin.errors import UnknownNameError

Step = Callable[[np.ndarray, float], np.ndarray]
"""A gradient and a learning rate → what is added to the parameter."""

RMSPROP_DECAY: Final = 0.99
ADAGRAD_EPS: Final = 1e-10
EPS: Final = 1e-8


def by_gradient(gradient: np.ndarray, rate: float) -> np.ndarray:
    """−lr·g: gradient descent, with momentum or without.

    >>> by_gradient(np.array([2.0]), 0.1)
    array([-0.2])
    """
    return np.asarray(-rate * gradient)


def by_adam(gradient: np.ndarray, rate: float) -> np.ndarray:
    """−lr·g/(|g| + ε): both moments are those of one gradient once corrected.

    Kingma & Ba (2015), algorithm 1 at t = 1.

    >>> float(by_adam(np.array([-1e-8]), 1.0)[0])
    0.5
    """
    return np.asarray(-rate * gradient / (np.abs(gradient) + EPS))


def by_rmsprop(gradient: np.ndarray, rate: float) -> np.ndarray:
    """−lr·g/(√(1−α)·|g| + ε): the mean square starts at 0 and is not corrected.

    Tieleman & Hinton (2012), lecture 6.5; α = 0.99, so that a step is ten rates long.

    >>> float(by_rmsprop(np.array([1.0]), 0.1)[0].round(5))
    -1.0
    """
    return np.asarray(
        -rate * gradient / (np.sqrt(1 - RMSPROP_DECAY) * np.abs(gradient) + EPS)
    )


def by_adagrad(gradient: np.ndarray, rate: float) -> np.ndarray:
    """−lr·g/(|g| + ε): the sum of squares has one term.

    Duchi, Hazan & Singer (2011), figure 1.

    >>> float(by_adagrad(np.array([4.0]), 0.5)[0].round(9))
    -0.5
    """
    return np.asarray(-rate * gradient / (np.abs(gradient) + ADAGRAD_EPS))


def by_lion(gradient: np.ndarray, rate: float) -> np.ndarray:
    """−lr·sign g.

    Chen et al. (2023), "Symbolic Discovery of Optimization Algorithms", program 1.

    >>> by_lion(np.array([3.0, 0.0]), 0.5)
    array([-0.5, -0. ])
    """
    return np.asarray(-rate * np.sign(gradient))


@dataclass(frozen=True, kw_only=True)
class Method:
    """A named optimizer at its usual numbers.

    family: what its methods are judged by. step: one gradient and a rate → the change.
    """

    family: str
    step: Step
    momentum: float = 0.0
    betas: tuple[float, ...] = ()
    eps: float = 0.0


METHODS: Final = {
    "sgd": Method(family="sgd", step=by_gradient),
    "momentum": Method(family="sgd", step=by_gradient, momentum=0.9),
    "adam": Method(family="adam", step=by_adam, betas=(0.9, 0.999), eps=EPS),
    "adamw": Method(family="adamw", step=by_adam, betas=(0.9, 0.999), eps=EPS),
    "rmsprop": Method(family="rmsprop", step=by_rmsprop, eps=EPS),
    "adagrad": Method(family="adagrad", step=by_adagrad, eps=ADAGRAD_EPS),
    "lion": Method(family="lion", step=by_lion, betas=(0.9, 0.99)),
}


def find_method(name: str) -> Method:
    """Give the method of that name.

    Raises:
        UnknownNameError: if there is none; it names the nearest.

    >>> find_method("AdamW").family
    'adamw'
    """
    if name.lower() not in METHODS:
        kind = "optimizer"
        raise UnknownNameError.of(kind, name, METHODS)
    return METHODS[name.lower()]
