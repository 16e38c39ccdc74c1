"""What one parameter is to be trained with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Rate:
    """The numbers that an optimizer takes for one parameter.

    scale: the multiplier of the learning rate; learning_rate: with it; weight_decay:
    with a multiplier of its own, as the optimizer takes it.

    >>> Rate(scale=0.5, learning_rate=5e-4, weight_decay=0.2).learning_rate
    0.0005
    """

    scale: float
    learning_rate: float
    weight_decay: float
