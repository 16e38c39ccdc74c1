"""What one parameter gets, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.graph.fans import AxisRoles, Fan

KEEP = "keep"
"""The law of a parameter that keeps its present values."""
VALUES = "values"
"""The law of a parameter whose every entry is written down in the plan."""


@dataclass(frozen=True, kw_only=True)
class Prescription:
    """One parameter's initial values: the law they are drawn from, and the reason.

    path, shape, dtype: of the parameter. role: what it is for.
    scheme: the spec that a reader can look up ("he_normal"), or "keep".
    law: "constant", "normal", "uniform", "truncated_normal", "orthogonal", "identity",
    "values" (``values`` holds every entry) or "keep".
    std: of the entries, in the weight's unit; root mean square for the matrix laws.
    value: the mean of all entries. gain: dimensionless, std = gain/√fan of the scheme;
    None where none applies. fan, roles: of a weight, else None.
    reason: one or two sentences.
    Of the output, without the bias, as root mean square: target, that it should have
    (None where no calibration is); predicted, low, high, by theory and where one draw
    of the weights should lie; measured, on a batch. factor: by which calibration has
    multiplied the std already.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    role: str
    scheme: str
    law: str
    reason: str
    std: float = 0.0
    value: float = 0.0
    values: tuple[float, ...] = ()
    gain: float | None = None
    fan: Fan[float] | None = None
    roles: AxisRoles | None = None
    target: float | None = None
    predicted: float | None = None
    low: float | None = None
    high: float | None = None
    measured: float | None = None
    factor: float = 1.0

    @property
    def is_kept(self) -> bool:
        """Say whether the parameter keeps its present values."""
        return self.law == KEEP

    @property
    def variance(self) -> float:
        """Give std²: of one entry."""
        return self.std**2

    @property
    def size(self) -> int:
        """Give the number of entries.

        >>> Prescription(
        ...     path="w",
        ...     shape=(2, 3),
        ...     dtype="float32",
        ...     role="",
        ...     scheme="zeros",
        ...     law="constant",
        ...     reason="",
        ... ).size
        6
        """
        size = 1
        for length in self.shape:
            size *= length
        return size
