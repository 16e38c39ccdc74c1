"""What a net answers over the plane: the picture behind the points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.lab.engine.net import forward

if TYPE_CHECKING:
    from fanin.lab.engine.draws import Weights

EDGE: Final = 2.4
"""The picture reaches from −EDGE to EDGE: the data have second moment 1."""
FINE, COARSE = 40, 20
MOST_WORK: Final = 60_000
"""Weights up to which a fine picture is drawn."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Probability of class 1, "side side" from 0 to 1, the lowest row first."""

    shares: np.ndarray


def plane(weights: Weights, activation: str) -> Plane:
    """Ask the net at the middle of every cell.

    Args:
        weights: of a net with 2 inputs and 2 outputs.
        activation: a key of `FUNCTIONS`.
    """
    n_weights = sum(matrix.size for matrix in weights.matrices)
    side = FINE if n_weights <= MOST_WORK else COARSE
    middles = (np.arange(side) + 0.5) / side * 2 * EDGE - EDGE
    across, up = np.meshgrid(middles, middles)
    points = np.stack([across.ravel(), up.ravel()], axis=1).astype(np.float32)
    logits = forward(weights, points, activation).logits.astype(np.float64)
    with np.errstate(all="ignore"):
        shares = 0.5 * np.tanh(0.5 * (logits[:, 1] - logits[:, 0])) + 0.5
    return Plane(shares=shares.reshape(side, side))
