"""The phase of a net over a field of (σ_w, σ_b): ordered, chaotic, or without bound.

Both moments of φ are tabulated over q once and interpolated, so that thousands of
points cost what one does. Good to draw, to three digits; `fixed_points` is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.activations import find_nonlinearity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.activations import Activation, Gate
    from fanin.graph.graph import ScalarFunction

TABLE: Final = np.geomspace(1e-10, 1e6, 129)
N_LAYERS: Final = 2000
DEAD_HEAT: Final = 1e-4
"""χ this close to 1 is neither ordered nor chaotic."""


class Phase(IntEnum):
    """What depth does to two inputs, from where second moments are after it."""

    ORDERED = 0
    EDGE = 1
    CHAOTIC = 2
    WITHOUT_BOUND = 3


@dataclass(frozen=True, kw_only=True)
class PhaseDiagram:
    """Phases of an activation. cells: "sigma_b sigma_w", values of `Phase`."""

    sigma_w: tuple[float, ...]
    sigma_b: tuple[float, ...]
    cells: np.ndarray


def phase_diagram(
    activation: str | ScalarFunction | Activation | Gate,
    sigma_w: Sequence[float],
    sigma_b: Sequence[float],
    q: float = 1.0,
) -> PhaseDiagram:
    """Follow V from q at each (σ_w, σ_b), and give the phase where it ends.

    Args:
        activation: as for `MeanField`.
        sigma_w: > 0, one for each column.
        sigma_b: ≥ 0, one for each row.
        q: second moment of the first pre-activations, > 0.

    >>> found = phase_diagram("tanh", (0.5, 1.5), (0.1,))
    >>> [Phase(cell).name for cell in found.cells[0]]
    ['ORDERED', 'CHAOTIC']
    """
    nonlinearity = find_nonlinearity(activation)
    moments = [nonlinearity.moments(float(each)) for each in TABLE]
    logs = np.log(TABLE)
    square = _logarithm([each.second_moment for each in moments])
    growth = _logarithm([each.derivative_second_moment for each in moments])
    weight = np.square(np.asarray(sigma_w, dtype=np.float64))[None, :]
    bias = np.square(np.asarray(sigma_b, dtype=np.float64))[:, None]
    place = np.full((bias.size, weight.size), np.log(q))
    with np.errstate(all="ignore"):
        for _ in range(N_LAYERS):
            following = np.log(weight * np.exp(np.interp(place, logs, square)) + bias)
            following = np.clip(following, logs[0], logs[-1])
            if np.abs(following - place).max() < 1e-7:
                break
            place = following
        chi = weight * np.exp(np.interp(place, logs, growth))
    cells = np.where(chi < 1.0, Phase.ORDERED, Phase.CHAOTIC)
    cells[np.abs(chi - 1.0) < DEAD_HEAT] = Phase.EDGE
    cells[place >= logs[-1]] = Phase.WITHOUT_BOUND
    return PhaseDiagram(
        sigma_w=tuple(map(float, sigma_w)),
        sigma_b=tuple(map(float, sigma_b)),
        cells=cells,
    )


def _logarithm(values: Sequence[float]) -> np.ndarray:
    """Give ln of each, between −700 and 700, so that rules of interpolation hold."""
    with np.errstate(all="ignore"):
        logs = np.log(np.asarray(values, dtype=np.float64))
    bounded: np.ndarray = np.nan_to_num(np.clip(logs, -700.0, 700.0), nan=700.0)
    return bounded
