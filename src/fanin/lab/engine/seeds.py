"""The same recipe under other seeds: how far one draw speaks for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.lab.engine.draws import draw_weights
from fanin.lab.engine.net import backward, cross_entropy, forward
from fanin.lab.engine.reading import N_PROBE, root_mean_square

if TYPE_CHECKING:
    from fanin.lab.engine.recipe import Recipe
    from fanin.race.data import Dataset

N_SEEDS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Least and greatest root mean square over `N_SEEDS` seeds, by layer."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    gradient_low: tuple[float, ...]
    gradient_high: tuple[float, ...]


def spread(recipe: Recipe, data: Dataset) -> Spread:
    """Draw and run the recipe under its own seed and those that follow, untrained."""
    sizes = recipe.sizes(data.n_in, data.n_classes)
    x, targets = data.inputs[:N_PROBE], data.targets[:N_PROBE]
    forwards, backwards = [], []
    for offset in range(N_SEEDS):
        weights = draw_weights(recipe, sizes, seed=recipe.seed + offset)
        run = forward(weights, x, recipe.activation)
        _, gradient = cross_entropy(run.logits, targets)
        back = backward(weights, run, gradient, recipe.activation)
        forwards.append([root_mean_square(each) for each in run.outputs])
        backwards.append([root_mean_square(each) for each in back.outputs])
    there, back_again = np.array(forwards), np.array(backwards)
    return Spread(
        low=tuple(there.min(axis=0).tolist()),
        high=tuple(there.max(axis=0).tolist()),
        gradient_low=tuple(back_again.min(axis=0).tolist()),
        gradient_high=tuple(back_again.max(axis=0).tolist()),
    )
