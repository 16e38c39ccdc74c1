"""The rows of a plan's table: like prescriptions side by side become one row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fanin.prescription.prescription import OFFSET, VALUES, Prescription

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
    "input share",
    "gradient",
    "learning rate",
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
            p.role.replace("query, key, value", "q, k, v"),
            ", ".join((short_scheme(p.scheme), *structure(p))),
            extent([q.gain for q in self.alike], digits=4),
            spread(self.alike),
            extent([q.predicted for q in self.alike]),
            extent([q.measured for q in self.alike]),
            extent([q.input_share for q in self.alike]),
            extent([q.gradient for q in self.alike]),
            rates(self.alike),
        )


def columns(found: Iterable[Row]) -> list[int]:
    """Give the columns of the table that are not empty throughout."""
    cells = [row.cells for row in found]
    return [i for i in range(len(HEADINGS)) if any(line[i] for line in cells)]


def reasons(found: Iterable[Row]) -> list[tuple[str, str]]:
    """Give each reason once, after the names of the rows that it is for."""
    return _named_once((row.first.reason, row.name) for row in found)


def evidence(found: Iterable[Row]) -> list[tuple[str, str]]:
    """Give how each role was found once, after the names of the parameters."""
    return _named_once(
        (f"{p.role}: {p.evidence}", p.path)
        for row in found
        for p in row.alike
        if p.evidence
    )


def _named_once(said: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give each text once, after the first few names that it is said of."""
    names: dict[str, list[str]] = {}
    for text, name in said:
        names.setdefault(text, []).append(name)
    return [
        (", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else ""), text)
        for text, found in names.items()
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
    scheme = short_scheme(p.scheme)
    is_scaled = p.std > 0.0
    form = (p.n_blocks, p.mirrored, p.parts, p.seed)
    return (path, p.shape, p.role, scheme, p.law, is_scaled, f"{p.value:.4g}", form)


def short_scheme(spec: str) -> str:
    """Give a spec without the numbers that stand in columns of their own.

    >>> short_scheme("normal(std=0.02)"), short_scheme("constant(0.5)")
    ('normal', 'constant')
    >>> short_scheme("he_normal(mode=fan_out)")
    'he_normal(mode=fan_out)'
    """
    return re.sub(r"\((gain=|std=|value=)?[-+.e0-9]*\)$", "", spec)


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
    if p.law == OFFSET:
        return f"−{p.value:.4g}·Σw"
    return extent([q.std for q in alike], digits=4 if len(alike) == 1 else 3)


def structure(p: Prescription) -> list[str]:
    """Say in words what is done beside the law.

    >>> structure(
    ...     Prescription(
    ...         path="w",
    ...         shape=(8, 2),
    ...         dtype="float32",
    ...         role="recurrent",
    ...         scheme="orthogonal",
    ...         law="orthogonal",
    ...         reason="",
    ...         n_blocks=4,
    ...         mirrored=(1,),
    ...     )
    ... )
    ['4 blocks', 'mirrored']
    """
    words = [] if p.seed is None else [f"seed {p.seed}"]
    words += [f"{p.n_blocks} blocks"] if p.n_blocks > 1 else []
    words += ["mirrored"] if p.mirrored else []
    words += [
        f"{part.kind} ×{part.factor:.3g}"
        if part.value is None
        else f"{part.kind} {part.value:.3g}"
        for part in p.parts
    ]
    return words


def rates(alike: tuple[Prescription, ...]) -> str:
    """Give the multipliers of the learning rate, of Adam's and then SGD's, or nothing.

    Nothing where all are 1.
    """
    adam, sgd = (
        extent([getattr(p, name) for p in alike])
        for name in ("learning_rate", "learning_rate_sgd")
    )
    if adam == sgd:
        return "" if adam == "1" else f"×{adam}"
    return f"×{adam} (SGD ×{sgd})"


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
