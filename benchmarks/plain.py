"""Plain nets without normalization or skips, trained from seven initializations.

Run: ``python -m benchmarks plain [--depths 10 30 100] [--width 128] [--activations …]
[--optimizers sgd adam] [--seeds 3] [--steps 240] [--keep FOLDER] [--markdown]``.
A cell is a depth, an activation and an optimizer; in it all initializers get the same
batches of scikit-learn's digits, the same steps and one grid of learning rates. The
grid is run on the first seed; the two best rates on the validation images are run on
the other seeds, and the better of them, on the validation images of all seeds, is what
the initializer reaches: its accuracy on test images that chose nothing. Two accuracies
are told apart by more than twice the standard error of their difference, from the test
images (paired) and the seeds. A cell is trained from an accuracy of 0.8 on. With
``--keep`` each cell is written to a file when it is done, and read from it by the next
run of that setting.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks._plain_nets import MODULES, NAMES, OURS, Shape, initialized
from benchmarks._stacked import Digits, Layers, Schedule, Stack, digits, train
from benchmarks._table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable


DEPTHS = (10, 30, 100)
RATES = {
    "sgd": (0.3, 0.1, 0.03, 0.01, 0.003, 0.001),
    "adam": (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5),
}
BATCH = 32
TRAINS = 0.8


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all cells share."""

    data: Digits
    width: int
    names: tuple[str, ...]
    seeds: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What one initializer reaches in one cell.

    correct: "seeds samples", whether each test image is right, at the rate chosen.
    rate: that rate.
    """

    correct: np.ndarray
    rate: float

    @property
    def accuracy(self) -> float:
        """Give the mean test accuracy over seeds."""
        return float(self.correct.mean())


Key = tuple[str, int]
"""Initializer and seed."""
Runs = dict[tuple[str, int, float], tuple[np.ndarray, np.ndarray]]
"""Initializer, seed and rate → which images are right, for validation and test."""


class Cell:
    """One depth and activation, with the nets of all initializers and seeds."""

    def __init__(self, activation: str, depth: int, setting: Setting) -> None:
        self.activation, self.setting = activation, setting
        self.shape = Shape(depth=depth, width=setting.width, activation=activation)

    @cached_property
    def nets(self) -> dict[Key, Layers]:
        """Give all nets, initialized once."""
        setting = self.setting
        return {
            (name, seed): initialized(name, self.shape, setting.data, seed)
            for name, seed in product(setting.names, range(setting.seeds))
        }

    def reached(self, optimizer: str) -> dict[str, Reached]:
        """Train with one optimizer: the grid on seed 0, its two best on the others."""
        all_names = self.setting.names
        runs: Runs = {}
        for rate in RATES[optimizer]:
            runs |= self._trained(optimizer, rate, [(name, 0) for name in all_names])
        best = {
            name: sorted(
                RATES[optimizer], key=partial(_on_validation, runs, name, range(1))
            )[-2:]
            for name in all_names
        }
        for rate in RATES[optimizer]:
            names = [name for name in all_names if rate in best[name]]
            others = list(product(names, range(1, self.setting.seeds)))
            runs |= self._trained(optimizer, rate, others)
        found = {}
        for name in all_names:
            seeds = range(self.setting.seeds)
            rate = max(best[name], key=partial(_on_validation, runs, name, seeds))
            correct = np.stack([runs[name, s, rate][1] for s in seeds])
            found[name] = Reached(correct=correct, rate=rate)
        return found

    def _trained(self, optimizer: str, rate: float, keys: list[Key]) -> Runs:
        """Train nets at one rate; those of one seed see the same batches."""
        found: Runs = {}
        setting, data = self.setting, self.setting.data
        for seed in sorted({seed for _, seed in keys}):
            names = [name for name, own in keys if own == seed]
            stack = Stack([self.nets[name, seed] for name in names], self.activation)
            schedule = Schedule(
                optimizer=optimizer,
                rate=rate,
                steps=setting.steps,
                batch=BATCH,
                seed=seed,
            )
            train(stack, data, schedule)
            valid = stack.correct(data.valid_x, data.valid_y).numpy()
            test = stack.correct(data.test_x, data.test_y).numpy()
            for i, name in enumerate(names):
                found[name, seed, rate] = (valid[i], test[i])
        return found


def kept(
    cell: Cell, optimizer: str, title: str, folder: Path | None
) -> dict[str, Reached]:
    """Give what a cell reaches, from its file if there is one."""
    if folder is None:
        return cell.reached(optimizer)
    setting = cell.setting
    words = (title, setting.width, setting.steps, setting.seeds, *setting.names)
    path = folder / ("-".join(str(word).replace(" ", "-") for word in words) + ".npz")
    if not path.exists():
        found = cell.reached(optimizer)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(
            path,
            correct=np.stack([found[name].correct for name in setting.names]),
            rates=np.array([found[name].rate for name in setting.names]),
        )
    with np.load(path) as file:
        rows = zip(setting.names, file["correct"], file["rates"], strict=True)
        return {
            name: Reached(correct=correct, rate=float(rate))
            for name, correct, rate in rows
        }


def _on_validation(runs: Runs, name: str, seeds: Iterable[int], rate: float) -> float:
    """Give the validation accuracy at one rate, summed over seeds."""
    return float(sum(runs[name, seed, rate][0].mean() for seed in seeds))


def compare(ours: Reached, other: Reached) -> int:
    """Say whether fanin's accuracy is higher (1), lower (−1) or neither.

    The difference's variance is that of the mean over test images, paired, and that of
    the mean over seeds.
    """
    gap = ours.correct.astype(float) - other.correct.astype(float)
    n_seeds, n_images = gap.shape
    by_image = gap.mean(axis=0).var(ddof=1) / n_images
    by_seed = gap.mean(axis=1).var(ddof=1) / n_seeds if n_seeds > 1 else 0.0
    error = sqrt(by_image + by_seed)
    difference = float(gap.mean())
    return int(np.sign(difference)) if abs(difference) > 2.0 * error else 0


def reason(activation: str, depth: int) -> str:
    """Say what theory says of a cell that nothing trained."""
    from fanin.activations import find_activation
    from fanin.prescription.choosing.isometry import failing

    return failing(find_activation(activation), depth) or "theory sees nothing"


def main() -> None:
    """Train every cell and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--depths", type=int, nargs="*", default=DEPTHS)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--activations", nargs="*", default=tuple(MODULES))
    parser.add_argument("--optimizers", nargs="*", default=tuple(RATES))
    parser.add_argument("--initializers", nargs="*", default=NAMES)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    setting = Setting(
        data=digits(),
        width=options.width,
        names=tuple(options.initializers),
        seeds=options.seeds,
        steps=options.steps,
    )
    cells: dict[str, dict[str, Reached]] = {}
    hopeless: dict[str, str] = {}
    head = ("depth, activation, optimizer", *setting.names)
    table = Table(head, is_markdown=options.markdown)
    for depth, activation in product(options.depths, options.activations):
        cell = Cell(activation, depth, setting)
        for optimizer in options.optimizers:
            title = f"{depth} {activation} {optimizer}"
            cells[title] = kept(cell, optimizer, title, options.keep)
            hopeless[title] = reason(activation, depth)
            table.row(title, *accuracies(cells[title]))
    table.close()
    summary(cells, hopeless, is_markdown=options.markdown)


