"""Which gain belongs to an activation, and what is known against it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.activations import identify
from fanin.theory.mean_field import MeanField

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction
    from fanin.theory.moments import Moments

SMALL = 1e-4
CLOSE = 1e-3
REPELS = 1.001  # a slope beyond this is no rounding


@dataclass(frozen=True, kw_only=True)
class Family:
    """How weights that read an activation are scaled.

    name: of the activation. scheme: "he", "glorot" or "lecun"; the law is added to it.
    gain: dimensionless. growth: χ₁, of the squared gradient a layer, where second
    moments settle. slope: V′ at the second moment that the gain keeps; above 1 an
    error in scale grows with depth. reason: why this gain. hindrance: what keeps fanin
    from drawing deep chains of it in another way, "" if nothing does.
    """

    name: str
    scheme: str
    gain: float
    growth: float
    slope: float
    reason: str
    hindrance: str = ""


def family_of(function: ScalarFunction, x: Moments) -> Family:
    """Choose the gain for weights that read ``function``.

    Odd functions that bend towards 0 (tanh, softsign, sin) get the gain 1/φ′(0) and
    Glorot's variance: with σ_w·φ′(0) = 1 they stand on the edge of chaos, where
    gradients neither grow nor vanish exponentially; the exact forward gain would be
    chaotic. All others get gain² = 1/E[φ²], He's √2 for ReLU.

    Args:
        function: the activation.
        x: moments of φ(z), for the pre-activation that the plan aims at.

    >>> import numpy as np
    >>> from fanin.theory.moments import Moments
    >>> family = family_of(np.tanh, Moments(second_moment=0.39429449))
    >>> family.name, family.scheme, family.gain
    ('tanh', 'glorot', 1.0)
    """
    name = identify(function).name
    slope_at_zero = odd_slope(function)
    if slope_at_zero is not None:
        return _critical(name, slope_at_zero)
    q = x.second_moment
    is_relu = _is_relu(function)
    gain = 1.0 / sqrt(q) if q > 0.0 else 1.0
    if (
        is_relu and abs(q - 0.5) < CLOSE
    ):  # eps of a normalization is no reason to differ
        gain = sqrt(2.0)
    field = MeanField(function=function, weight_variance=gain**2)
    label = "E[φ²] = " + f"{q:.4g}"
    return Family(
        name=name,
        scheme="he" if is_relu else "lecun",
        gain=gain,
        growth=field.growth(1.0),
        slope=field.slope(1.0),
        reason=f"Reads {name}: {label}, so gain {gain:.4g} keeps the second moment.",
    )


def _critical(name: str, slope: float) -> Family:
    return Family(
        name=name,
        scheme="glorot",
        gain=1.0 / slope,
        growth=1.0,
        slope=1.0,
        reason=(
            f"Reads {name}, odd with slope {slope:.4g} at 0: σ_w·φ′(0) = 1 is the edge "
            "of chaos; a larger gain makes gradients grow exponentially."
        ),
    )


def odd_slope(function: ScalarFunction) -> float | None:
    """Give φ′(0) of an odd function that bends towards 0, else None.

    >>> odd_slope(np.tanh), odd_slope(lambda x: 2.0 * x)
    (1.0, None)
    """
    x = np.concatenate([[SMALL], np.linspace(0.05, 5.0, 100)])
    with np.errstate(all="ignore"):
        right, left = np.asarray(function(x)), np.asarray(function(-x))
    slope = float(right[0] / SMALL)
    is_odd = bool(np.allclose(right, -left, rtol=1e-6, atol=1e-9))
    bends = bool(np.all(np.abs(right) <= slope * x * (1 + CLOSE)))
    is_linear = bool(np.allclose(right, slope * x, rtol=CLOSE))
    if slope <= 0.0 or not (is_odd and bends) or is_linear:
        return None
    return round(slope, 6)


def _is_relu(function: ScalarFunction) -> bool:
    x = np.linspace(-4.0, 4.0, 17)
    with np.errstate(all="ignore"):
        return bool(np.allclose(function(x), np.maximum(x, 0.0), rtol=1e-6, atol=1e-9))
