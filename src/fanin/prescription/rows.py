"""The rows of a plan's table: like prescriptions side by side become one row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.prescription.prescription import VALUES, Prescription

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADINGS = ("parameter", "shape", "role", "scheme", "std", "output rms", "measured")
FEW = 2


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: the first prescription of ``n_alike`` that say the same."""

    first: Prescription
    n_alike: int
    name: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Give the texts under `HEADINGS`."""
        p = self.first
        return (
            self.name,
            "×".join(str(length) for length in p.shape) or "()",
            p.role,
            p.scheme,
            spread(p),
            range_of(p),
            "" if p.measured is None else f"{p.measured:.3g}",
        )


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
    >>> [(r.name, r.n_alike) for r in rows(bias(f"{i}.bias") for i in range(5))]
    [('{0…4}.bias', 5)]
    """
    groups: dict[tuple[object, ...], list[Prescription]] = {}
    for prescription in prescriptions:
        groups.setdefault(_likeness(prescription), []).append(prescription)
    return [row for alike in groups.values() for row in _merged(alike)]


def _merged(alike: list[Prescription]) -> list[Row]:
    if len(alike) <= FEW:
        return [Row(first=p, n_alike=1, name=p.path) for p in alike]
    name = common_name([p.path for p in alike])
    return [Row(first=alike[0], n_alike=len(alike), name=name)]


def _likeness(p: Prescription) -> tuple[object, ...]:
    """Give what must agree for two prescriptions to share a row."""
    rounded = [
        None if n is None else float(f"{n:.2g}")
        for n in (p.std, p.predicted, p.measured)
    ]
    shape_of_path = re.sub(r"\d+", "#", p.path)
    return (shape_of_path, p.shape, p.role, p.scheme, p.law, *rounded)


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


def spread(p: Prescription) -> str:
    """Give the std, or what stands in its place: one number, a range, nothing."""
    if p.is_kept:
        return ""
    if p.law == VALUES:
        return f"{min(p.values):.3g} … {max(p.values):.3g}"
    return f"{p.value:.4g}" if p.law == "constant" else f"{p.std:.4g}"


def range_of(p: Prescription) -> str:
    """Give the predicted root mean square, with its interval if it is wide."""
    if p.predicted is None or p.low is None or p.high is None:
        return ""
    if p.high <= 1.05 * p.low:
        return f"{p.predicted:.3g}"
    return f"{p.predicted:.3g} ({p.low:.2g}–{p.high:.2g})"
