"""What seems to have happened to a parameter that does not hold the plan's numbers.

Each function knows one thing that happens to weights and gives it in words, or "";
what belongs to one parameter alone stands behind a colon. The first that fits is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.prescription.drawing import draw_of
from fanin.prescription.prescription import OFFSET
from fanin.prescription.verification.numbers import PRECISION, Numbers, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.prescription.prescription import Prescription

SEEDS: Final = (*range(101), 123, 420, 666, 777, 999, 1000, 1001, 1111, 1234, 1337)
FAMOUS: Final = (*range(2018, 2031), 3407, 10086, 12345, 31337, 54321, 123456, 114514)
"""Seeds that people choose."""
FEW: Final = 16
"""Numbers that tell one draw from another; they agree by chance in under 2⁻¹⁰⁰."""
TRAINED: Final = 0.5
"""Correlation from which numbers count as moved and not as drawn anew."""
LARGEST_MATRIX: Final = 1 << 20
"""Entries of a matrix up to which it is drawn again to try an explanation."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A parameter that differs.

    prescription: of the plan. seed: of the plan's draw. numbers: what was looked at;
    some of it differs. dtype: in which it is held. is_whole: every number of the
    parameter was looked at. others: prescriptions of other parameters of its shape.
    """

    prescription: Prescription
    seed: int
    numbers: Numbers
    dtype: str
    is_whole: bool
    others: tuple[Prescription, ...] = ()

    @property
    def precision(self) -> float:
        """Give the relative rounding error of the dtype in which it is held."""
        return PRECISION.get(self.dtype, 2.0**-8)

    @property
    def is_drawable(self) -> bool:
        """Say whether other draws of it can be made at little cost."""
        p = self.prescription
        is_cheap = "orthogonal" not in p.law or p.size <= LARGEST_MATRIX
        return p.law not in {"constant", "identity", OFFSET} and is_cheap


def cause_of(case: Case) -> str:
    """Give in words what seems to have happened."""
    return next(text for find in CAUSES if (text := find(case)))


def not_finite(case: Case) -> str:
    """Find NaN and infinity."""
    n_bad = int(np.sum(~np.isfinite(case.numbers.received)))
    return f"NaN or infinite: {n_bad:,} of those looked at" if n_bad else ""


def all_alike(case: Case) -> str:
    """Find one number everywhere."""
    received = case.numbers.received
    if np.any(received != received[0]):
        return ""
    return f"every number looked at is {received[0]:g}"


def narrowed(case: Case) -> str:
    """Find numbers that have been through a narrower dtype and back."""
    for dtype in ("bfloat16", "float16"):
        through = rounded(case.numbers.planned, dtype)
        if case.dtype != dtype and np.array_equal(through, case.numbers.received):
            return f"cast to {dtype} and back"
    return ""


def in_part(case: Case) -> str:
    """Find a parameter of which a part still holds the plan's numbers."""
    is_different = case.numbers.is_different
    n_same = int(np.sum(~is_different))
    if n_same < max(1, 0.02 * is_different.size):
        return ""
    told = f"{n_same:,} of {is_different.size:,} still hold the plan's numbers"
    box = _box(case, is_different)
    rest = replace(case, numbers=case.numbers.at(is_different), is_whole=False)
    lie = f"; those that differ lie {box}" if box else ""
    others = cause_of(rest).replace(": ", ", ", 1)
    return f"changed in a part: {told}{lie}; what differs: {others}"


def _box(case: Case, is_different: np.ndarray) -> str:
    """Say along one axis where all differences lie, if they fill a part of it."""
    shape = case.prescription.shape
    if not shape:
        return ""
    for axis, places in enumerate(np.unravel_index(case.numbers.index, shape)):
        low, high = int(places[is_different].min()), int(places[is_different].max())
        within = (low <= places) & (places <= high)
        if not np.all(within) and np.mean(is_different[within]) > 0.9:
            where = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            return f"at {where} of axis {axis} ({shape[axis]:,} long)"
    return ""


def shifted(case: Case) -> str:
    """Find a constant that was added."""
    gap = case.numbers.received - case.numbers.expected
    added = float(np.mean(gap))
    size = float(np.abs(case.numbers.received).max())
    if np.abs(gap - added).max() > 4 * case.precision * max(size, abs(added)):
        return ""
    return f"the plan's numbers plus {added:.4g}"


