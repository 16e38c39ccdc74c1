"""The shape of a distribution, and its one number: what a parameter is drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError, UnknownNameError
from fanin.sampler.truncation import SMALLEST_CUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.fans import AxisRoles

FIELDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "constant": ("value",),
        "normal": ("std",),
        "truncated_normal": ("std",),
        "uniform": ("std", "bound"),
        "orthogonal": ("gain",),
        "delta_orthogonal": ("gain",),
        "identity": ("gain",),
    }
)
"""The numbers that each kind of law may be given; all but the matrices need one."""

MATRICES: Final = frozenset({"orthogonal", "delta_orthogonal", "identity"})

SMALLEST: Final = 1e-29
LARGEST: Final = 1e37
"""Within these no number drawn is subnormal in float32, and none overflows: some
processors set subnormal results to 0, so there the bits would differ."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """A distribution that is symmetric about 0, a constant, or a matrix.

    kind: one of `FIELDS`.
    std: of the numbers drawn, in the weight's unit, 0 or 1e-29 to 1e37; also for
    "truncated_normal", where it is the std *after* the cut.
    bound: half the width of "uniform", in place of std = bound/√3.
    value: of "constant", finite.
    gain: of "orthogonal" and "identity": every singular value is |gain|; 1 if None.
    cut: of "truncated_normal", in units of the std *before* the cut, 0.1 to ∞.
    roles: of "orthogonal" and "identity", what the weight's axes stand for; None means
    (outputs, inputs, kernel …), as PyTorch lays its weights out.

    Raises:
        UnknownNameError: if there is no such kind.
        ArgumentError: if a number is missing, out of range, or not of this kind.

    >>> Law("uniform", std=1.0).half_width
    1.7320508075688772
    >>> Law("truncated_normal", std=0.02).cut
    2.0
    """

    kind: str = field(kw_only=False)
    std: float | None = None
    bound: float | None = None
    value: float | None = None
    gain: float | None = None
    cut: float = 2.0
    roles: AxisRoles | None = None

    def __post_init__(self) -> None:
        if self.kind not in FIELDS:
            raise UnknownNameError.of(kind="law", name=self.kind, known=FIELDS)
        _require_the_right_numbers(self)
        for name in ("std", "bound"):
            size = getattr(self, name)
            if size is not None and size != 0 and not SMALLEST <= size <= LARGEST:
                raise ArgumentError.of(name, size, "0, or from 1e-29 to 1e37")
        for name in ("value", "gain"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ArgumentError.of(name, number, "a finite number")
        if not self.cut >= SMALLEST_CUT:
            expected = "0.1 or more (below that, use a uniform law)"
            raise ArgumentError.of(argument="cut", received=self.cut, expected=expected)

    @property
    def half_width(self) -> float:
        """Half the width of a uniform law: bound, or std·√3."""
        if self.bound is not None:
            return self.bound
        return (self.std or 0.0) * math.sqrt(3.0)

    @property
    def factor(self) -> float:
        """The gain of a matrix, 1 where none was given."""
        return 1.0 if self.gain is None else self.gain


def _require_the_right_numbers(law: Law) -> None:
    own = FIELDS[law.kind]
    given = [
        name
        for name in ("std", "bound", "value", "gain")
        if getattr(law, name) is not None
    ]
    if any(name not in own for name in given):
        raise ArgumentError.of(law.kind, given, f"a law given by {' or '.join(own)}")
    if len(given) != 1 and not (law.kind in MATRICES and not given):
        raise ArgumentError.of(law.kind, given, f"a law given {' or '.join(own)}, once")
