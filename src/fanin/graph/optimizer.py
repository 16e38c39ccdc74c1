"""What an optimizer will do to the parameters: its family, its numbers, its first step.

A record that crosses walls: the rules read it, and each framework's ``optimizer.py``
makes it of an optimizer of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.first_step import find_method

if TYPE_CHECKING:
    from fanin.graph.first_step import Step

Arrays = Mapping[str, np.ndarray]
FirstStep = Callable[[Arrays, Arrays], dict[str, np.ndarray]]
"""Values and gradients by path → what the first step adds to each parameter."""

PROPORTIONAL: Final = frozenset({"sgd", "asgd", "radam"})
"""Families whose first step is a multiple of the gradient. (RAdam's first five are:
Liu et al., 2020, "On the Variance of the Adaptive Learning Rate", algorithm 2.)"""
DIVIDING: Final = frozenset(
    {"adam", "adamw", "adamax", "nadam", "rmsprop", "adagrad", "lamb"}
)
"""Families that divide each entry by the size of its gradient, plus eps."""
SCALE_FREE: Final = frozenset({"lion", "muon", "rprop", "adafactor"})
"""Families that take a sign, singular vectors or a ratio of the gradient."""
NOT_ENTRYWISE: Final = frozenset({"muon", "lamb", "lars", "adafactor", "lbfgs"})
"""Families in which the step of an entry depends on the others of its tensor."""
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, kw_only=True)
class OptimizerFacts:
    """An optimizer, as far as a first step depends on it.

    family: "sgd", "adam", "adamw", "rmsprop", "adagrad", "lion", "muon" and the like,
    "unknown" where it cannot be told. rate: the learning rate at step 0 of what
    ``rates`` does not name; None if not known. rates: by path, where groups differ.
    momentum, betas, eps, weight_decay: as the method's paper names them.
    unstepped: trainable parameters that are in none of its groups. first_step: what it
    adds at its first step, weight decay left out; None where the rate is not known or
    the method cannot be run on gradients alone.

    >>> facts = named("AdamW", 1e-3)
    >>> facts.family, facts.rate, facts.is_proportional, facts.is_equivariant
    ('adamw', 0.001, False, True)
    """

    family: str
    rate: float | None = None
    rates: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    momentum: float = 0.0
    betas: tuple[float, ...] = ()
    eps: float = 0.0
    weight_decay: float = 0.0
    unstepped: tuple[str, ...] = ()
    first_step: FirstStep | None = None

    @property
    def is_proportional(self) -> bool:
        """Say whether the first step is a multiple of the gradient."""
        return self.family in PROPORTIONAL

    @property
    def is_dividing(self) -> bool:
        """Say whether it divides by the size of each entry's gradient, plus eps."""
        return self.family in DIVIDING

    @property
    def is_scale_free(self) -> bool:
        """Say whether a gradient ten times as large gives the same first step."""
        return self.is_dividing or self.family in SCALE_FREE

    @property
    def is_elementwise(self) -> bool:
        """Say whether the step of an entry depends on that entry alone."""
        return self.family not in NOT_ENTRYWISE | {UNKNOWN}

    @property
    def is_equivariant(self) -> bool:
        """Say whether swapping two units swaps their steps: equal ones stay equal.

        An entry-wise method treats all alike; of the others, those known here read
        norms, or singular values, which do not change when rows change places.
        """
        return self.family != UNKNOWN

    def rate_of(self, path: str) -> float | None:
        """Give the learning rate of a parameter; 0 where it is never stepped.

        >>> named("sgd", 0.1).rate_of("0.weight")
        0.1
        """
        return 0.0 if path in self.unstepped else self.rates.get(path, self.rate)


def named(name: str, learning_rate: float | None = None) -> OptimizerFacts:
    """Give the facts of an optimizer known by name, at its usual numbers.

    Args:
        name: "sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad" or "lion".
        learning_rate: > 0; None if not known, and rules that need it rest.

    Raises:
        UnknownNameError: if it is not known; it names the nearest.

    >>> step = named("sgd", 0.5).first_step
    >>> step({"w": np.zeros(1)}, {"w": np.array([2.0])})["w"].tolist()
    [-1.0]
    """
    method = find_method(name)
    return OptimizerFacts(
        family=method.family,
        rate=learning_rate,
        momentum=method.momentum,
        betas=method.betas,
        eps=method.eps,
        first_step=None
        if learning_rate is None
        else _first_step(method.step, learning_rate),
    )


def _first_step(step: Step, rate: float) -> FirstStep:
    def change(values: Arrays, gradients: Arrays) -> dict[str, np.ndarray]:
        return {
            path: step(np.asarray(gradient, dtype=np.float64), rate)
            for path, gradient in gradients.items()
            if path in values
        }

    return change
