"""Published architectures trained without their normalization, by initializer.

Run: ``python -m benchmarks norm_free [--nets NAME ...] [--depths 1 2 4] [--seeds 3]
[--steps 100] [--norm] [--jobs 1] [--markdown]``. A cell is a net of
``benchmarks/models/norm_free.py``, of a depth, with an optimizer. Task: scikit-learn's
digits, each shown dark on light or light on dark by the toss of a coin; a linear
model's logits change sign with the image, so it must fail (its accuracy is printed).
All initializers have one grid of learning rates, the same batches and the same budget;
those of a cell are trained side by side in one stack. With ``--norm`` the normalization
layers stay, and what the authors of each architecture draw stands beside fanin.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._cells import RATES, TRAINS, Setting, Standing, authors_of, trained
from benchmarks._initializers import INITIALIZERS
from benchmarks._table import Table
from benchmarks._training import BATCH, CEILING, Data, digits
from benchmarks.models.norm_free import NETS

if TYPE_CHECKING:
    from collections.abc import Sequence


def linear_accuracy(data: Data) -> float:
    """Give the test accuracy of logistic regression on the same images."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000)
    model.fit(data.x.flatten(1), data.y)
    return float(model.score(data.test_x.flatten(1), data.test_y))


def ranks(numbers: Sequence[float]) -> list[float]:
    """Give each number's place from the largest, 1; equal ones share the mean place.

    >>> ranks([0.9, 0.5, 0.9])
    [1.5, 3.0, 1.5]
    """
    return [
        sum(other > number for other in numbers)
        + (sum(other == number for other in numbers) + 1) / 2
        for number in numbers
    ]


Cells = dict[str, dict[str, Standing]]
FAILED = Standing(accuracy=0.0, loss=float(CEILING), rates=())


def text(found: Standing | None, best: float) -> str:
    """Write accuracy, loss, rates that work; the cell's best accuracy in bold."""
    if found is None:
        return "–"
    percent = f"{100 * found.accuracy:.1f}"
    marked = f"**{percent}**" if found.accuracy == best else percent
    return f"{marked} · {found.loss:.2f} · {found.works}"


def summary(cells: Cells, names: Sequence[str], table: Table) -> None:
    """Print a row for each initializer over all cells."""
    full = [[cell.get(name, FAILED) for name in names] for cell in cells.values()]
    by_accuracy = np.mean([ranks([one.accuracy for one in row]) for row in full], 0)
    by_loss = np.mean([ranks([-one.loss for one in row]) for row in full], 0)
    can = [any(one.accuracy >= TRAINS for one in row) for row in full]
    for i, name in enumerate(names):
        mine = [row[i] for row in full]
        missed = sum(
            possible and one.accuracy < TRAINS
            for one, possible in zip(mine, can, strict=True)
        )
        table.row(
            name,
            f"{sum(one.accuracy >= TRAINS for one in mine)} of {len(mine)}",
            missed,
            f"{by_accuracy[i]:.2f}",
            f"{by_loss[i]:.2f}",
            f"{100 * np.mean([one.accuracy for one in mine]):.1f}",
            f"{np.mean([one.loss for one in mine]):.2f}",
            f"{np.mean([one.works for one in mine]):.2f}",
        )
    table.close()


SUMMARY = (
    "initializer",
    "trains",
    "another trains it",
    "mean rank (accuracy)",
    "mean rank (loss)",
    "mean accuracy %",
    "mean loss",
    "rates that work",
)


def measured(options: argparse.Namespace) -> Cells:
    """Train every cell, and print each in its turn."""
    setting = Setting(seeds=options.seeds, steps=options.steps, norm=options.norm)
    names = list(authors_of("") if options.norm else INITIALIZERS)
    tasks = list(product(options.nets, options.depths, RATES))
    table = Table(("cell", *names), is_markdown=options.markdown)
    cells: Cells = {}
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        for task, found in zip(
            tasks, pool.map(partial(trained, setting=setting), tasks), strict=True
        ):
            best = max(one.accuracy for one in found.values())
            name = "{} ×{}, {}".format(*task)
            table.row(name, *(text(found.get(key), best) for key in names))
            cells[name] = found
    table.close()
    return cells


def main() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", nargs="*", choices=NETS, default=list(NETS))
    parser.add_argument("--depths", nargs="*", type=int, default=[1, 2, 4])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--norm", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    cells = measured(options)
    names = list(authors_of("") if options.norm else INITIALIZERS)
    summary(cells, names, Table(SUMMARY, is_markdown=options.markdown))
    print(
        f"A linear model reaches {100 * linear_accuracy(digits()):.1f} %. Rates: "
        + "; ".join(
            f"{name} {', '.join(map(str, grid))}" for name, grid in RATES.items()
        )
        + f". {options.seeds} seeds, {options.steps} steps of {BATCH} images."
    )


if __name__ == "__main__":
    main()
