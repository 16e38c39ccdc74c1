"""A setting: all that is alike for the schemes that compete in it. A trial: one net."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

FACTORS = ("depth", "width", "optimizer", "normalization")
"""Beside the activation: what an experiment may have one or several values of."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What schemes are compared in: the net's shape and how it is trained."""

    activation: str
    depth: int = 20
    width: int = 64
    optimizer: str = "sgd"
    normalization: str = "none"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One net to train: a scheme in a setting, at one rate, from one seed."""

    scheme: str
    activation: str
    learning_rate: float
    seed: int
    depth: int = 20
    width: int = 64
    optimizer: str = "sgd"
    normalization: str = "none"

    @property
    def setting(self) -> Setting:
        """Give what it shares with the trials that it is compared with."""
        return Setting(
            activation=self.activation,
            depth=self.depth,
            width=self.width,
            optimizer=self.optimizer,
            normalization=self.normalization,
        )


def values_of(value: object, name: str) -> Any:  # noqa: ANN401 (of a field's kind)
    """Give a factor's values as a tuple; lists of other fields stay as they are.

    >>> values_of(20, "depth"), values_of((5, 10), "depth")
    ((20,), (5, 10))
    """
    return (value,) if name in FACTORS and not isinstance(value, tuple) else value


def names_of(settings: Sequence[Setting]) -> dict[Setting, str]:
    """Name settings by what tells them apart; the activation always stands first.

    >>> list(
    ...     names_of([Setting(activation="relu"), Setting(activation="tanh")]).values()
    ... )
    ['relu', 'tanh']
    >>> list(names_of([Setting(activation="relu", depth=d) for d in (5, 9)]).values())
    ['relu, depth 5', 'relu, depth 9']
    """
    varying = [
        name
        for name in FACTORS
        if len({getattr(setting, name) for setting in settings}) > 1
    ]
    return {setting: ", ".join(_words(setting, varying)) for setting in settings}


def _words(setting: Setting, varying: Sequence[str]) -> list[str]:
    fields = dataclasses.asdict(setting)
    parts = [setting.activation]
    for name in varying:
        value = fields[name]
        if name == "normalization":
            parts.append("no norm" if value == "none" else f"{value} norm")
        else:
            parts.append(value if name == "optimizer" else f"{name} {value}")
    return parts