def scaled(case: Case) -> str:
    """Find a factor."""
    e, r = case.numbers.expected, case.numbers.received
    power = float(e @ e)
    factor = float(r @ e) / power if power else 0.0
    if factor == 0.0 or np.abs(r - factor * e).max() > _noise(case, r):
        return ""
    return f"the plan's numbers times {factor:.4g}"


def _noise(case: Case, received: np.ndarray) -> float:
    return 4 * case.precision * float(np.abs(received).max())


def transposed(case: Case) -> str:
    """Find the matrix laid out the other way round."""
    p, shape = case.prescription, case.prescription.shape
    if len(shape) != 2 or shape[0] != shape[1] or not case.is_drawable:
        return ""
    few = _few(case)
    rows, columns = np.unravel_index(few.index, shape)
    turned = np.ravel_multi_index((columns, rows), shape)
    return "transposed" if _agrees(case, few, p, case.seed, turned) else ""


def other_seed(case: Case) -> str:
    """Find the same law, drawn from another seed that people choose."""
    if not case.is_drawable:
        return ""
    few = _few(case)
    for seed in dict.fromkeys((case.seed + 1, *SEEDS, *FAMOUS)):
        law = replace(case.prescription, seed=seed)
        if seed != case.seed and _agrees(case, few, law, seed, few.index):
            return f"the same law drawn from seed {seed}"
    return ""


def other_parameter(case: Case) -> str:
    """Find the numbers of another parameter of that shape."""
    few = _few(case)
    for other in case.others:
        is_free = other.law not in {"constant", OFFSET} and not other.is_kept
        if is_free and _agrees(case, few, other, case.seed, few.index):
            return f"the numbers that the plan has for {other.path}"
    return ""


def other_order(case: Case) -> str:
    """Find the plan's numbers, all of them, in another order."""
    if not case.is_whole:
        return ""
    ordered = np.sort(case.numbers.expected), np.sort(case.numbers.received)
    return "the plan's numbers in another order" if np.array_equal(*ordered) else ""


def was_constant(case: Case) -> str:
    """Say what stands where the plan has one number everywhere."""
    e, r = case.numbers.expected, case.numbers.received
    if np.any(e != e[0]):
        return ""
    told = f"the plan sets {e[0]:g}, here the root mean square is {_rms(r):.4g}"
    return f"no longer one number: {told}"


def moved(case: Case) -> str:
    """Tell numbers that training has moved from numbers that were drawn anew."""
    e, r = case.numbers.expected, case.numbers.received
    alike = _correlation(e, r)
    if alike >= TRAINED:
        share = _rms(r - e) / _rms(e)
        return (
            f"moved from the plan's numbers, as by training: by {share:.2g} of their "
            f"size, correlation {alike:.3f}"
        )
    sizes = f"root mean square {_rms(r):.4g} in place of {_rms(e):.4g}"
    if abs(alike) * sqrt(len(e)) < 5.0:
        return (
            f"looks initialized anew: no correlation with the plan's numbers "
            f"({alike:.3f}), {sizes}"
        )
    return f"other numbers: correlation {alike:.3f} with the plan's, {sizes}"


CAUSES: Final = (
    not_finite,
    narrowed,
    in_part,
    all_alike,
    was_constant,
    shifted,
    scaled,
    transposed,
    other_order,
    other_seed,
    other_parameter,
    moved,
)


def _few(case: Case) -> Numbers:
    """Give the first numbers that differ: one law would give them once in 10³⁰."""
    return case.numbers.at(np.flatnonzero(case.numbers.is_different)[:FEW])


def _agrees(
    case: Case, few: Numbers, law: Prescription, seed: int, index: np.ndarray
) -> bool:
    """Say whether another draw gives what is held, at these places of it."""
    drawn = np.asarray(draw_of(law, seed)(index), np.float64)
    expected = rounded(drawn, case.dtype, law.dtype)
    return len(index) >= FEW // 2 and bool(np.array_equal(expected, few.received))


def _correlation(left: np.ndarray, right: np.ndarray) -> float:
    size = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / size if size else 0.0


def _rms(numbers: np.ndarray) -> float:
    return float(np.sqrt(np.mean(numbers**2)))


def parts_of_shape(
    prescriptions: tuple[Prescription, ...], like: Prescription
) -> Iterator[Prescription]:
    """Yield the other parameters of one shape."""
    for other in prescriptions:
        if other.shape == like.shape and other.path != like.path:
            yield other
