"""What is left of signals and gradients behind n plain layers of independent weights.

What goes wrong with depth, though each layer has the scale that its scheme promises,
and is mended by no other scale:

- the squared singular values of the layers' Jacobian spread: their relative variance
  grows by E[φ′⁴]/E[φ′²]² − 1 from the activation and by 1 from Gaussian weights
  (Pennington, Schoenholz & Ganguli 2018, equations 16 and 17). Of n directions only
  about n/(1 + spread) carry the signal: the participation ratio (Σs²)²/(n·Σs⁴);
- squared gradients grow by χ a layer;
- an error in the scale of what comes in is multiplied by d ln V/d ln q a layer;
- at the edge of chaos of an odd function that bends, second moments fade as 1/(2l).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from fanin.theory.centring import FLAT
from fanin.theory.gaussian import gaussian_rule
from fanin.theory.spread import WEIGHTS

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction


@dataclass(frozen=True, kw_only=True)
class Passage:
    """What happens between the first and the last of some layers.

    spread: relative variance of the squared singular values. growth: E[δ²] of the
    gradient at the first pre-activations over that at the last. drift: the relative
    error of the last second moment over that of the first. moment: the last over the
    first.
    """

    spread: float
    growth: float
    drift: float
    moment: float

    @property
    def share(self) -> float:
        """Give the share of directions that carry the signal: 1/(1 + spread)."""
        return 1.0 / (1.0 + self.spread)


def passage(
    function: ScalarFunction,
    *,
    weight_variance: float,
    n_layers: int,
    moment: float = 1.0,
    weights: str = "gaussian",
) -> Passage:
    """Follow n layers z′ = W·φ(z) of equal width, without biases.

    Args:
        function: φ.
        weight_variance: σ_w² = n·Var(w).
        n_layers: activations that are passed, ≥ 1.
        moment: second moment of the first pre-activations.
        weights: "gaussian" or "orthogonal".

    He's ten layers keep scale and gradients, and 1/21 of the directions:

    >>> import numpy as np
    >>> he = passage(lambda x: np.maximum(x, 0), weight_variance=2.0, n_layers=10)
    >>> round(1 / he.share, 9), round(he.growth, 9), round(he.drift, 9)
    (21.0, 1.0, 1.0)
    """
    spread, growth, drift = 0.0, 1.0, 1.0
    q = moment
    for layer in range(n_layers):
        rule = gaussian_rule(function, variance=q)
        squares = rule.slopes**2
        mean = rule.expect(squares)
        second = rule.second_moment
        if second <= 0.0 or q * mean <= FLAT * second:
            return Passage(spread=inf, growth=0.0, drift=drift, moment=0.0)
        spread += rule.expect(squares**2) / mean**2 - 1.0 + WEIGHTS[weights]
        if layer < n_layers - 1:
            growth *= weight_variance * mean
            drift *= rule.expect(rule.values**2 * (rule.z**2 - 1)) / (2 * second)
            q = weight_variance * second
    return Passage(spread=spread, growth=growth, drift=drift, moment=q / moment)
