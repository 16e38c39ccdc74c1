"""How long calibration takes, and how exact it is, beside lsuv 0.3.0.

Run: ``python -m benchmarks calibration [--rounds 3] [--markdown]``. Each net is built
once; every row starts from the same weights (PyTorch's own, biases 0) on the same batch
in the same process, one row after the other, several times over. Both give each layer's
output size 1: fanin as the model runs forward once, LSUV (with its own tolerance, 0.1)
by running the model twice or more for each layer. The rows that stand side by side are
the scaling alone, and then all that one call does: LSUV's with its orthogonal draw, and
``fanin.init`` with recording, roles, the plan, drawing, calibration, and verification
forward and backward.

Times are of the processor, with one thread. "speed" is the time of LSUV's scaling alone
over the row's. "off" is the largest distance of a layer's root mean square from 1 (LSUV
makes the standard deviation 1, which is less where outputs have a mean).
"""

from __future__ import annotations

import argparse
import copy
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from lsuv import lsuv_with_singlebatch
from torch import nn

import fanin
from benchmarks._table import Table
from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.graph.calibration import Aim

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
HEAD = ("net, by", "passes", "least s", "median s", "speed", "off")
LAYERS = (nn.Linear, nn.Conv2d)


class Residual(nn.Module):
    """A stream of 256 to which 25 branches of two layers are added."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(256, 256)
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 256))
            for _ in range(25)
        )
        self.head = nn.Linear(256, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add every branch to the stream."""
        x = self.stem(x)
        for branch in self.branches:
            x = x + branch(x)
        return self.head(x)


def plain() -> nn.Module:
    """Build 50 layers of 256 units with ReLU between them."""
    layers = [layer for _ in range(49) for layer in (nn.Linear(256, 256), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(256, 10))


def convolutional() -> nn.Module:
    """Build 49 convolutions of 32 channels with ReLU, and a head."""
    layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, padding=1), nn.ReLU()]
    for _ in range(48):
        layers += [nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()]
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    return nn.Sequential(*layers, *pooled)


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "plain, 50 layers": (plain, (512, 256)),
    "convolutional, 50 layers": (convolutional, (32, 3, 16, 16)),
    "residual, 25 branches": (Residual, (512, 256)),
}


def by_fanin(model: nn.Module, x: torch.Tensor) -> None:
    """Scale every weight in one pass."""
    values = framework.read(model)
    weights = [path for path in values if path.endswith("weight")]
    aims = {path: Aim(size=1.0) for path in weights}
    found = framework.calibrate(model, Task(batch=x), values, aims)
    with torch.no_grad():
        for path, parameter in model.named_parameters():
            parameter.mul_(found.factors.get(path, 1.0))


def by_lsuv(model: nn.Module, x: torch.Tensor) -> None:
    """Scale layer after layer."""
    lsuv_with_singlebatch(model, x, do_orthonorm=False, verbose=False)


def by_all_of_lsuv(model: nn.Module, x: torch.Tensor) -> None:
    """Draw orthogonal weights, then scale layer after layer."""
    lsuv_with_singlebatch(model, x, verbose=False)


def by_init(model: nn.Module, x: torch.Tensor) -> None:
    """Plan, draw, calibrate, verify and write."""
    fanin.init(model, x, seed=0)


ROWS: dict[str, Callable[[nn.Module, torch.Tensor], None]] = {
    "LSUV, scaling alone": by_lsuv,
    "fanin, calibration alone": by_fanin,
    "LSUV, all of it": by_all_of_lsuv,
    "fanin.init, all of it": by_init,
}


def built(make: Callable[[], nn.Module]) -> nn.Module:
    """Build a net from a fixed seed, with biases at 0."""
    torch.manual_seed(0)
    model = make()
    for module in model.modules():
        if isinstance(module, LAYERS) and module.bias is not None:
            nn.init.zeros_(module.bias)
    return model


def timed(
    work: Callable[[nn.Module, torch.Tensor], None], model: nn.Module, x: torch.Tensor
) -> tuple[float, int]:
    """Give processor time and how often the model ran forward."""
    n_passes = 0

    def count(*_: object) -> None:
        nonlocal n_passes
        n_passes += 1

    hook = model.register_forward_pre_hook(count)
    before = time.process_time()
    work(model, x)
    spent = time.process_time() - before
    hook.remove()
    return spent, n_passes


def farthest(model: nn.Module, x: torch.Tensor) -> float:
    """Give the largest distance from 1 of a layer's root mean square, bias left out."""
    found: list[float] = []

    def see(module: Any, _: object, output: torch.Tensor) -> None:
        shape = [1, -1] + [1] * (output.dim() - 2)
        sums = output - module.bias.reshape(shape)
        found.append(abs(float(sums.double().square().mean().sqrt()) - 1.0))

    layers = [module for module in model.modules() if isinstance(module, LAYERS)]
    hooks = [layer.register_forward_hook(see) for layer in layers]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return max(found)


def measured(name: str, rounds: int, table: Table) -> None:
    """Print the rows of one net."""
    make, shape = NETS[name]
    model = built(make)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    table.row(f"**{name}**", *("" for _ in HEAD[1:]))
    times: dict[str, list[float]] = {row: [] for row in ROWS}
    said: dict[str, tuple[int, float]] = {}
    for _ in range(rounds):
        for row, work in ROWS.items():
            patient = copy.deepcopy(model)
            spent, n_passes = timed(work, patient, x)
            times[row].append(spent)
            said[row] = (n_passes, farthest(patient, x))
    slowest = min(times["LSUV, scaling alone"])
    for row, spent in times.items():
        n_passes, off = said[row]
        off_text = "–" if row.startswith("fanin.init") else f"{off:.1e}"
        ratio = f"×{slowest / min(spent):.1f}"
        table.row(
            row, n_passes, f"{min(spent):.3f}", f"{median(spent):.3f}", ratio, off_text
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    fanin.init(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)), seed=0)
    table = Table(HEAD, is_markdown=options.markdown)
    for name in NETS:
        measured(name, options.rounds, table)
    table.close()


if __name__ == "__main__":
    main()
