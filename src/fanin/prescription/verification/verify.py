"""Hold what a process holds of a model against its plan, parameter by parameter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.prescription.prescription import OFFSET
from fanin.prescription.verification.causes import Case, cause_of, parts_of_shape
from fanin.prescription.verification.numbers import PRECISION, Numbers, numbers_at
from fanin.prescription.verification.records import Checked, Verification
from fanin.prescription.verification.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from fanin.graph.draws import Draw
    from fanin.graph.holding import Holding
    from fanin.prescription.plan import Plan
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.verification.sample import Sample

MATRIX_ERROR: Final = 1e-4
"""Of the std: far above what the order of a sum changes, far below another matrix."""


def verify(
    plan: Plan,
    held: Mapping[str, Sequence[Holding]],
    *,
    sample: Sample,
    seed: int | None = None,
    paths: Container[str] | None = None,
    where: str = "model",
) -> Verification:
    """Compare the numbers that are held with those that the plan draws.

    Args:
        plan: what every parameter should hold.
        held: by path, the boxes of each parameter that this process holds.
        sample: which numbers of a parameter are looked at.
        seed: from which the plan was applied; None for its own.
        paths: of the parameters to look at; None for all that the plan has.
        where: what is looked at, in words.
    """
    chosen_seed = plan.seed if seed is None else seed
    look = _Look(
        plan=plan,
        seed=chosen_seed,
        held=held,
        draws=_draws(plan, held, chosen_seed),
        sample=sample,
    )
    planned = {p.path for p in plan.prescriptions}
    return Verification(
        checked=tuple(
            look.at(p) for p in plan.prescriptions if paths is None or p.path in paths
        ),
        seed=chosen_seed,
        fingerprint=replace(plan, seed=chosen_seed).fingerprint,
        sample=sample.size,
        unplanned=tuple(path for path in held if path not in planned),
        where=where,
    )


def _draws(
    plan: Plan, held: Mapping[str, Sequence[Holding]], seed: int
) -> Mapping[str, Draw]:
    """Give the plan's draws; without biases that follow a weight that is not here."""
    values = {path: _whole(held.get(path, ())) for path in plan.kept_weights}
    known = {path: array for path, array in values.items() if array is not None}
    kept = tuple(
        p
        for p in plan.prescriptions
        if p.law != OFFSET or p.weight not in values or p.weight in known
    )
    return replace(plan, prescriptions=kept).draws(known, seed=seed)


def _whole(boxes: Sequence[Holding]) -> np.ndarray | None:
    """Give a parameter's numbers where one box is all of it."""
    for box in boxes:
        if box.region.shape == box.shape:
            return box.take(np.arange(box.region.size)).reshape(box.shape)
    return None


@dataclass(frozen=True, kw_only=True)
class _Look:
    """How parameters are looked at."""

    plan: Plan
    seed: int
    held: Mapping[str, Sequence[Holding]]
    draws: Mapping[str, Draw]
    sample: Sample

    def at(self, p: Prescription) -> Checked:
        """Look at one parameter."""
        boxes = self.held.get(p.path)
        if p.is_kept:
            reason = "kept: the plan draws no numbers for it"
            return Checked(
                path=p.path, verdict=Verdict.SKIPPED, shape=p.shape, reason=reason
            )
        if boxes is None:
            reason = "there is no such parameter"
            return Checked(
                path=p.path, verdict=Verdict.MISSING, shape=p.shape, reason=reason
            )
        skipped = self._skipped(p, boxes)
        if skipped:
            return Checked(
                path=p.path, verdict=Verdict.SKIPPED, shape=p.shape, reason=skipped
            )
        if boxes[0].shape != p.shape or boxes[0].dtype not in PRECISION:
            return self._other_kind(p, boxes[0])
        return self._compared(p, boxes)

    def _skipped(self, p: Prescription, boxes: Sequence[Holding]) -> str:
        if not sum(box.region.size for box in boxes):
            return "this process holds no part of it"
        if p.path not in self.draws:
            return f"it follows {p.weight}, which is kept and not whole here"
        return ""

    def _other_kind(self, p: Prescription, box: Holding) -> Checked:
        """Say what differs before a number is looked at."""
        reason = f"it holds {box.dtype}, where the plan has {p.dtype}"
        if box.shape != p.shape:
            reason = f"its shape is {box.shape}, where the plan has {p.shape}"
            if len(p.shape) > 1 and box.shape == p.shape[::-1]:
                reason += ": transposed"
        return Checked(
            path=p.path,
            verdict=Verdict.DIFFERS,
            shape=p.shape,
            dtype=box.dtype,
            reason=reason,
        )

    def _compared(self, p: Prescription, boxes: Sequence[Holding]) -> Checked:
        n_looked = n_different = 0
        worst: Numbers | None = None
        n_held = sum(box.region.size for box in boxes)
        for places in self.sample.places(p.path, n_held):
            numbers = numbers_at(self.draws[p.path], boxes, places, p.dtype)
            n_looked += len(places)
            n_here = int(np.sum(self._is_different(p, boxes[0].dtype, numbers)))
            n_different += n_here
            worst = numbers if worst is None and n_here else worst
        found = Checked(
            path=p.path,
            verdict=self._agreeing(p, boxes[0].dtype),
            shape=p.shape,
            n_looked=n_looked,
            n_different=n_different,
            dtype=boxes[0].dtype,
        )
        if worst is None:
            return found
        return self._explained(p, found, worst)

    def _is_different(
        self, p: Prescription, dtype: str, numbers: Numbers
    ) -> np.ndarray:
        if not self._is_matrix(p):
            return numbers.is_different
        allowed = MATRIX_ERROR * p.std + 2 * PRECISION[dtype] * abs(numbers.expected)
        is_far: np.ndarray = ~(abs(numbers.received - numbers.expected) <= allowed)
        return is_far

    def _is_matrix(self, p: Prescription) -> bool:
        """Say whether the numbers come from a matrix product, or follow such ones."""
        if p.law == OFFSET and p.weight is not None:
            return self._is_matrix(self.plan[p.weight])
        return "orthogonal" in p.law

    def _agreeing(self, p: Prescription, dtype: str) -> Verdict:
        if self._is_matrix(p):
            return Verdict.CLOSE
        return Verdict.SAME if dtype == p.dtype else Verdict.ROUNDED

    def _explained(self, p: Prescription, found: Checked, numbers: Numbers) -> Checked:
        is_far = self._is_different(p, found.dtype, numbers)
        first = int(np.argmax(is_far))
        case = Case(
            prescription=p,
            seed=self.seed,
            numbers=numbers,
            dtype=found.dtype,
            is_whole=found.n_looked == p.size == len(numbers.index),
            others=tuple(parts_of_shape(self.plan.prescriptions, p)),
        )
        reason, _, detail = cause_of(case).partition(": ")
        place = np.unravel_index(int(numbers.index[first]), p.shape) if p.shape else ()
        return replace(
            found,
            verdict=Verdict.DIFFERS,
            first=tuple(int(axis) for axis in place),
            received=float(numbers.received[first]),
            expected=float(numbers.expected[first]),
            reason=reason,
            detail=detail,
        )
