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
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks._initializers import INITIALIZERS, default, ours
from benchmarks._table import Table
from benchmarks._training import BATCH, CEILING, Data, Run, digits, train
from benchmarks.models.authors import AUTHORS
from benchmarks.models.norm_free import NETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    Initializer = Callable[[nn.Module, torch.Tensor], str]

RATES = {
    "sgd": (0.1, 0.03, 0.01, 0.003),
    "adam": (0.03, 0.01, 0.003, 0.001),
}
PROBE = 128
"""So many images are shown to each initializer."""
TRAINS = 0.5
"""The test accuracy from which a net counts as trained."""
CLOSE = 0.1
"""A learning rate works if its accuracy is so close to the cell's best."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What one initializer reaches in one cell, means over seeds.

    accuracy: at its best rate; loss: at the rate where that is least, the mean over
    steps; rates: accuracy at each rate of the grid; works: how many rates come close
    to the best accuracy that any initializer reaches in the cell.
    """

    accuracy: float
    loss: float
    rates: tuple[float, ...]
    works: int = 0


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How long and how often a cell is trained."""

    seeds: int
    steps: int
    norm: bool = False


def linear_accuracy(data: Data) -> float:
    """Give the test accuracy of logistic regression on the same images."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=1000)
    model.fit(data.x.flatten(1), data.y)
    return float(model.score(data.test_x.flatten(1), data.test_y))


def rows_of(data: Data, steps: int, seed: int) -> torch.Tensor:
    """Give the rows of each batch, "steps batch": the same for every initializer."""
    source = torch.Generator().manual_seed(seed)
    return torch.randint(len(data.y), (steps, BATCH), generator=source)


def initialized(
    build: Callable[[], nn.Module], initialize: Initializer, seed: int, data: Data
) -> nn.Module | None:
    """Build a net and initialize it; None if the initializer raises."""
    torch.manual_seed(seed)
    net = build()
    try:
        initialize(net, data.x[:PROBE])
    except Exception:  # a peer that stops has not initialized the net
        return None
    return net


def cell(
    build: Callable[[], nn.Module],
    initializers: Mapping[str, Initializer],
    optimizer: str,
    setting: Setting,
    data: Data,
) -> dict[str, Standing]:
    """Train one net from every initializer, seed and rate; those that raise are out."""
    grid = RATES[optimizer]
    nets: dict[str, list[nn.Module]] = {}
    for name, initialize in initializers.items():
        made = [initialized(build, initialize, s, data) for s in range(setting.seeds)]
        whole = [net for net in made if net is not None]
        if len(whole) == setting.seeds:
            nets[name] = whole
    n_each = setting.seeds * len(grid)
    rows = [rows_of(data, setting.steps, seed) for seed in range(setting.seeds)]
    runs = train(
        [net for made in nets.values() for net in made for _ in grid],
        [rate for _ in range(len(nets) * setting.seeds) for rate in grid],
        torch.stack([r for _ in nets for r in rows for _ in grid], 1),
        data,
        optimizer,
    )
    each = {name: runs[i * n_each : (i + 1) * n_each] for i, name in enumerate(nets)}
    return counted({name: standing(its, len(grid)) for name, its in each.items()})


def standing(runs: Sequence[Run], n_rates: int) -> Standing:
    """Sum up runs that are sorted by seed, then rate."""
    shape = (-1, n_rates)
    accuracy = np.array([run.accuracy for run in runs]).reshape(shape).mean(0)
    loss = np.array([run.loss for run in runs]).reshape(shape).mean(0)
    return Standing(
        accuracy=float(accuracy.max()),
        loss=float(loss.min()),
        rates=tuple(accuracy.tolist()),
    )


def counted(cells: Mapping[str, Standing]) -> dict[str, Standing]:
    """Count the rates that work, held against the best of the whole cell."""
    best = max(one.accuracy for one in cells.values())
    return {
        name: replace(
            one, works=sum(rate >= max(best - CLOSE, TRAINS) for rate in one.rates)
        )
        for name, one in cells.items()
    }


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


def authors_of(net: str) -> dict[str, Initializer]:
    """Give what is compared where the normalization stays."""

    def authors(model: nn.Module, batch: torch.Tensor) -> str:
        del batch
        AUTHORS[net](model)
        return "–"

    return {"default": default, "authors": authors, "fanin": ours}


Task = tuple[str, int, str]
"""A net's name, how many times its blocks, and the optimizer."""


def trained(task: Task, setting: Setting) -> dict[str, Standing]:
    """Train one cell; what a process of its own can do."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    net, depth, optimizer = task
    initializers = authors_of(net) if setting.norm else INITIALIZERS
    build = partial(NETS[net], depth, norm=setting.norm)
    return cell(build, initializers, optimizer, setting, digits())


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


if __name__ == "__main__":  # by its own name, under which other processes find it
    from benchmarks import norm_free

    norm_free.main()
