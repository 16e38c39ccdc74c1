"""What an optimizer will do to the parameters: its family and its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fanin.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILIES: Final = ("sgd", "adam", "adamw")


@dataclass(frozen=True, kw_only=True)
class OptimizerFacts:
    """An optimizer, as far as a first step depends on it.

    family: "sgd" or "adam" (every method that divides by the size of the gradient).
    rate: the learning rate of what ``rates`` does not name, by path; None: not known.
    eps: added to the size of the gradient before dividing by it.
    """

    family: str
    rate: float | None = None
    rates: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    momentum: float = 0.0
    eps: float = 1e-8
    weight_decay: float = 0.0


def named(name: str, learning_rate: float | None = None) -> OptimizerFacts:
    """Give the facts of an optimizer known by name, at its usual numbers.

    Raises:
        UnknownNameError: if it is not known; it names the nearest.

    >>> named("AdamW", 1e-3).family
    'adam'
    """
    if name.lower() not in FAMILIES:
        raise UnknownNameError.of(kind="optimizer", name=name, known=FAMILIES)
    family = "sgd" if name.lower() == "sgd" else "adam"
    return OptimizerFacts(family=family, rate=learning_rate)
