"""The update rules of an ensemble, with a learning rate for every member.

Written out, since torch.optim has one learning rate for a whole array, and so that a
step of plain gradient descent is a single matrix product added onto the weights: no
gradient is ever stored. Constants and order of operations are those of
``torch.optim.SGD``, ``Adam`` and ``AdamW``; a test holds them together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from fanin.errors import UnknownNameError
from fanin.graph.cohort import OPTIMIZERS

if TYPE_CHECKING:
    import numpy as np

MOMENTUM = 0.9
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
DECAY = 0.01  # of AdamW


@dataclass(kw_only=True)
class Memory:
    """What a rule remembers of one parameter between two steps."""

    n_steps: int = 0
    mean: torch.Tensor | None = None
    square: torch.Tensor | None = None


@dataclass(kw_only=True)
class Updater:
    """Changes parameters whose first axis is the member, in place."""

    rule: str
    rates: torch.Tensor
    memory: dict[int, Memory] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: str, learning_rates: np.ndarray) -> Updater:
        """Make one.

        Args:
            rule: one of ``OPTIMIZERS``.
            learning_rates: "n_members", > 0.

        Raises:
            UnknownNameError: if there is no such rule.
        """
        if rule not in OPTIMIZERS:
            kind = "optimizer"
            raise UnknownNameError.of(kind, rule, OPTIMIZERS)
        rates = torch.tensor(learning_rates, dtype=torch.float32)
        return cls(rule=rule, rates=rates.view(-1, 1, 1))

    def step(
        self, weight: torch.Tensor, left: torch.Tensor, right: torch.Tensor
    ) -> None:
        """Take one step along −left·right, the gradient as a batched product.

        Args:
            weight: "member n_in n_out", changed.
            left: "member n_in sample".
            right: "member sample n_out".
        """
        if self.rule == "sgd":
            weight.baddbmm_(left, right * -self.rates)
            return
        memory = self.memory.setdefault(id(weight), Memory())
        gradient = torch.bmm(left, right)
        change = self._momentum if self.rule == "momentum" else self._adam
        if self.rule == "adamw":  # Loshchilov & Hutter (2019): apart from the gradient
            weight.mul_(1 - self.rates * DECAY)
        memory.n_steps += 1
        weight.addcmul_(change(memory, gradient), self.rates, value=-1)

    def _momentum(self, memory: Memory, gradient: torch.Tensor) -> torch.Tensor:
        """Polyak (1964): v ← 0.9·v + g."""
        if memory.mean is None:
            memory.mean = torch.zeros_like(gradient)
        return memory.mean.mul_(MOMENTUM).add_(gradient)

    def _adam(self, memory: Memory, gradient: torch.Tensor) -> torch.Tensor:
        """Kingma & Ba (2015), algorithm 1: both moments corrected for their zero."""
        if memory.mean is None or memory.square is None:
            memory.mean = torch.zeros_like(gradient)
            memory.square = torch.zeros_like(gradient)
        mean = memory.mean.mul_(BETA_1).add_(gradient, alpha=1 - BETA_1)
        square = memory.square.mul_(BETA_2)
        square.addcmul_(gradient, gradient, value=1 - BETA_2)
        root = (square / (1 - BETA_2**memory.n_steps)).sqrt_().add_(EPSILON)
        return mean / (1 - BETA_1**memory.n_steps) / root
