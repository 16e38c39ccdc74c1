"""One net in training, and what was seen on the way: frames to scrub back through."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.lab.engine.draws import Weights, draw_weights
from fanin.lab.engine.net import backward, cross_entropy, forward
from fanin.lab.engine.optimizers import OPTIMIZERS, Memory
from fanin.lab.engine.plane import Plane, plane
from fanin.lab.engine.reading import Reading, read, root_mean_square
from fanin.lab.engine.tasks import task
from fanin.race.data import shuffled

if TYPE_CHECKING:
    from fanin.lab.engine.recipe import Recipe
    from fanin.race.data import Dataset

MOST_FRAMES: Final = 160
MOST_STEPS: Final = 5000


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The net after so many steps.

    updates: by layer, root mean square of the last change over that of the weights;
    empty before the first step. plane: for data in the plane.
    """

    step: int
    reading: Reading
    updates: tuple[float, ...] = ()
    plane: Plane | None = None


@dataclass(kw_only=True)
class Trial:
    """A recipe in training. Frames are kept in a bounded list.

    losses: of every batch so far; updates: as in `Frame`, of the last step. When the
    list is full every second frame goes and frames are kept half as often, so that the
    whole way back to the start can always be scrubbed; the last frame is always there.
    """

    recipe: Recipe
    data: Dataset
    weights: Weights
    memory: Memory = field(default_factory=Memory)
    step: int = 0
    losses: list[float] = field(default_factory=list)
    updates: tuple[float, ...] = ()
    frames: list[Frame] = field(default_factory=list)
    stride: int = 1
    _order: tuple[int, np.ndarray] | None = None

    @classmethod
    def start(cls, recipe: Recipe) -> Trial:
        """Draw the weights and look at them; the same recipe starts the same again.

        Raises:
            MissingDependencyError: for a task of scikit-learn's where it is missing.
        """
        data = task(recipe.data)
        sizes = recipe.sizes(data.n_in, data.n_classes)
        trial = cls(recipe=recipe, data=data, weights=draw_weights(recipe, sizes))
        trial.look()
        return trial

    @property
    def is_over(self) -> bool:
        """Say whether no step more is taken: too many, or the loss is no number."""
        is_finite = all(map(isfinite, self.losses[-1:]))
        return self.step >= MOST_STEPS or not is_finite

    def advance(self) -> None:
        """Take one step on the next batch of this epoch's order."""
        recipe = self.recipe
        rows = self._rows()
        x, targets = self.data.inputs[rows], self.data.targets[rows]
        run = forward(self.weights, x, recipe.activation)
        loss, gradient = cross_entropy(run.logits, targets)
        back = backward(self.weights, run, gradient, recipe.activation)
        with np.errstate(all="ignore"):
            update = OPTIMIZERS[recipe.optimizer](
                back.parameters, recipe.learning_rate, self.memory
            )
            old = self.weights
            self.weights = Weights.of(
                [
                    value + change
                    for value, change in zip(
                        old.parameters, update.changes, strict=True
                    )
                ]
            )
        self.updates = _ratios(old, update.changes)
        self.memory = update.memory
        self.step += 1
        self.losses.append(loss)

    def look(self) -> Frame:
        """Give the frame of this step, kept from now on."""
        if self.frames and self.frames[-1].step == self.step:
            return self.frames[-1]
        is_kept = not self.frames or self.frames[-1].step % self.stride == 0
        if not is_kept:
            self.frames.pop()
        if len(self.frames) >= MOST_FRAMES:
            self.stride *= 2
            self.frames = [f for f in self.frames if f.step % self.stride == 0]
        frame = Frame(
            step=self.step,
            reading=read(self.weights, self.data, self.recipe.activation),
            updates=self.updates,
            plane=plane(self.weights, self.recipe.activation)
            if self.data.n_in == 2
            else None,
        )
        self.frames.append(frame)
        return frame

    def frame_at(self, step: int) -> Frame:
        """Give the last frame at or before a step."""
        return [f for f in self.frames if f.step <= max(step, 0)][-1]

    def _rows(self) -> np.ndarray:
        """Give the samples of the next batch: epochs, each in an order of its own."""
        n, size = len(self.data.targets), self.recipe.batch_size
        per_epoch = max(n // size, 1)
        epoch, place = divmod(self.step, per_epoch)
        if self._order is None or self._order[0] != epoch:
            name = f"lab.epoch.{epoch}"
            self._order = (epoch, shuffled(name, n, seed=self.recipe.seed))
        return self._order[1][place * size : (place + 1) * size]


def _ratios(old: Weights, changes: tuple[np.ndarray, ...]) -> tuple[float, ...]:
    """Give rms(Δ) / rms(w) by layer; NaN where all weights are 0."""
    sizes = [root_mean_square(matrix) for matrix in old.matrices]
    moves = [root_mean_square(change) for change in changes[: len(sizes)]]
    return tuple(
        move / size if size else float("nan")
        for move, size in zip(moves, sizes, strict=True)
    )
