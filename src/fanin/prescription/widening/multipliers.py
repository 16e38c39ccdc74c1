"""What an optimizer is to multiply its learning rate by, parameter by parameter.

Optimizers fall into two families, by how large their steps are: those whose steps go
with the gradient (SGD, with momentum or without), and those that divide the gradient by
its size, so that every entry moves by about the learning rate (Adam and its kin).

Weight decay should take the same share of a weight at every width, in each step:

- decoupled (AdamW: W ← W − η·λ·W): where η is multiplied by m, λ is divided by m;
- coupled (λ·W is added to the gradient): the gradient of a weight falls as the weight
  over SGD's multiplier m, so λ is divided by that m, under SGD and Adam alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError, UnknownNameError
from fanin.graph.rate import Rate

if TYPE_CHECKING:
    from fanin.prescription.plan import Plan
    from fanin.prescription.prescription import Prescription

BY_SIGN: Final = frozenset(
    {"adam", "adamw", "adamax", "nadam", "radam", "rmsprop", "adagrad", "lion"}
)
"""Optimizers whose steps do not grow with the gradient."""
BY_GRADIENT: Final = frozenset({"sgd"})
"""Optimizers whose steps are the gradient times the learning rate."""
DECOUPLED: Final = frozenset({"adamw", "lion"})
"""Optimizers that take the decay off the weight, beside the step."""


def multipliers(plan: Plan, optimizer: str = "adam") -> dict[str, float]:
    """Give the learning rate's multiplier of each parameter, by path.

    Raises:
        UnknownNameError: if no rule for the optimizer is known.

    >>> from fanin.graph.sketch import Sketch
    >>> from fanin.prescription.make import make_plan
    >>> def net(width):
    ...     sketch = Sketch()
    ...     z = sketch.dense(sketch.input((8, 4)), width, path="0", has_bias=False)
    ...     z = sketch.apply(z, abs)
    ...     return sketch.graph(sketch.dense(z, 3, path="1", has_bias=False))
    >>> plan = make_plan(net(64), policy="mup", base=net(16))
    >>> multipliers(plan), multipliers(plan, "sgd")
    ({'0.weight': 1.0, '1.weight': 0.25}, {'0.weight': 4.0, '1.weight': 0.25})
    """
    name = known(optimizer)
    return {p.path: _scale(p, name) for p in plan.prescriptions}


def rates(
    plan: Plan, *, lr: float, optimizer: str = "adam", weight_decay: float = 0.0
) -> dict[str, Rate]:
    """Give what each parameter is to be trained with, by path.

    Args:
        plan: of the model.
        lr: the learning rate that fits the base, > 0.
        optimizer: its name, in any case of letters.
        weight_decay: that fits the base, as the optimizer takes it, 0 or more.

    Raises:
        ArgumentError: if a number is out of range.
        UnknownNameError: if no rule for the optimizer is known.
    """
    if not 0.0 < lr < float("inf"):
        expected = "a finite number above 0"
        raise ArgumentError.of(argument="lr", received=lr, expected=expected)
    if not 0.0 <= weight_decay < float("inf"):
        expected = "a finite number of 0 or more"
        raise ArgumentError.of(
            argument="weight_decay", received=weight_decay, expected=expected
        )
    name = known(optimizer)
    found = {}
    for p in plan.prescriptions:
        scale = _scale(p, name)
        shrinking = scale if name in DECOUPLED else p.learning_rate_sgd
        found[p.path] = Rate(
            scale=scale,
            learning_rate=lr * scale,
            weight_decay=weight_decay / shrinking,
        )
    return found


def known(optimizer: str) -> str:
    """Give the optimizer's name in small letters.

    Raises:
        UnknownNameError: if no rule for it is known.
    """
    name = optimizer.lower()
    if name not in BY_SIGN | BY_GRADIENT:
        raise UnknownNameError.of(
            kind="optimizer with rules for its learning rate",
            name=optimizer,
            known=BY_SIGN | BY_GRADIENT,
        )
    return name


def _scale(p: Prescription, optimizer: str) -> float:
    return p.learning_rate_sgd if optimizer in BY_GRADIENT else p.learning_rate
