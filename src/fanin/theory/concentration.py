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
SMALLEST_VARIANCE: Final = 1e-12
"""Below it, shares are flat."""
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
    return tuple(a for a, _ in _remembered(_rounded(variance), tuple(counts)))


def gradient_shares(variance: float, counts: Sequence[int]) -> tuple[float, ...]:
    """Give E[Σα²(1 − 2α + Σα²)] for several T: what softmax hands back of a gradient.

    For independent gradients gⱼ of variance 1 at the shares it is
    Σⱼ E[(αⱼ(gⱼ − Σαₖgₖ))²]: 1/T − 1/T² for flat shares, 0 for one that takes all.

    >>> round(gradient_shares(0.0, [4])[0], 12)
    0.1875
    """
    return tuple(g for _, g in _remembered(_rounded(variance), tuple(counts)))


def _rounded(variance: float) -> float:
    return float(f"{min(max(variance, 0.0), LARGEST_VARIANCE):.{DIGITS}g}")


@lru_cache(maxsize=256)
def _remembered(
    variance: float, counts: tuple[int, ...]
) -> tuple[tuple[float, float], ...]:
    if variance < SMALLEST_VARIANCE:
        return tuple((1.0 / n, (1.0 - 1.0 / n) / n) for n in counts)
    s = variance**0.5
    z = np.linspace(-9.0, 9.0 + 4.0 * s, 200 + int(60 * s))
    step = (z[1] - z[0]) * np.exp(-(z**2) / 2.0) / np.sqrt(2.0 * np.pi)
    # t·S is of order 1: log t runs over what −log S can be
    lowest = -14.0 - s * 9.0 - variance - np.log(max(counts))
    u = np.linspace(lowest, 7.0 + s * 9.0, 400 + int(40 * s))
    rate = np.exp(np.minimum(u[:, None] + s * z[None, :], 60.0))
    # tᵖ·E[e^{pl}·e^{−t·e^l}] for p from 0, and dt = t·du
    kept, powers = np.exp(-rate), []
    for _ in range(5):
        powers.append(kept @ step)
        kept *= rate
    with np.errstate(divide="ignore", under="ignore"):
        log_one = np.log(np.clip(powers[0], 1e-300, 1.0))
        each = _of_counts(np.array(counts), powers, log_one)
    seconds, handed = (column * float(u[1] - u[0]) for column in each)
    seconds = np.clip(seconds, 1.0 / np.array(counts), 1.0)
    handed = np.clip(seconds + handed, 0.0, 1.0)
    return tuple(zip(seconds.tolist(), handed.tolist(), strict=True))


def _of_counts(
    n: np.ndarray, powers: Sequence[np.ndarray], log_one: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give E[Σα²] and E[Σα²(Σα² − 2α)] from 1/Sᵐ = ∫ tᵐ⁻¹e^{−tS} dt / (m − 1)!.

    Each still to be multiplied by the step of log t; n, of shape (counts,).
    """
    others = np.exp((n[:, None] - 1) * log_one)
    second, third, fourth = (
        n * (others @ powers[p]) / divisor
        for p, divisor in ((2, 1.0), (3, 2.0), (4, 6.0))
    )
    two_less = np.exp(np.maximum(n[:, None] - 2, 0) * log_one)
    pair = n * (n - 1) * (two_less @ powers[2] ** 2) / 6.0
    return second, fourth + pair - 2.0 * third
