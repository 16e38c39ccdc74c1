"""Sine activations with a frequency: sin(ω·z), read off the function's values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

STEP = 1e-7
"""Small enough that sin(ω·x) = ω·x within ω²·10⁻¹⁵: exact for every ω below 10⁴."""
LARGEST = 1e4


def sine_frequency(function: ScalarFunction) -> float | None:
    """Give ω > 0 of a function sin(ω·x), None of any other.

    >>> sine_frequency(lambda x: np.sin(30.0 * x)), sine_frequency(np.tanh)
    (30.0, None)
    """
    with np.errstate(all="ignore"):
        slope = float(np.asarray(function(np.array([STEP])))[0]) / STEP
        if not 0.0 < slope < LARGEST:
            return None
        frequency = float(f"{slope:.9g}")
        x = np.linspace(-7.0, 7.0, 57) / frequency
        is_sine = np.allclose(function(x), np.sin(frequency * x), rtol=0.0, atol=1e-6)
    return frequency if is_sine else None
