"""What a normal law loses when its tails are cut, rounded correctly.

Whole numbers and doubles in this file are part of the specification, so they must be
the same on every machine. ``math.erf`` is not: its last digit differs between C
libraries. So they are computed with 60 decimal digits and rounded once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import lru_cache

from fanin.errors import ArgumentError

NO_CUT = 10.0
"""From here on, all that is cut lies below the last bit of every number drawn."""

SMALLEST_CUT = 0.1

DIGITS = Context(prec=60)
# π to 80 digits; compared with mpmath's in the tests.
PI = Decimal(
    "3.1415926535897932384626433832795028841971693993751058209749445923078164062862090"
)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Numbers that turn a normal law into one cut at ±cut of its own std.

    std_ratio: std of the cut law / std of the law that was cut, in (0, 1], a Decimal of
    60 digits. first: the smallest magnitude left, Φ(−cut)·2³² and Φ(−cut)·2⁶⁴, to the
    nearest whole number. limit: cut in Q4.28 and Q4.59, rounded down.
    """

    std_ratio: Decimal
    first_32: int
    first_64: int
    limit_32: int
    limit_64: int

    def parent_std(self, std: float) -> float:
        """Give the std of the law to cut so that the cut law's is ``std``.

        >>> cut_at(2.0).parent_std(1.0)
        1.1368472343385565
        """
        with localcontext(DIGITS):
            return float(Decimal(std) / self.std_ratio)


@lru_cache(maxsize=256)
def cut_at(cut: float) -> Cut:
    """Give the numbers of a cut at ±cut standard deviations.

    With P = 2Φ(cut) − 1 the variance left is 1 − 2·cut·φ(cut)/P (Johnson, Kotz and
    Balakrishnan, Continuous Univariate Distributions 1, 1994, section 10.1).

    Args:
        cut: in units of the std before the cut, 0.1 to ∞; nothing is cut from 10 on.

    Raises:
        ArgumentError: if it is below 0.1, where the uniform law is the one to use.

    >>> float(cut_at(2.0).std_ratio)
    0.8796256610342398
    >>> cut_at(2.0).first_32
    97711073
    """
    if not cut >= SMALLEST_CUT:
        raise ArgumentError.of(
            argument="cut",
            received=cut,
            expected="0.1 or more; below that, use a uniform law",
        )
    if cut >= NO_CUT:
        return Cut(
            std_ratio=Decimal(1),
            first_32=0,
            first_64=0,
            limit_32=2**31 - 1,
            limit_64=2**63 - 1,
        )
    with localcontext(DIGITS):
        half, density = _half_mass(Decimal(cut))
        tail = Decimal("0.5") - half
        return Cut(
            std_ratio=(1 - Decimal(cut) * density / half).sqrt(),
            first_32=int((tail * 2**32).to_integral_value()),
            first_64=int((tail * 2**64).to_integral_value()),
            limit_32=min(math.floor(cut * 2.0**28), 2**31 - 1),
            limit_64=min(math.floor(cut * 2.0**59), 2**63 - 1),
        )


def _half_mass(cut: Decimal) -> tuple[Decimal, Decimal]:
    """Give Φ(cut) − ½ and φ(cut).

    Φ(b) − ½ = φ(b)·(b + b³/3 + b⁵/(3·5) + …); all terms are positive, so nothing
    cancels (Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.2.11).
    """
    density = (-cut * cut / 2).exp() / (2 * PI).sqrt()
    term = total = cut
    odd = 1
    while term > total * Decimal("1e-62"):
        odd += 2
        term *= cut * cut / odd
        total += term
    return density * total, density
