"""What the first steps of training do to the size of every layer's output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A model followed over its first steps, on one batch.

    layers: names, in the order of running; the last is "output", the model's own.
    mean_abs: E|x| of each layer's output before step 1, after it, …: float64
    "n_steps+1 n_layers". change: root mean square of what a layer's output has changed
    since the start, of the same shape. losses: at the same times, "n_steps+1".
    """

    layers: tuple[str, ...]
    mean_abs: np.ndarray
    change: np.ndarray
    losses: np.ndarray
