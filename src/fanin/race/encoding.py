"""A trial's arrays as bytes: a .npz, which holds numbers and no code."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.graph.cohort import MemberRun, StartProfile

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILE = ("rms", "between", "gradient_rms", "weight_gradient_rms")
ARRAYS = ("losses", "weight_change", "unit_spread")
NUMBERS = (
    "first_loss",
    "final_loss",
    "train_accuracy",
    "valid_loss",
    "valid_accuracy",
    "test_accuracy",
    "seconds",
)
"""What a run has beside its arrays; each is a column of its own in a store."""


def to_bytes(run: MemberRun) -> bytes:
    """Write the arrays of a run, compressed."""
    arrays = {name: getattr(run, name) for name in ARRAYS}
    arrays |= {name: getattr(run.start, name) for name in PROFILE}
    arrays |= {f"samples_{i}": values for i, values in enumerate(run.start.samples)}
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def from_bytes(
    content: bytes, numbers: Mapping[str, float], diverged_at: int | None
) -> MemberRun:
    """Read a run back.

    Args:
        content: as `to_bytes` wrote it.
        numbers: those of ``NUMBERS``.
        diverged_at: the step, or None.

    Raises:
        ValueError: if the bytes are something else.
    """
    with np.load(BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    n_samples = sum(name.startswith("samples_") for name in arrays)
    start: dict[str, Any] = {name: arrays[name] for name in PROFILE}
    samples = tuple(arrays[f"samples_{i}"] for i in range(n_samples))
    kept: dict[str, Any] = {name: arrays[name] for name in ARRAYS} | dict(numbers)
    return MemberRun(
        start=StartProfile(samples=samples, **start),
        diverged_at=diverged_at,
        **kept,
    )
