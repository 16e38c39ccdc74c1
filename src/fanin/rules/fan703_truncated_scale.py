"""FAN703 truncated-scale.

## What it finds
Weights drawn from a normal law that was cut at two standard deviations and not widened
for it: their standard deviation is 0.88 of the one that was asked for, be that He's,
LeCun's, Glorot's or a round number such as 0.02.

## Why it hurts
Hardly: the factor 0.88 repeats in every layer, so that ten layers lose 72 % of the
size, and a normalization or a residual stream hides it. But the number in the code is
not the number in the weights, and results do not carry over to a framework that
corrects for it.

## When it is fine
Where the smaller scale was tuned. `torch.nn.init.trunc_normal_(std=0.02)` is not meant:
its bounds are −2 and 2, which cut nothing.

## Example
    nn.init.trunc_normal_(weight, std=s, a=-2 * s, b=2 * s)
    keras.initializers.TruncatedNormal(stddev=0.02)     # cut at 2 stddev as well

## Use instead
    wide = s / 0.87963
    nn.init.trunc_normal_(weight, std=wide, a=-2 * wide, b=2 * wide)
    keras.initializers.HeNormal()                       # Keras and JAX correct here

## Assumptions
A thousand numbers or more, whose kurtosis and largest number are those of a normal law
cut at two standard deviations, to five standard errors. The std asked for is taken to
be a scheme's for the fan-in, the fan-out or their mean, or a number of one digit.

## Source
Johnson, Kotz & Balakrishnan, *Continuous Univariate Distributions* (1994), volume 1,
section 13.10.1, for the moments of a normal law cut on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, floor, log, log10, pi, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.rules.fan702_wrong_fan import NUMERATORS
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.sampled import largest, sampled
from fanin.rules.words import count, listing, number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Weight
    from fanin.rules.inspection import Inspection

CUT: Final = 2.0
STANDARD_ERRORS: Final = 5.0
LEAST_SIZE: Final = 1024
MOST_READ: Final = 1 << 18  # entries
FEW: Final = 1 << 12  # entries that tell a normal law from one that was cut: 8 errors
# A number of one digit is met by chance where the error leaves room for many of them.
LARGEST_ERROR: Final = 0.005


def cut_moments(most: int = 8) -> dict[int, float]:
    """Give the even moments of N(0, 1) cut at ±2, by integration by parts.

    m_k = (k − 1)·m_{k−2} − 2·2^{k−1}·φ(2)/Z, where Z is the share that is kept.

    >>> round(cut_moments()[2] ** 0.5, 6), round(cut_moments()[4], 6)
    (0.879626, 1.416189)
    """
    density = exp(-(CUT**2) / 2.0) / sqrt(2.0 * pi)
    kept = erf(CUT / sqrt(2.0))
    moments = {0: 1.0}
    for k in range(2, most + 1, 2):
        edge = 2.0 * CUT ** (k - 1) * density / kept
        moments[k] = (k - 1) * moments[k - 2] - edge
    return moments


MOMENTS: Final = cut_moments()
SHRINKING: Final = sqrt(MOMENTS[2])
KURTOSIS: Final = MOMENTS[4] / MOMENTS[2] ** 2
# √n times the standard errors of std (relative) and of kurtosis, by the delta method.
STD_ERROR: Final = 0.5 * sqrt(KURTOSIS - 1.0)
KURTOSIS_ERROR: Final = sqrt(
    MOMENTS[8] / MOMENTS[2] ** 4
    - 4.0 * KURTOSIS * MOMENTS[6] / MOMENTS[2] ** 3
    + 4.0 * KURTOSIS**3
    - KURTOSIS**2
)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A cut weight.

    std: as it is. asked: the std that was asked for. scheme: whose it is, or "" for a
    round number. error: relative standard error of std.
    """

    path: str
    std: float
    asked: float
    scheme: str
    error: float


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all weights that a cut made smaller than was asked for."""
    weights = {n.weight.path: n.weight for n in inspection.graph.linears if n.weight}
    found = [
        cut
        for path, weight in weights.items()
        if path in inspection.trainable
        and (cut := cut_of(inspection.values[path], weight)) is not None
    ]
    if not found:
        return
    first = found[0]
    paths = tuple(cut.path for cut in found)
    whose = f"{first.scheme}'s" if first.scheme else "the number"
    margin = STANDARD_ERRORS * first.error
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=listing(paths),
        message=f"{count(len(paths), 'weight')} "
        f"{'was' if len(paths) == 1 else 'were'} cut at two standard deviations and "
        f"not widened: the std is {SHRINKING:.2f} of {whose} {number(first.asked)}.",
        measured=f"std {number(first.std)} in {first.path}",
        expected=f"std {number(first.asked)}",
        why="The factor repeats in every layer, and the number in the code is not the "
        "number in the weights.",
        fix=f"Divide the std by {SHRINKING:.5f} before cutting, or do not cut.",
        source=source_of(inspection.graph, first.path),
        paths=paths,
        value=first.std,
        interval=(first.asked * (1.0 - margin), first.asked * (1.0 + margin)),
    )


def cut_of(value: np.ndarray, weight: Weight) -> Cut | None:
    """Say whether a weight was cut and not widened, and what was asked for."""
    if value.size < LEAST_SIZE:
        return None
    if not has_its_kurtosis(np.square(sampled(value, FEW))):
        return None  # as nearly all weights: told from a few entries
    squares = np.square(sampled(value, MOST_READ))
    std = sqrt(float(np.mean(squares)))
    if not is_cut(squares, largest(value), value.size):
        return None
    error = STD_ERROR / sqrt(squares.size)
    asked = std / SHRINKING
    if scheme_of(std, weight, error):
        return None
    scheme = scheme_of(asked, weight, error)
    if not scheme and not (is_round(asked, error) and not is_round(std, error)):
        return None
    return Cut(path=weight.path, std=std, asked=asked, scheme=scheme, error=error)


def has_its_kurtosis(squares: np.ndarray) -> bool:
    """Say whether squared numbers have the fourth moment of the law that was cut."""
    second = float(np.mean(squares))
    if not second > 0.0:
        return False
    kurtosis = float(np.mean(np.square(squares))) / second**2
    error = KURTOSIS_ERROR / sqrt(squares.size)
    return abs(kurtosis - KURTOSIS) <= STANDARD_ERRORS * error


def is_cut(squares: np.ndarray, greatest: float, size: int) -> bool:
    """Say whether numbers are as a normal law cut at two standard deviations gives.

    Args:
        squares: of those looked at.
        greatest: the largest absolute value of all.
        size: how many there are in all.
    """
    if not has_its_kurtosis(squares):
        return False
    second, n_root = float(np.mean(squares)), sqrt(squares.size)
    edge = CUT * sqrt(second) / SHRINKING
    error = STANDARD_ERRORS * STD_ERROR / n_root
    # The density at the edge says how near to it the greatest of so many comes:
    # P(gap > g) = (1 − 2·φ(2)/Z·g)ⁿ, which is under 10⁻⁶ for this g.
    density = 2.0 * exp(-(CUT**2) / 2.0) / sqrt(2.0 * pi) / erf(CUT / sqrt(2.0))
    gap = 14.0 / (size * density) / CUT
    return 1.0 - gap - error <= greatest / edge <= 1.0 + error


def scheme_of(std: float, weight: Weight, error: float) -> str:
    """Name the scheme that has this std for a right count of inputs, or ""."""
    fan = weight.fan
    if weight.roles.is_lookup:
        return ""
    for n in (fan.n_in, fan.n_out, (fan.n_in + fan.n_out) / 2.0):
        for name, top in NUMERATORS.items():
            if abs(log(std**2 * n / top)) < 2.0 * STANDARD_ERRORS * error:
                is_mean = name == "LeCun" and n not in {fan.n_in, fan.n_out}
                return "Glorot" if is_mean else name
    return ""


def is_round(std: float, error: float) -> bool:
    """Say whether a std is a number of one digit, within its error.

    >>> is_round(0.02001, 0.001), is_round(0.0176, 0.001)
    (True, False)
    """
    if error > LARGEST_ERROR:
        return False
    unit = 10.0 ** floor(log10(std * (1.0 + STANDARD_ERRORS * error)))
    return (
        abs(log(std / (unit * max(1.0, round(std / unit))))) < STANDARD_ERRORS * error
    )


RULE = Rule(
    code="FAN703",
    name="truncated-scale",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
    hidden_by=("FAN702", "FAN802"),
)
