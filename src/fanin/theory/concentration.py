"""E[Σα²] of a softmax over T independent Gaussian logits, for every T.

With αⱼ = e^{lⱼ}/S, S = Σe^{lⱼ} and 1/S² = ∫₀^∞ t·e^{−tS} dt, the logits' independence
gives E[Σα²] = T·∫ t·E[e^{2l}·e^{−t·e^l}]·E[e^{−t·e^l}]^{T−1} dt: two Gaussian integrals
in one, whatever T. It tends to e^{s²}/T for T ≫ e^{s²} and to 1 for s → ∞.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_VARIANCE: Final = 400.0
"""Beyond it, one logit stands out from all: E[Σα²] is within a few per cent of 1."""
DIGITS: Final = 6


def concentration(variance: float, n_entries: int) -> float:
    """Give E[Σα²] over T logits of variance s².

    >>> round(concentration(0.0, 8), 12), round(concentration(3.0, 1), 12)
    (0.125, 1.0)
    """
    return concentrations(variance, (n_entries,))[0]


def concentrations(variance: float, counts: Sequence[int]) -> tuple[float, ...]:
    """Give E[Σα²] for several T at once, as for the rows under a causal mask.

    Args:
        variance: s² of the logits, beyond what the row has in common; ≥ 0.
        counts: T, each ≥ 1.
    """
    rounded = float(f"{min(max(variance, 0.0), LARGEST_VARIANCE):.{DIGITS}g}")
    return _remembered(rounded, tuple(counts))


@lru_cache(maxsize=256)
def _remembered(variance: float, counts: tuple[int, ...]) -> tuple[float, ...]:
    if variance < 1e-12:
        return tuple(1.0 / n for n in counts)
    s = variance**0.5
    z = np.linspace(-9.0, 9.0 + 2.0 * s, max(400, int(40 * s) + 400))
    step = (z[1] - z[0]) * np.exp(-(z**2) / 2.0) / np.sqrt(2.0 * np.pi)
    logits = s * z
    # t·S is of order 1: log t runs over what −log S can be
    u = np.linspace(
        -12.0 - s * 9.0 - variance - np.log(max(counts)), 6.0 + s * 9.0, 900
    )
    rate = np.exp(np.minimum(u[:, None] + logits[None, :], 60.0))
    kept = np.exp(-rate)
    one = kept @ step
    squared = (rate**2 * kept) @ step  # t²·E[e^{2l}e^{−t·e^l}], and dt = t·du
    width = u[1] - u[0]
    with np.errstate(divide="ignore", under="ignore"):
        logs = np.log(np.clip(one, 1e-300, 1.0))
        found = [
            n * float((squared * np.exp((n - 1) * logs)).sum() * width) for n in counts
        ]
    return tuple(min(max(a, 1.0 / n), 1.0) for a, n in zip(found, counts, strict=True))
