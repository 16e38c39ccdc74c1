"""The rows of a plan's table: like prescriptions side by side become one row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.prescription.prescription import VALUES, Prescription

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADINGS = (
    "parameter",
    "shape",
    "role",
    "scheme",
    "gain",
    "std",
    "output rms",
    "measured",
)
SHOWN = 3
"""Rows named before a reason."""
FEW = 2
"""Rows are grouped beyond so many that are alike."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: prescriptions that say the same."""

    name: str
    alike: tuple[Prescription, ...]

    @property
    def first(self) -> Prescription:
        """Give the one that stands for all."""
        return self.alike[0]

    @property
    def cells(self) -> tuple[str, ...]:
        """Give the texts under `HEADINGS`."""
        p = self.first
        n_alike = len(self.alike)
        return (
            self.name if n_alike == 1 else f"{self.name} (×{n_alike})",
            "×".join(str(length) for length in p.shape) or "()",
            p.role,
            p.scheme.partition("(gain")[0],
            extent([q.gain for q in self.alike], digits=4),
            spread(self.alike),
            extent([q.predicted for q in self.alike]),
            extent([q.measured for q in self.alike]),
        )


def reasons(found: Iterable[Row]) -> list[tuple[str, str]]:
    """Give each reason once, after the names of the rows that it is for."""
    names: dict[str, list[str]] = {}
    for row in found:
        names.setdefault(row.first.reason, []).append(row.name)
    return [
        (", ".join(paths[:SHOWN]) + (", …" if len(paths) > SHOWN else ""), reason)
        for reason, paths in names.items()
    ]


def rows(prescriptions: Iterable[Prescription]) -> list[Row]:
    """Group what is alike and differs only in a number in its path.

    >>> def bias(path):
    ...     return Prescription(
    ...         path=path,
    ...         shape=(3,),
    ...         dtype="float32",
    ...         role="bias",
    ...         scheme="zeros",
    ...         law="constant",
    ...         reason="",
    ...     )
    >>> [row.cells[0] for row in rows(bias(f"{i}.bias") for i in range(5))]
    ['{0…4}.bias (×5)']
    """
    groups: dict[tuple[object, ...], list[Prescription]] = {}
    for prescription in prescriptions:
        groups.setdefault(_likeness(prescription), []).append(prescription)
    return [row for alike in groups.values() for row in _merged(alike)]


def _merged(alike: list[Prescription]) -> list[Row]:
    if len(alike) <= FEW:
        return [Row(name=p.path, alike=(p,)) for p in alike]
    return [Row(name=common_name([p.path for p in alike]), alike=tuple(alike))]


def _likeness(p: Prescription) -> tuple[object, ...]:
    """Give what must agree for two prescriptions to share a row: not the exact std."""
    path = re.sub(r"\d+", "#", p.path)
    scheme = p.scheme.partition("(gain")[0]
    is_scaled = p.std > 0.0
    return (path, p.shape, p.role, scheme, p.law, is_scaled, f"{p.value:.4g}")


def common_name(paths: list[str]) -> str:
    """Give one name for paths that differ in numbers: the numbers' range in braces.

    >>> common_name(["layers.1.0.weight", "layers.1.3.weight", "layers.2.0.weight"])
    'layers.{1…2}.{0…3}.weight'
    """
    numbers = [[int(n) for n in re.findall(r"\d+", path)] for path in paths]
    ranges = iter(zip(*numbers, strict=True))

    def replaced(_: re.Match[str]) -> str:
        found = next(ranges)
        low, high = min(found), max(found)
        return str(low) if low == high else f"{{{low}…{high}}}"

    return re.sub(r"\d+", replaced, paths[0])


def spread(alike: tuple[Prescription, ...]) -> str:
    """Give the std, or what stands in its place: the value, a range, or nothing."""
    p = alike[0]
    if p.is_kept:
        return ""
    if p.law == VALUES:
        return f"{min(p.values):.2g}…{max(p.values):.2g}"
    if p.law == "constant":
        return f"{p.value:.4g}"
    return extent([q.std for q in alike], digits=4)


def extent(numbers: list[float | None], *, digits: int = 3) -> str:
    """Give the range of the numbers that are known, as one if they agree.

    >>> extent([0.52, None, 0.16]), extent([1.0, 1.004]), extent([None])
    ('0.16–0.52', '1', '')
    """
    known = [number for number in numbers if number is not None]
    if not known:
        return ""
    low, high = f"{min(known):.{digits}g}", f"{max(known):.{digits}g}"
    if low == high or max(known) - min(known) <= 0.005 * abs(max(known)):
        return low
    return f"{low}–{high}"
