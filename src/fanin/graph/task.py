"""What the model is run on: an example batch and the objective behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Task:
    """An example batch, the loss and the target.

    batch: an array (or tensor), a tuple of positional arguments, a dict of keyword
    arguments, or callable(model) → output. None only with ``objective``.
    loss: "mse", "cross_entropy" (integer or one-hot target, logits), or
    "binary_cross_entropy" (logits), or callable(output, target) → scalar. None: a
    fixed random projection of the output stands in, so that gradients are generic.
    objective: callable(model) → scalar, in place of batch, loss and target.
    seed: governs the noise (dropout) of every run, so that two runs see the same.
    """

    batch: Any = None
    loss: str | Callable[[Any, Any], Any] | None = None
    target: Any = None
    objective: Callable[[Any], Any] | None = None
    seed: int = 0

    @property
    def has_loss(self) -> bool:
        """Say whether gradients are those of the caller's own objective."""
        return self.loss is not None or self.objective is not None
