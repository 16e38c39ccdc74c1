"""What a race asks of a framework that trains one whole net: shapes and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


@dataclass(frozen=True, kw_only=True)
class NetWish:
    """A net to build. net: "dense", "residual" or "conv".

    n_in, n_out, depth, width: counts. image: (channels, height, width) of an input,
    where it is an image laid flat.
    """

    net: str
    n_in: int
    n_out: int
    depth: int
    width: int
    activation: str
    normalization: str = "none"
    image: tuple[int, int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """How one net is trained, and on what; arrays as in ``Cohort``, for one member.

    batches: rows of ``inputs`` at each step, int64 "n_steps batch_size". factors: what
    the learning rate of a parameter is multiplied by, by path; 1 for all others.
    inputs may have more axes: "n_samples …", as the net takes them.
    """

    optimizer: str
    learning_rate: float
    batches: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    test_inputs: np.ndarray
    test_targets: np.ndarray
    probe: np.ndarray
    task: str
    lost_score: float
    factors: Mapping[str, float]
    valid_inputs: np.ndarray | None = None
    valid_targets: np.ndarray | None = None
