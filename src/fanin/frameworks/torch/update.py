"""The update rules of an ensemble, with a learning rate for every member.

Written out, since torch.optim has one learning rate for a whole array. Constants and
order of operations are those of ``torch.optim.SGD`` and ``torch.optim.Adam``; a test
holds them together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from fanin.errors import UnknownNameError
from fanin.graph.cohort import OPTIMIZERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

MOMENTUM = 0.9
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(kw_only=True)
class Updater:
    """Holds what a rule remembers between two steps, and the parameters it changes."""

    rule: str
    rates: torch.Tensor
    parameters: Sequence[torch.Tensor]
    n_steps: int = 0
    velocity: list[torch.Tensor] = field(default_factory=list)
    second_moment: list[torch.Tensor] = field(default_factory=list)

    @classmethod
    def of(
        cls, rule: str, learning_rates: np.ndarray, parameters: Sequence[torch.Tensor]
    ) -> Updater:
        """Make one for parameters whose first axis is the member.

        Raises:
            UnknownNameError: if there is no such rule.
        """
        if rule not in OPTIMIZERS:
            kind = "optimizer"
            raise UnknownNameError.of(kind, rule, OPTIMIZERS)
        rates = torch.tensor(learning_rates, dtype=torch.float32).view(-1, 1, 1)
        return cls(
            rule=rule,
            rates=rates,
            parameters=parameters,
            velocity=[torch.zeros_like(p) for p in parameters],
            second_moment=[torch.zeros_like(p) for p in parameters],
        )

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """Change the parameters once, in place."""
        self.n_steps += 1
        with torch.no_grad():
            torch._foreach_sub_(list(self.parameters), self._changes(list(gradients)))

    def _changes(self, gradients: list[torch.Tensor]) -> list[torch.Tensor]:
        if self.rule == "sgd":
            return [gradient * self.rates for gradient in gradients]
        if self.rule == "momentum":
            torch._foreach_mul_(self.velocity, MOMENTUM)
            torch._foreach_add_(self.velocity, gradients)
            return [velocity * self.rates for velocity in self.velocity]
        torch._foreach_mul_(self.velocity, BETA_1)
        torch._foreach_add_(self.velocity, gradients, alpha=1 - BETA_1)
        torch._foreach_mul_(self.second_moment, BETA_2)
        torch._foreach_addcmul_(
            self.second_moment, gradients, gradients, value=1 - BETA_2
        )
        return [self._adam(v, s) for v, s in self._moments()]

    def _moments(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return list(zip(self.velocity, self.second_moment, strict=True))

    def _adam(self, mean: torch.Tensor, square: torch.Tensor) -> torch.Tensor:
        """Kingma & Ba (2015), algorithm 1: both moments corrected for their zero."""
        mean_now = mean / (1 - BETA_1**self.n_steps)
        root = (square / (1 - BETA_2**self.n_steps)).sqrt() + EPSILON
        return mean_now / root * self.rates
