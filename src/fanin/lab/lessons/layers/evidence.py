"""Deep nets of some starts on the same data: measured, predicted, trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.util import find_spec
from math import isfinite
from typing import TYPE_CHECKING

from fanin.lab.engine.draws import draw_weights
from fanin.lab.engine.expected import expected
from fanin.lab.engine.reading import read, root_mean_square
from fanin.lab.engine.seeds import spread
from fanin.lab.engine.tasks import task
from fanin.lab.engine.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.lab.engine.draws import Weights
    from fanin.lab.engine.expected import Expected
    from fanin.lab.engine.reading import Reading
    from fanin.lab.engine.recipe import Recipe
    from fanin.lab.engine.seeds import Spread
    from fanin.race.data import Dataset

N_TRAINED = 60
"""Updates of the nets that are trained side by side."""


def usual_data() -> str:
    """Give handwritten digits, or spirals where scikit-learn is not installed."""
    return "digits" if find_spec("sklearn") else "spirals"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One start. label: in figures. input_factor: inputs are multiplied by it."""

    label: str
    recipe: Recipe
    input_factor: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """One start, looked at."""

    variant: Variant
    data: Dataset

    @property
    def label(self) -> str:
        """Give its name in figures."""
        return self.variant.label

    @cached_property
    def reading(self) -> Reading:
        """Give what one run forward and back shows before training."""
        return read(self._weights(), self.data, self.variant.recipe.activation)

    @cached_property
    def expected(self) -> Expected | None:
        """Give theory's sizes by layer; None where the weights are not random."""
        return expected(
            self.variant.recipe,
            self._sizes(),
            input_square=root_mean_square(self.data.inputs) ** 2,
            last_gradient=self.reading.gradient_rms[-1],
        )

    @property
    def losses(self) -> tuple[float, ...]:
        """Give the loss of each batch over `N_TRAINED` updates, while it is finite."""
        return trained_losses(self.variant)

    @property
    def recent_loss(self) -> float:
        """Give the mean loss of the last ten batches; NaN without one."""
        last = self.losses[-10:]
        return sum(last) / len(last) if last else float("nan")

    @cached_property
    def spread(self) -> Spread:
        """Give the least and the greatest size over seeds, by layer."""
        return spread(self.variant.recipe, self.data)

    @property
    def per_layer(self) -> float:
        """Give what a layer multiplies the signal by: the mean over hidden layers.

        Layers whose signal is 0 or not finite are left out.
        """
        return _a_layer(self.reading.rms)

    @property
    def back_per_layer(self) -> float:
        """Give what a layer multiplies the gradient by, on its way back."""
        return _a_layer(tuple(reversed(self.reading.gradient_rms)))

    def _sizes(self) -> tuple[int, ...]:
        return self.variant.recipe.sizes(self.data.n_in, self.data.n_classes)

    def _weights(self) -> Weights:
        return draw_weights(self.variant.recipe, self._sizes())


@dataclass(frozen=True, kw_only=True)
class Looks:
    """All starts of a lesson: the case first, what to do instead last."""

    looks: tuple[Look, ...]
    settings: Mapping[str, float]

    @property
    def case(self) -> Look:
        """Give the lesson's case."""
        return self.looks[0]

    @property
    def better(self) -> Look:
        """Give what to do instead."""
        return self.looks[-1]


@lru_cache(maxsize=64)
def trained_losses(variant: Variant) -> tuple[float, ...]:
    """Train a start, once for all lessons that show it; give the finite losses."""
    data = _data(variant)
    recipe = variant.recipe
    weights = draw_weights(recipe, recipe.sizes(data.n_in, data.n_classes))
    trial = Trial(recipe=recipe, data=data, weights=weights)
    for _ in range(N_TRAINED):
        if trial.losses and not isfinite(trial.losses[-1]):
            break
        trial.advance()
    return tuple(loss for loss in trial.losses if isfinite(loss))


def looks_of(
    variants: Callable[[Mapping[str, float]], tuple[Variant, ...]],
    settings: Mapping[str, float],
) -> Looks:
    """Build the starts of a lesson at some settings; each is looked at when asked."""
    return Looks(
        looks=tuple(Look(variant=v, data=_data(v)) for v in variants(settings)),
        settings=dict(settings),
    )


def _data(variant: Variant) -> Dataset:
    data = task(variant.recipe.data)
    return replace(data, inputs=data.inputs * variant.input_factor)


def _a_layer(sizes: tuple[float, ...]) -> float:
    """Give the mean factor from one size to the next, output layer left out.

    >>> _a_layer((8.0, 4.0, 2.0, 1.0, 77.0))
    0.5
    """
    kept = [size for size in sizes[:-1] if 0 < size < float("inf")]
    if len(kept) < 2:
        return 0.0
    return float((kept[-1] / kept[0]) ** (1 / (len(kept) - 1)))
