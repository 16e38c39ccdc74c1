"""How deep a plain net is expected to train: six times the depth a signal reaches."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from fanin.theory import (
    MeanField,
    depth_scale,
    fixed_points,
    settles_at,
    trainable_depth,
)

TIMES: Final = 6.0
CRITICAL: Final = 1e-6
"""A growth this close to 1 is taken as 1."""
FAR: Final = 1e12
"""A second moment at which one that grows without end is looked at."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What theory says of one σ_w, without biases.

    sigma: σ_w = √(fan_in·Var[w]). growth: χ₁, where second moments settle. n_layers:
    6ξ, the depth up to which such a net is expected to train; infinite at the edge of
    chaos.
    """

    sigma: float
    growth: float
    n_layers: float

    @property
    def phase(self) -> str:
        """Say "ordered", "chaotic" or "edge of chaos", by χ₁."""
        if abs(self.growth - 1.0) <= CRITICAL:
            return "edge of chaos"
        return "ordered" if self.growth < 1.0 else "chaotic"


def reach_of(activation: str, sigma: float) -> Reach:
    """Follow second moments to where they settle, and give 6ξ there.

    ξ is the shorter of the scales of correlations and of gradients. Where second
    moments grow without end, it is the gradient's. Schoenholz, Gilmer, Ganguli &
    Sohl-Dickstein (2017), "Deep Information Propagation", section 5 and figure 5.

    Raises:
        UnknownNameError: if there is no such activation.
        ArgumentError: if σ_w is not above 0.

    >>> reach = reach_of("relu", 1.0)  # χ = ½, and −6/ln ½
    >>> round(reach.n_layers, 3), reach.phase
    (8.656, 'ordered')
    """
    field = MeanField.of(activation, sigma_w=sigma)
    q = settles_at(field, sigma**2)
    near = [
        point
        for point in fixed_points(field)
        if abs(point.q - q) <= 1e-6 * max(point.q, 1e-9)
    ]
    growth = near[0].growth if near else field.growth(min(max(q, 1.0 / FAR), FAR))
    if abs(growth - 1.0) <= CRITICAL:
        n_layers = inf
    else:
        n_layers = (
            trainable_depth(near[0]) if near else TIMES * abs(depth_scale(growth))
        )
    return Reach(sigma=sigma, growth=growth, n_layers=n_layers)
