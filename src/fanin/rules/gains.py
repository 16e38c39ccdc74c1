"""Which gains an activation allows: a range, because the literature has several.

A weight's gain is std·√n. For one activation several are sound: the forward gain (keeps
E[z²]), the backward gain (keeps the gradient), and 1/|φ′(0)|, which keeps both for
small signals and is what Glorot's scheme takes for tanh. What lies between the least
and the greatest of them is not faulted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.activations import Activation

# tanh with gain 5/3, ELU with √2 and the like: a third beyond the range is in use.
TOLERANCE = 1.3
# A slope at 0 this small says nothing of how small signals fare: ReLU's left side.
LEAST_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True)
class GainRange:
    """name: of the activation. least, greatest: dimensionless, > 0."""

    name: str
    least: float
    greatest: float


def gain_range(activation: Activation) -> GainRange:
    """Give the sound gains of an activation.

    >>> from fanin.activations import find_activation
    >>> found = gain_range(find_activation("relu"))
    >>> round(found.least, 6), round(found.greatest, 6)
    (1.414214, 1.414214)
    >>> found = gain_range(find_activation("tanh"))
    >>> round(found.least, 6), round(found.greatest, 6)
    (1.0, 1.592537)
    """
    sides = np.abs(activation.slope(np.array([-1e-6, 1e-6])))
    slope = float(np.min(sides))
    gains = [activation.forward_gain, activation.backward_gain]
    if slope > LEAST_SLOPE:
        gains.append(1.0 / slope)
    usable = [gain for gain in gains if np.isfinite(gain) and gain > 0.0] or [1.0]
    is_named = activation.name.isidentifier() or "(" in activation.name
    name = activation.name if is_named else "its activation"
    return GainRange(name=name, least=min(usable), greatest=max(usable))
