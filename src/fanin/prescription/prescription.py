"""What one parameter gets, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.graph.fans import AxisRoles, Fan
    from fanin.graph.roles import RoleSlice

KEEP = "keep"
"""The law of a parameter that keeps its present values."""
VALUES = "values"
"""The law of a parameter whose every entry is written down in the plan."""
OFFSET = "offset"
"""The law of a bias that follows the rows of its layer's weight."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Units of a parameter that get something of their own.

    Of the output axis, those units ``u`` with ``start ≤ u mod period < start + size``,
    as a `RoleSlice` has them. kind: what they are for, in words ("forget gate").
    factor: their entries are multiplied by it; value: or set to it, if it is not None.

    >>> forget = Part(kind="forget gate", start=4, size=4, period=16, value=1.0)
    >>> [unit for unit in range(16) if forget.holds(unit)]
    [4, 5, 6, 7]
    """

    kind: str
    start: int
    size: int
    period: int
    factor: float = 1.0
    value: float | None = None

    @classmethod
    def of(
        cls, piece: RoleSlice, *, factor: float = 1.0, value: float | None = None
    ) -> Part:
        """Give the units of a role's slice a factor or a value.

        >>> from fanin.graph.roles import RoleKind, RoleSlice
        >>> key = RoleSlice(kind=RoleKind.KEY, start=4, size=4, period=12)
        >>> Part.of(key, factor=0.5).factor
        0.5
        """
        return cls(
            kind=str(piece.kind),
            start=piece.start,
            size=piece.size,
            period=piece.period,
            factor=factor,
            value=value,
        )

    def holds(self, unit: int) -> bool:
        """Say whether a unit belongs to the part."""
        return self.start <= unit % self.period < self.start + self.size


@dataclass(frozen=True, kw_only=True)
class Prescription:
    """One parameter's initial values: the law they are drawn from, and the reason.

    path, shape, dtype: of the parameter. role: what it is for.
    scheme: the spec that a reader can look up ("he_normal"), or "keep".
    law: "constant", "normal", "uniform", "truncated_normal", "orthogonal",
    "delta_orthogonal", "identity", "values" (``values`` holds every entry), "offset"
    or "keep".
    std: of the entries, in the weight's unit; root mean square for the matrix laws.
    value: the mean of all entries. gain: dimensionless, std = gain/√fan of the scheme;
    None where none applies. fan, roles: of a weight, else None.
    reason: one or two sentences. evidence: how the role was found.
    centre: of the law "values", the part of each value that fits this one draw of the
    weights, () for none; from another seed the values are drawn without it.
    mirrored: axes of the shape whose second half holds minus the first half; the law
    is drawn on the halved shape, with fans of its own. n_blocks: the output axis is
    cut in so many equal blocks, each drawn for itself (an n × n matrix a gate).
    parts: units that are multiplied by a factor or set to a value, last of all.
    weight: of the law "offset", the path of the weight that the bias follows: it is
    −value·(sum of the unit's row), so that the layer computes W(x − value); the std of
    the weight counts as it is after calibration, and a kept weight's present values.
    learning_rate: multiplies that of Adam and its kin, learning_rate_sgd that of SGD,
    where a policy has rules for them. seed: of this parameter alone, None for
    the plan's.
    Of the output, without the bias, as root mean square: target, that it should have
    (None where no calibration is); predicted, low, high, by theory and where one draw
    of the weights should lie; measured, on a batch; gradient: of the loss
    by the entries, measured; input_share: the share of its second moment that differs
    between samples, measured. is_asked: the caller named it. factor: by which
    calibration has multiplied the std already.
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
    mirrored: tuple[int, ...] = ()
    n_blocks: int = 1
    parts: tuple[Part, ...] = ()
    weight: str | None = None
    learning_rate: float = 1.0
    learning_rate_sgd: float = 1.0
    gradient: float | None = None
    seed: int | None = None
    evidence: str = ""
    centre: tuple[float, ...] = ()
    is_asked: bool = False
    input_share: float | None = None

    @property
    def is_kept(self) -> bool:
        """Say whether the parameter keeps its present values."""
        return self.law == KEEP

    @property
    def variance(self) -> float:
        """Give the mean square of what is drawn, over all entries: std², and parts.

        The std is that of the units that no part names; no two parts share a unit.

        >>> gate = Part(kind="gate", start=0, size=1, period=2, factor=3.0)
        >>> Prescription(
        ...     path="w",
        ...     shape=(2, 3),
        ...     dtype="float32",
        ...     role="",
        ...     scheme="normal",
        ...     law="normal",
        ...     reason="",
        ...     std=1.0,
        ...     parts=(gate,),
        ... ).variance
        5.0
        """
        changed = sum(
            part.size / part.period * (_square(part) - 1.0) for part in self.parts
        )
        return self.std**2 * (1.0 + changed)

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


def _square(part: Part) -> float:
    """Give the square by which a part multiplies a variance: 0 where a value is set."""
    return part.factor**2 if part.value is None else 0.0
