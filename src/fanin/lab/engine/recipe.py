"""What is built and how it is trained: every word and number that the page can set.

The table `NUMBERS` holds the limits; the page's controls are made from it, and what the
browser sends is held to it. Names come from tables: the browser can name no code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fanin.errors import ArgumentError, UnknownNameError
from fanin.lab.engine.functions import FUNCTIONS
from fanin.lab.engine.optimizers import OPTIMIZERS
from fanin.lab.engine.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Collection

PYTORCH: Final = "lecun_uniform(gain=0.5773502691896258)"
"""U(±1/√fan_in), of variance 1/(3·fan_in): gain 1/√3 on LeCun's 1/fan_in."""

SCHEMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "he_normal": "he_normal",
        "he_uniform": "he_uniform",
        "glorot_normal": "glorot_normal",
        "glorot_uniform": "glorot_uniform",
        "lecun_normal": "lecun_normal",
        "lecun_truncated": "lecun_truncated",
        "pytorch_default": PYTORCH,
        "orthogonal": "orthogonal",
        "identity": "identity",
        "normal": "normal(std=1)",
        "uniform": "uniform(bound=1)",
        "constant": "constant(1)",
        "zeros": "zeros",
    }
)
"""What the page offers, as specs of `fanin.schemes.find_scheme`, at factor 1."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a number may be. is_log: its slider moves on a logarithmic scale."""

    low: float
    high: float
    is_whole: bool = False
    is_log: bool = False


NUMBERS: Final[Mapping[str, Limits]] = MappingProxyType(
    {
        "depth": Limits(low=1, high=60, is_whole=True),
        "width": Limits(low=2, high=256, is_whole=True),
        "factor": Limits(low=1e-3, high=1e2, is_log=True),
        "bias": Limits(low=-10.0, high=10.0),
        "learning_rate": Limits(low=1e-5, high=10.0, is_log=True),
        "batch_size": Limits(low=1, high=256, is_whole=True),
        "seed": Limits(low=0, high=2**32 - 1, is_whole=True),
    }
)

NAMES: Final[Mapping[str, Collection[str]]] = MappingProxyType(
    {
        "activation": FUNCTIONS,
        "scheme": SCHEMES,
        "data": TASKS,
        "optimizer": OPTIMIZERS,
    }
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A net, its start and its training.

    depth: hidden layers; width: units of each. scheme: a key of `SCHEMES`; factor:
    every weight that it draws is multiplied by this. bias: of every hidden unit.

    Raises:
        UnknownNameError: if a name stands in no table.
        ArgumentError: if a number is of the wrong kind or outside its limits.

    >>> Recipe(depth=2, width=8).sizes(2, 3)
    (2, 8, 8, 3)
    """

    depth: int = 8
    width: int = 32
    activation: str = "tanh"
    scheme: str = "glorot_normal"
    factor: float = 1.0
    bias: float = 0.0
    data: str = "spirals"
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    batch_size: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in NAMES.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise UnknownNameError.of(kind=name, name=str(value)[:40], known=known)
        for name, limits in NUMBERS.items():
            _require(name, getattr(self, name), limits)

    @classmethod
    def of(cls, form: object) -> Recipe:
        """Read what the browser sent.

        Args:
            form: a JSON object; what it does not name is as usual.

        Raises:
            UnknownNameError: if it names a field or a record that there is none of.
            ArgumentError: if it is no object, or a number is out of range.

        >>> Recipe.of({"depth": 3, "factor": 2}).factor
        2.0
        """
        if not isinstance(form, Mapping):
            raise ArgumentError.of(
                argument="recipe",
                received=str(form)[:40],
                expected="an object of settings",
            )
        known = [each.name for each in fields(cls)]
        for name in form:
            if name not in known:
                raise UnknownNameError.of(
                    kind="setting", name=str(name)[:40], known=known
                )
        values: dict[str, Any] = {n: _read(n, value) for n, value in form.items()}
        return cls(**values)

    def sizes(self, n_in: int, n_out: int) -> tuple[int, ...]:
        """Give the units of input, hidden layers and output."""
        return (n_in, *(self.width,) * self.depth, n_out)


def _read(name: str, value: object) -> object:
    """Give a number as its field has it: JSON knows no difference between 2 and 2.0."""
    limits = NUMBERS.get(name)
    if limits is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and not limits.is_whole:
        return float(value) if abs(value) < 2**53 else value
    if isinstance(value, float) and limits.is_whole and value.is_integer():
        return int(value)
    return value


def _require(name: str, value: object, limits: Limits) -> None:
    kind = int if limits.is_whole else float
    is_right = isinstance(value, kind) and not isinstance(value, bool)
    if is_right and isfinite(value) and limits.low <= value <= limits.high:  # type: ignore[arg-type, operator]
        return
    words = "a whole number" if limits.is_whole else "a number"
    expected = f"{words} from {limits.low:g} to {limits.high:g}"
    raise ArgumentError.of(argument=name, received=value, expected=expected)
