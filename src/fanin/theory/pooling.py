"""The rules of pooling, normalization and softmax."""

from __future__ import annotations

from dataclasses import replace
from math import erf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.theory.concentration import concentration
from fanin.theory.gaussian import gaussian_rule
from fanin.theory.moments import Moments

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction


def through_mean_pool(x: Moments, n_entries: int) -> Moments:
    """Give q′ = m² + (q − m²)/k for k independent positions; up to q for equal ones.

    The second moment of independent positions is given, and ``high`` covers the rest:
    neighbouring positions of an image are far from independent.

    >>> through_mean_pool(Moments(mean=1.0, second_moment=5.0), 4).second_moment
    2.0
    """
    q = x.mean**2 + x.variance / n_entries
    if q == 0.0:
        return Moments(second_moment=0.0)
    return replace(
        x,
        second_moment=q,
        kurtosis=_mean_kurtosis(x, n_entries, q),
        high=x.high * x.second_moment / q,
    )


def _mean_kurtosis(x: Moments, n_entries: int, q: float) -> float:
    """Give E[y⁴]/E[y²]² of a mean, taken as Gaussian around m."""
    variance = x.variance / n_entries
    return (x.mean**4 + 6 * x.mean**2 * variance + 3 * variance**2) / q**2


def through_sum_pool(x: Moments, n_entries: int) -> Moments:
    """Give n times the mean: m′ = n·m, q′ = n²·q of the mean."""
    mean = through_mean_pool(x, n_entries)
    return replace(
        mean,
        mean=n_entries * mean.mean,
        second_moment=n_entries**2 * mean.second_moment,
    )


def through_max_pool(
    before: Moments, n_entries: int, function: ScalarFunction
) -> Moments:
    """E[f(max z)] and E[f(max z)²] over k independent Gaussians.

    A maximum of f(zᵢ) is f(max zᵢ) for a rising f, and max zᵢ has the density
    k·p(z)·P(z)^(k−1). Equal positions would change nothing: ``low`` covers them.

    Args:
        before: of the Gaussian that f acts on.
        n_entries: k, a count.
        function: f, the activation in front of the pooling, or the identity.

    >>> round(through_max_pool(Moments(), 4, lambda z: z).mean, 8)
    1.02937537
    """
    rule = gaussian_rule(function, mean=before.mean, variance=before.variance)
    density = density_of_maximum(rule.z, n_entries)
    q = rule.expect(rule.values**2 * density)
    if q == 0.0:
        return Moments(second_moment=0.0)
    low = before.low * min(rule.second_moment / q, 1.0)
    return Moments(
        mean=rule.expect(rule.values * density),
        second_moment=q,
        kurtosis=rule.expect(rule.values**4 * density) / q**2,
        log_variance=before.log_variance,
        low=low,
        high=before.high * max(rule.second_moment / q, 1.0),
    )


def density_of_maximum(z: np.ndarray, n_entries: int) -> np.ndarray:
    """Give the density of the largest of k N(0, 1), over that of one: k·P(z)^(k−1).

    >>> density_of_maximum(np.zeros(1), 3).tolist()
    [0.75]
    """
    below = np.array([(1 + erf(x / sqrt(2))) / 2 for x in z])
    return np.asarray(n_entries * below ** (n_entries - 1))


def through_normalization(x: Moments, kind: str, eps: float) -> Moments:
    """Give m = 0 and q = v/(v + eps), before gain and shift; an RMS keeps the mean.

    The scale that came in is gone, and with it every fluctuation.

    >>> through_normalization(Moments(second_moment=100.0), "layer", 0.0).second_moment
    1.0
    """
    if kind in {"rms", "l2", "l1"}:
        q = x.second_moment / (x.second_moment + eps)
        return Moments(mean=x.mean / sqrt(x.second_moment + eps), second_moment=q)
    return Moments(second_moment=x.variance / (x.variance + eps))


def through_affine(x: Moments, gain: Moments, shift: Moments) -> Moments:
    """Multiply by a gain and add a shift, both independent of x."""
    mean = gain.mean * x.mean
    q = gain.second_moment * x.second_moment
    total = q + shift.second_moment + 2 * mean * shift.mean
    return replace(x, mean=mean + shift.mean, second_moment=total)


def through_softmax(x: Moments, n_entries: int) -> Moments:
    """Give m = 1/T, q = E[Σα²]/T for T independent Gaussian logits.

    E[Σα²] ≈ e^{s²}/T for T ≫ e^{s²}, s² their variance; found exactly here.

    >>> round(through_softmax(Moments(second_moment=0.0), 4).second_moment, 12)
    0.0625
    """
    mean = 1.0 / n_entries
    q = concentration(x.variance, n_entries) * mean
    return Moments(mean=mean, second_moment=q, log_variance=x.log_variance)
