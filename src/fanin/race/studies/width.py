"""The width study: do layers learn at one pace, and does the learning rate carry over?

The coordinate check of Yang, Hu et al. (2022), "Tensor Programs V", arXiv 2203.03466,
section D.1: E|x| of every layer over the first steps, for several widths. Under muP it
does not depend on the width; under the usual weights with one learning rate it grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.coordinates import Walk

USUAL = "as built"
"""The model as its constructor leaves it, with one learning rate for all."""


@dataclass(frozen=True, kw_only=True)
class WidthStudy:
    """What is done at every width.

    widths: in rising order. base: the width that muP compares with; None for the
    narrowest. policies: "as
    built", or a policy of `fanin.plan`. seeds: of the weights. optimizer: "adam",
    "adamw" or "sgd". learning_rate: of the coordinate check, at the base. n_steps: of
    the coordinate check. rates: the grid of the learning-rate transfer, () to leave it
    out. n_train_steps, batch_size: of each of its nets.

    Raises:
        ArgumentError: if a number is out of range.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512)
    base: int | None = None
    policies: tuple[str, ...] = (USUAL, "mup")
    seeds: tuple[int, ...] = (0, 1, 2)
    optimizer: str = "adam"
    learning_rate: float = 2.0**-7
    n_steps: int = 4
    rates: tuple[float, ...] = tuple(2.0**k for k in range(-11, -2))
    n_train_steps: int = 60
    batch_size: int = 64

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or list(self.widths) != sorted(set(self.widths)):
            expected = "two widths or more, in rising order"
            raise ArgumentError.of(
                argument="widths", received=self.widths, expected=expected
            )
        if self.base is not None and not 1 <= self.base <= self.widths[0]:
            expected = f"from 1 to the narrowest width, {self.widths[0]}"
            raise ArgumentError.of(
                argument="base", received=self.base, expected=expected
            )
        for name in ("n_steps", "n_train_steps", "batch_size"):
            if getattr(self, name) < 1:
                expected = "1 or more"
                raise ArgumentError.of(
                    argument=name, received=getattr(self, name), expected=expected
                )
        for rate in (self.learning_rate, *self.rates):
            if not 0 < rate < float("inf"):
                expected = "above 0 and finite"
                raise ArgumentError.of(
                    argument="learning rate", received=rate, expected=expected
                )

    @property
    def base_width(self) -> int:
        """Give the width that muP compares with."""
        return self.widths[0] if self.base is None else self.base

    @property
    def n_runs(self) -> int:
        """How many nets are trained: a count."""
        of_each = len(self.policies) * len(self.widths) * len(self.seeds)
        return of_each * (1 + len(self.rates))


@dataclass(frozen=True, kw_only=True)
class Slope:
    """How a size goes with the width: size ∝ width^mean, over seeds.

    error: standard error of the mean over seeds; NaN of one seed.
    """

    mean: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Widths:
    """What a width study showed.

    model: in words. walks: by (policy, width, seed). losses: by (policy, width), mean
    over the last third of the steps and over seeds, for each rate of the grid; NaN
    where one diverged. seconds: wall time.
    """

    study: WidthStudy
    model: str
    walks: Mapping[tuple[str, int, int], Walk]
    losses: Mapping[tuple[str, int], np.ndarray]
    seconds: float

    @property
    def layers(self) -> tuple[str, ...]:
        """Name the layers, in the order of running; the last is the output."""
        return next(iter(self.walks.values())).layers

    def sizes(self, policy: str, layer: str, step: int) -> np.ndarray:
        """Give E|x| of a layer after so many steps: "seed width"."""
        return self._taken(policy, layer, step, "mean_abs")

    def slope(self, policy: str, layer: str, step: int) -> Slope:
        """Fit ln E|x| of a layer after so many steps over ln width."""
        return slope_of(self.study.widths, self.sizes(policy, layer, step))

    def change_slope(self, policy: str, layer: str) -> Slope:
        """Fit what a layer's output has changed in all steps, in the same way."""
        last = self.study.n_steps
        return slope_of(self.study.widths, self._taken(policy, layer, last, "change"))

    def worst(self, policy: str) -> str:
        """Name the layer whose change goes most with the width."""
        return max(self.layers, key=lambda n: abs(self.change_slope(policy, n).mean))

    def best_rates(self, policy: str) -> tuple[float, ...]:
        """Give the rate with the least loss at each width; NaN if all diverged."""
        found = []
        for width in self.study.widths:
            losses = self.losses[policy, width]
            known = np.where(np.isfinite(losses), losses, np.inf)
            place = int(known.argmin())
            found.append(
                self.study.rates[place] if np.isfinite(known[place]) else float("nan")
            )
        return tuple(found)

    def cost_of_transfer(self, policy: str) -> tuple[float, float]:
        """Give the widest net's loss at its own best rate, and at the narrowest's."""
        narrow, wide = self.study.widths[0], self.study.widths[-1]
        losses = self.losses[policy, wide]
        at = self.losses[policy, narrow]
        place = int(np.where(np.isfinite(at), at, np.inf).argmin())
        return float(np.nanmin(losses)), float(losses[place])

    def _taken(self, policy: str, layer: str, step: int, what: str) -> np.ndarray:
        place = self.layers.index(layer)
        return np.array(
            [
                [
                    getattr(self.walks[policy, width, seed], what)[step, place]
                    for width in self.study.widths
                ]
                for seed in self.study.seeds
            ]
        )


def slope_of(widths: tuple[int, ...], sizes: np.ndarray) -> Slope:
    """Fit ln size = slope·ln width + constant by least squares, for each seed.

    Args:
        widths: "n_widths".
        sizes: above 0, "n_seeds n_widths".

    >>> slope_of((2, 4, 8), np.array([[1.0, 0.5, 0.25], [1.0, 1.0, 1.0]])).mean
    -0.5
    """
    x = np.array([log(width) for width in widths])
    centred = x - x.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.log(sizes) @ centred / (centred @ centred)
    n = len(slopes)
    error = float(slopes.std(ddof=1)) / sqrt(n) if n > 1 else float("nan")
    return Slope(mean=float(slopes.mean()), error=error)