def accuracies(cell: dict[str, Reached]) -> list[str]:
    """Print accuracies; in bold what fanin does not beat beyond the error."""
    texts = []
    for name, reached in cell.items():
        text = f"{reached.accuracy:.3f}"
        is_ahead = name != OURS and compare(cell[OURS], reached) < 0
        texts.append(f"**{text}**" if is_ahead else text)
    return texts


def summary(
    cells: dict[str, dict[str, Reached]],
    hopeless: dict[str, str],
    *,
    is_markdown: bool,
) -> None:
    """Print how fanin stands against each, and which cells stand out."""
    head = ("initializer", "trains", "mean", "fanin wins", "ties", "loses")
    table = Table(head, is_markdown=is_markdown)
    for name in next(iter(cells.values())):
        trained = sum(cell[name].accuracy >= TRAINS for cell in cells.values())
        mean = np.mean([cell[name].accuracy for cell in cells.values()])
        verdicts = [compare(cell[OURS], cell[name]) for cell in cells.values()]
        counts = [verdicts.count(v) for v in (1, 0, -1)] if name != OURS else ["–"] * 3
        table.row(name, f"{trained} of {len(cells)}", f"{mean:.3f}", *counts)
    table.close()
    labels = ("Only fanin trains", "Only others train", "Nobody trains")
    groups: dict[str, list[str]] = {label: [] for label in labels}
    for title, cell in cells.items():
        by_us = cell[OURS].accuracy >= TRAINS
        by_others = any(cell[n].accuracy >= TRAINS for n in cell if n != OURS)
        if by_us and not by_others:
            groups["Only fanin trains"].append(title)
        elif by_others and not by_us:
            groups["Only others train"].append(title)
        elif not by_us:
            groups["Nobody trains"].append(f"{title} ({hopeless[title]})")
    for label, titles in groups.items():
        print(f"{label}: {', '.join(titles) or 'none'}.\n")


if __name__ == "__main__":
    main()
