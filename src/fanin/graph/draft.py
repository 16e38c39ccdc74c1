"""A Draft: one primitive as a framework ran it, before the graph is simplified."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

PointwiseFunction = Callable[..., "np.ndarray"]
"""Float64 arrays, one an input, broadcast as NumPy does → one float64 array."""

RULES = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "")
"""What a pointwise primitive of two tensors is; "" for any other function."""


class Kind(StrEnum):
    """What a primitive is, in words that every framework's primitives fit."""

    INPUT = "input"
    CONSTANT = "constant"
    RANDOM = "random"
    PARAMETER = "parameter"
    POINTWISE = "pointwise"
    CONTRACT = "contract"
    CONVOLVE = "convolve"
    LOOKUP = "lookup"
    PERMUTE = "permute"
    RESHAPE = "reshape"
    BROADCAST = "broadcast"
    PICK = "pick"
    CONCAT = "concat"
    REDUCE = "reduce"
    POOL = "pool"
    NORMALIZE = "normalize"
    SOFTMAX = "softmax"
    NOISE = "noise"
    ROTATE = "rotate"
    OPAQUE = "opaque"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in the user's code a primitive ran: module path, and "file.py:23"."""

    path: str = ""
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One primitive and the value that it gave; ``id`` names both.

    inputs: ids of the values it read. name: the framework's name for it
    ("aten.addmm"). function, rule: of POINTWISE. value: of CONSTANT and PARAMETER, the
    numbers where they are known. settings: the arguments of the builder's method.
    """

    id: int
    kind: Kind
    shape: tuple[int, ...]
    inputs: tuple[int, ...] = ()
    name: str = ""
    place: Place = field(default_factory=Place)
    function: PointwiseFunction | None = None
    rule: str = ""
    value: np.ndarray | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_table(self) -> bool:
        """Say whether it is a constant of several known numbers, none of them 0."""
        if self.kind is not Kind.CONSTANT or self.value is None:
            return False
        return self.value.size > 1 and bool((self.value != 0).all())
