"""One net trained from every initializer, rate and seed, and what each reaches.

Not a benchmark: what a process of ``norm_free.py`` does.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks._initializers import INITIALIZERS, default, ours
from benchmarks._training import BATCH, Data, Run, digits, train
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


Task = tuple[str, int, str]
"""A net's name, how many times its blocks, and the optimizer."""


def authors_of(net: str) -> dict[str, Initializer]:
    """Give what is compared where the normalization stays."""

    def authors(model: nn.Module, batch: torch.Tensor) -> str:
        del batch
        AUTHORS[net](model)
        return "–"

    return {"default": default, "authors": authors, "fanin": ours}


def trained(task: Task, setting: Setting) -> dict[str, Standing]:
    """Train one cell; what a process of its own can do."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    net, depth, optimizer = task
    initializers = authors_of(net) if setting.norm else INITIALIZERS
    build = partial(NETS[net], depth, norm=setting.norm)
    return cell(build, initializers, optimizer, setting, digits())


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
