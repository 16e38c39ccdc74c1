"""What theory says of a recipe before training: sizes forward and back, by layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt
from typing import TYPE_CHECKING, Final

from fanin.activations import find_activation
from fanin.lab.engine.draws import ROLES, shapes
from fanin.lab.engine.recipe import SCHEMES
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.activations import Activation
    from fanin.lab.engine.recipe import Recipe

RANDOM: Final = frozenset({"normal", "uniform", "truncated_normal", "orthogonal"})
STILL: Final = 1e-12
"""A relative change of variance below which a layer's moments are those before it."""
LARGEST: Final = 1e60
"""A variance beyond which float32 has overflowed long since."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Root mean squares of the outputs and of the gradients by them, by layer."""

    rms: tuple[float, ...]
    gradient_rms: tuple[float, ...]


def expected(
    recipe: Recipe, sizes: Sequence[int], *, input_square: float, last_gradient: float
) -> Expected | None:
    """Follow second moments through a wide random net (Poole et al. 2016, eq. 3).

    Forwards q ← n_in·σ²·E[φ(z)²] + b², z ~ N(0, q); backwards the square of the
    gradient is multiplied by n_out·σ²·E[φ′(z)²] (Schoenholz et al. 2017, eq. 8).

    Args:
        recipe: what is built.
        sizes: units of the input, of each hidden layer and of the output.
        input_square: second moment of the inputs, measured.
        last_gradient: root mean square of the gradient at the output, measured.

    Returns:
        None for a scheme whose weights are not random: a constant or an identity.
    """
    if find_scheme(SCHEMES[recipe.scheme]).law not in RANDOM:
        return None
    variances = [_variance(recipe, shape) for shape in shapes(sizes)]
    walk = _Walk(activation=find_activation(recipe.activation))
    square, squares, slopes = input_square, [], []
    for layer, (variance, n_in) in enumerate(zip(variances, sizes, strict=False)):
        is_last = layer == len(variances) - 1
        square = n_in * variance * square + (0.0 if is_last else recipe.bias**2)
        squares.append(square)
        if not is_last:
            square, slope = walk(square)
            slopes.append(slope)
    gradients = [last_gradient**2]
    for layer in range(len(slopes) - 1, -1, -1):
        factor = sizes[layer + 2] * variances[layer + 1]
        gradients.append(gradients[-1] * factor * slopes[layer])
    return Expected(
        rms=tuple(map(_root, squares)),
        gradient_rms=tuple(map(_root, reversed(gradients))),
    )


def _root(square: float) -> float:
    return sqrt(square) if square >= 0 else nan


def _variance(recipe: Recipe, shape: tuple[int, int]) -> float:
    scheme = find_scheme(SCHEMES[recipe.scheme])
    return (recipe.factor * float(scheme.std(scheme.fan_of(shape, ROLES)))) ** 2


class _Walk:
    """E[φ²] and E[φ′²] at each variance on the way, each asked once."""

    def __init__(self, activation: Activation) -> None:
        self.activation = activation
        self.before: tuple[float, tuple[float, float]] = (-1.0, (nan, nan))

    def __call__(self, square: float) -> tuple[float, float]:
        if not isfinite(square) or square > LARGEST:
            return (inf, nan)
        known, found = self.before
        if abs(square - known) > STILL * square:
            moments = self.activation.moments(square)
            found = (moments.second_moment, moments.derivative_second_moment)
            self.before = (square, found)
        return found
