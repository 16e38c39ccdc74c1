"""Moments of a tensor, and the rule by which each operation changes them.

All rules hold in the limit of wide layers, with weights independent of what they
multiply: true at initialization, not after training. A *unit* is one entry of the
tensor; moments are over units, weights and samples. The derivations are in the
docstrings, and tests/claims/test_propagation.py holds each against Monte Carlo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, isfinite, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.gaussian import GaussianRule, gaussian_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.graph import ScalarFunction
    from fanin.theory.pairs import Pairs

GAUSSIAN_KURTOSIS = 3.0
LARGEST_LOG = 700.0  # e⁷⁰⁰ is within float64


@dataclass(frozen=True, kw_only=True)
class Moments:
    """What is predicted of one tensor.

    mean: m = E[x]. second_moment: q = E[x²]. kurtosis: E[x⁴]/E[x²]², 3 for a Gaussian.
    log_variance: variance of ln q over draws of the weights, from layers of finite
    width. low, high: factors on q between which it must lie when an assumption is open
    (operands that depend on one tensor); both 1 where none is. pairs: products between
    samples and between positions; None takes them as independent.

    >>> Moments(mean=0.5, second_moment=1.25).variance
    1.0
    """

    mean: float = 0.0
    second_moment: float = 1.0
    kurtosis: float = GAUSSIAN_KURTOSIS
    log_variance: float = 0.0
    low: float = 1.0
    high: float = 1.0
    pairs: Pairs | None = None

    @property
    def variance(self) -> float:
        """Give q − m², never below 0."""
        return max(self.second_moment - self.mean**2, 0.0)

    @property
    def rms(self) -> float:
        """√q."""
        return sqrt(self.second_moment)

    def interval(self, n_deviations: float = 3.0) -> tuple[float, float]:
        """Give where the second moment of one draw of the weights is expected.

        ln q is taken as normal around −log_variance/2, so that E[q] is the second
        moment: the fluctuations of successive layers multiply (Hanin & Rolnick 2018).
        Where pairs are known, it is the second moment over the units, samples and
        positions of one batch: what units fluctuate by on their own counts too.

        >>> Moments().interval()
        (1.0, 1.0)
        """
        earlier, own = self._batch_variances()
        variance = log(1.0 + earlier)
        centre, spread = -variance / 2, n_deviations * sqrt(variance)
        below, above = _mean_of_squares(own, n_deviations)
        low = centre - sqrt(spread**2 + below**2)
        high = min(centre + sqrt(spread**2 + above**2), LARGEST_LOG)
        q = self.second_moment
        return q * self.low * exp(low), q * self.high * exp(high)

    def _batch_variances(self) -> tuple[float, float]:
        """Give the relative variance of q over one batch: of earlier layers, its own.

        q is averaged over units, samples and positions. Its own part is what its units
        add, given everything before.
        """
        pairs = self.pairs
        if pairs is None:
            return exp(min(self.log_variance, LARGEST_LOG)) - 1.0, 0.0
        earlier = np.expm1(np.minimum(pairs.spread, LARGEST_LOG / 2))
        own = pairs.squares * (1.0 + earlier) / pairs.n_units
        own_average, both = pairs.average(own), pairs.average(earlier + own)
        own_average = min(max(own_average, 0.0), max(both, 0.0))
        return max(both - own_average, 0.0), own_average


def _mean_of_squares(variance: float, n_deviations: float) -> tuple[float, float]:
    """Give how far ln of a mean of squares lies below and above 0 at most.

    Of relative variance 2/ν it is a χ² of ν degrees of freedom over ν. Its cube root is
    nearly normal (Wilson & Hilferty 1931) but near 0, where P(χ²/ν < x) is at most
    (e·x)^(ν/2).
    """
    if variance <= 0.0:
        return 0.0, 0.0
    spread = variance / 9.0  # 2/(9ν)
    tail = exp(-(n_deviations**2) / 2) / 2.5 / n_deviations
    low = 1.0 - spread - n_deviations * sqrt(spread)
    bound = variance * log(tail) - 1.0
    below = max(3.0 * log(low), bound) if low > 0.0 else bound
    return below, 3.0 * log(1.0 + n_deviations * sqrt(spread) - min(spread, 1.0))


@dataclass(frozen=True, kw_only=True)
class LinearFacts:
    """What a linear rule needs of a weight: mean and variance of an entry, and fans.

    n_terms: terms that one output sums, those of zero padding left out. n_units: width
    of the input, as independent draws; of one group, if there are n_groups.
    bias_variance, bias_mean: of the bias.
    """

    n_terms: float
    variance: float
    n_units: float
    mean: float = 0.0
    bias_variance: float = 0.0
    bias_mean: float = 0.0
    n_groups: int = 1


def through_linear(x: Moments, w: LinearFacts) -> Moments:
    """Give q′ = n·Var(w)·q + (n·μ·m)² + n·μ²·(q − m²) + bias.

    The weight's variance meets the second moment q and not the variance, so a mean of
    the input is carried along; the weight's mean μ adds n·μ·m to every unit alike.
    One draw of n_units columns estimates q with relative variance (κ − 1)/n_units.

    >>> relu = Moments(mean=0.4, second_moment=0.5)
    >>> he = LinearFacts(n_terms=100.0, variance=2 / 100, n_units=100.0)
    >>> through_linear(relu, he).second_moment
    1.0
    """
    common = w.n_terms * w.mean * x.mean
    spread = w.n_terms * (w.variance * x.second_moment + w.mean**2 * x.variance)
    signal = spread + common**2
    constant = w.bias_variance + w.bias_mean**2 + 2 * common * w.bias_mean
    total = signal + constant
    share = signal / total if total > 0 else 0.0
    fluctuation = log(1 + max(x.kurtosis - 1.0, 0.0) / w.n_units)
    return Moments(
        mean=common + w.bias_mean,
        second_moment=total,
        log_variance=share**2 * (x.log_variance + fluctuation),
        low=share * x.low + 1 - share,
        high=share * x.high + 1 - share,
    )


def rule_of(x: Moments, function: ScalarFunction) -> GaussianRule:
    """Give the quadrature of a function of a Gaussian with these moments."""
    return gaussian_rule(function, mean=x.mean, variance=x.variance)


def through_function(x: Moments, rule: GaussianRule) -> Moments:
    """Give m = E[φ(x)], q = E[φ(x)²] for Gaussian x: a sum of many terms before it.

    How far an uncertain q reaches through φ is found from its slope there:
    d ln E[φ²] / d ln q = E[φ²·(z² − 1)] / (2·E[φ²]), 1 where φ is homogeneous.

    Raises:
        OverflowError: if E[φ²] is beyond float64.
    """
    q = rule.second_moment
    if q == 0.0:
        return Moments(second_moment=0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = rule.expect(rule.values**2 * (rule.z**2 - 1)) / (2 * q)
    if not (isfinite(q) and isfinite(slope)):
        raise OverflowError
    low, high = bounds_through(x, rule, slope)
    return Moments(
        mean=rule.mean,
        second_moment=q,
        kurtosis=rule.kurtosis,
        log_variance=slope**2 * x.log_variance,
        low=low,
        high=high,
    )


def bounds_through(x: Moments, rule: GaussianRule, slope: float) -> tuple[float, float]:
    """Give the factors on E[φ²] that those on q become: q^slope.

    A q of 0, where φ falls with it, leaves φ at the mean of x.
    """
    ends = []
    for factor in (x.low, x.high):
        if factor == 0.0 and slope < 0.0:
            middle = rule.values[np.argmin(np.abs(rule.z))]
            ends.append(float(middle**2 / rule.second_moment))
        else:
            ends.append(float(factor**slope))
    return min(ends), max(ends)


def through_sum(parts: Sequence[Moments]) -> Moments:
    """Give q = Σqᵢ + 2·Σᵢ<ⱼ mᵢ·mⱼ for independent summands.

    A residual branch that ends in a random zero-mean weight is independent of its
    stream, and second moments add. A branch that ends in ReLU has a mean, which the
    stream accumulates: x + relu(W·x) grows by 2.904 a block and not by 2.

    >>> through_sum([Moments(), Moments(second_moment=3.0)]).second_moment
    4.0
    """
    mean = sum(x.mean for x in parts)
    own = sum(x.second_moment for x in parts)
    total = own + mean**2 - sum(x.mean**2 for x in parts)
    if total <= 0.0:
        return Moments(mean=mean, second_moment=max(total, 0.0))
    shares = [x.second_moment / own if own else 0.0 for x in parts]
    return Moments(
        mean=mean,
        second_moment=total,
        log_variance=_shared_fluctuation(shares, parts),
        low=sum(s * x.low for s, x in zip(shares, parts, strict=True)),
        high=sum(s * x.high for s, x in zip(shares, parts, strict=True)),
    )


def _shared_fluctuation(shares: Sequence[float], parts: Sequence[Moments]) -> float:
    """Give the variance of ln Σqᵢ, the summands taken to fluctuate together."""
    pairs = zip(shares, parts, strict=True)
    return float(sum(share * sqrt(max(x.log_variance, 0.0)) for share, x in pairs) ** 2)


def through_product(parts: Sequence[Moments]) -> Moments:
    """Give m = Πmᵢ, q = Πqᵢ for independent factors, as in a gate.

    >>> through_product([Moments(second_moment=2.0), Moments()]).second_moment
    2.0
    """
    return Moments(
        mean=float(np.prod([x.mean for x in parts])),
        second_moment=float(np.prod([x.second_moment for x in parts])),
        kurtosis=float(np.prod([x.kurtosis for x in parts])),
        log_variance=sum(x.log_variance for x in parts),
        low=float(np.prod([x.low for x in parts])),
        high=float(np.prod([x.high for x in parts])),
    )


def through_concat(parts: Sequence[Moments], sizes: Sequence[int]) -> Moments:
    """Average m and q, weighted by size.

    >>> halves = [Moments(mean=1.0, second_moment=2.0), Moments(second_moment=4.0)]
    >>> through_concat(halves, [1, 1]).second_moment
    3.0
    """
    shares = [size / sum(sizes) for size in sizes]
    pairs = list(zip(shares, parts, strict=True))
    q = sum(s * x.second_moment for s, x in pairs)
    fourth = sum(s * x.kurtosis * x.second_moment**2 for s, x in pairs)
    weights = [s * x.second_moment / q if q else 0.0 for s, x in pairs]
    return Moments(
        mean=sum(s * x.mean for s, x in pairs),
        second_moment=q,
        kurtosis=fourth / q**2 if q else GAUSSIAN_KURTOSIS,
        log_variance=_shared_fluctuation(weights, parts),
        low=sum(w * x.low for w, x in zip(weights, parts, strict=True)),
        high=sum(w * x.high for w, x in zip(weights, parts, strict=True)),
    )


def through_dropout(x: Moments, p: float) -> Moments:
    """Give m′ = m, q′ = q/(1 − p): kept entries are multiplied by 1/(1 − p).

    >>> through_dropout(Moments(), 0.5).second_moment
    2.0
    """
    kept = 1.0 - p
    if kept <= 0.0:
        return Moments(second_moment=0.0)
    return replace(x, second_moment=x.second_moment / kept, kurtosis=x.kurtosis / kept)
