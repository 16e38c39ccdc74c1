"""What one forward pass of corrections found: factors of weights, means of outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

LEAST_LEFT: Final = 3e-3
"""Deviation over root mean square below which an output is not centred: about twice the
rounding of bfloat16, 2⁻⁹/√3 of each number."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What the output of a weight should be, bias left out.

    size: its root mean square; of a centred one the standard deviation around each
    unit's mean over samples and positions. follower: path of a bias that is a multiple
    of the weight, so that it counts as part of the output. n_centred: how many units
    the output has if each of them is to be centred, 0 if not. most: root mean square
    that the output may have before it is centred. least_shared: share of the mean
    square that is the units' means, from which on the output is centred.

    >>> Aim(size=0.3, n_centred=10, most=1.0).factor(deviation=0.1, rms=0.5)
    2.0
    >>> Aim(size=1.0, n_centred=10, least_shared=0.5).centres(deviation=0.8, rms=1.0)
    False
    """

    size: float
    follower: str | None = None
    n_centred: int = 0
    most: float = float("inf")
    least_shared: float = 0.0

    def centres(self, *, deviation: float, rms: float) -> bool:
        """Say whether an output of such a deviation and rms is to be centred.

        What is left of samples that are all but equal is rounding, not a signal.
        """
        is_shared = deviation**2 <= (1.0 - self.least_shared) * rms**2
        return is_shared and deviation >= LEAST_LEFT * rms

    def factor(self, *, deviation: float, rms: float) -> float:
        """Give the factor for an output of such a deviation and root mean square."""
        if deviation == 0.0:
            return min(self.size, self.most) / rms
        return min(self.size / deviation, self.most / rms)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """By path of each parameter that was to be scaled.

    factors: by which it is to be multiplied; 1 where no product reads it or its size
    does not matter. centres: of centred outputs, each unit's mean, with the factor
    already in it and without the bias; the bias is to be less by that.
    """

    factors: Mapping[str, float]
    centres: Mapping[str, np.ndarray] = field(
        default_factory=lambda: MappingProxyType({})
    )
