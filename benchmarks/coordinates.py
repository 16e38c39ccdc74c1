"""Coordinate check: do activations change by the same amount at every width?

Run: ``python -m benchmarks coordinates [--seeds 3] [--markdown]``. An MLP on digits, a
small GPT-2 and a small LLaMA (both of their configs alone) are trained for a few steps
at widths 64 to 1024, once as their library initializes them, with one learning rate,
and once with ``fanin.init(model, batch, policy="mup", base=…)`` and ``plan.groups``.
Of every layer's output the root mean square of its change is taken; the table has the
slope of its logarithm over that of the width, of the layer farthest from 0 and of the
model's output, with the standard error over seeds. 0: the layer learns at the same pace
at any width. The second table has the loss over learning rates: with muP the best one
of the narrow net is the best one of the wide one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from math import inf, isfinite, log, sqrt
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import torch
import transformers
from torch import nn

import fanin
from benchmarks._table import Table
from benchmarks._widths import NETS, digits

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTHS = (64, 128, 256, 512, 1024)
BASE = 32
SHOWN = (64, 256, 1024)
"""Widths of the second table."""
RATES = {"adam": 2.0**-8, "sgd": 2.0**-3}
"""Learning rates of the base: in the middle of what trains it."""
GRID = {"adam": range(-11, -1), "sgd": range(-5, 4)}
"""Powers of 2 of the second table."""
OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
N_STEPS = 45


@dataclass(frozen=True, kw_only=True)
class Way:
    """A net (of `NETS`) and how it is trained: "library" or a policy, an optimizer."""

    net: str
    policy: str
    optimizer: str

    @property
    def words(self) -> str:
        """Say it in a table."""
        return f"{self.net}, {self.optimizer}, {self.policy}"

    def started(
        self, width: int, seed: int, rate: float | None = None
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Give the net of that width with its weights, and its optimizer."""
        build, load = NETS[self.net]
        make = OPTIMIZERS[self.optimizer]
        lr = RATES[self.optimizer] if rate is None else rate
        torch.manual_seed(seed)
        model, base = build(width), build(BASE)
        if self.policy == "library":
            return model, make(model.parameters(), lr=lr)
        plan = fanin.init(model, load()[0], policy=self.policy, base=base, seed=seed)
        return model, make(plan.groups(model, lr=lr, optimizer=self.optimizer))


WAYS = [
    Way(net=net, policy=policy, optimizer=optimizer)
    for net in NETS
    for optimizer in OPTIMIZERS
    for policy in ("library", "mup")
]


def outputs(model: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Run the model, and give every layer's output by the layer's name."""
    found: dict[str, torch.Tensor] = {}

    def hook(name: str) -> Any:
        return lambda _module, _inputs, output: found.update({name: output.detach()})

    layers = {name: m for name, m in model.named_modules() if _is_layer(m)}
    handles = [m.register_forward_hook(hook(name)) for name, m in layers.items()]
    with torch.no_grad():
        found["output"] = model(x)
    for handle in handles:
        handle.remove()
    return found


def _is_layer(module: nn.Module) -> bool:
    """Say whether a module multiplies by a weight; GPT-2 has a kind of its own."""
    weight = getattr(module, "weight", None)
    return isinstance(weight, torch.Tensor) and weight.dim() > 1


def changes(way: Way, width: int, seed: int, n_steps: int = 4) -> dict[str, float]:
    """Train for a few steps; give the rms of each layer's change."""
    x, y = NETS[way.net][1]()
    model, optimizer = way.started(width, seed)
    before = outputs(model, x)
    for _ in range(n_steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    after = outputs(model, x)
    return {
        name: float((after[name] - value).square().mean().sqrt())
        for name, value in before.items()
    }


def slope(widths: Sequence[int], sizes: Sequence[float]) -> float:
    """Fit log size = slope · log width + constant by least squares.

    >>> slope((2, 4, 8), (1.0, 0.5, 0.25))
    -1.0
    """
    x, y = [log(width) for width in widths], [log(size) for size in sizes]
    x_mean, y_mean = mean(x), mean(y)
    spread = sum((a - x_mean) ** 2 for a in x)
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True)) / spread


def slopes(way: Way, n_seeds: int) -> dict[str, tuple[float, float]]:
    """Give each layer's slope, and its standard error over two seeds or more."""
    runs: dict[str, list[float]] = {}
    for seed in range(n_seeds):
        sizes = [changes(way, width, seed) for width in WIDTHS]
        for layer in sizes[0]:
            found = slope(WIDTHS, [of_width[layer] for of_width in sizes])
            runs.setdefault(layer, []).append(found)
    return {
        layer: (mean(found), stdev(found) / sqrt(n_seeds))
        for layer, found in runs.items()
    }


def trained_loss(way: Way, width: int, rate: float, seed: int) -> float:
    """Train on digits for a while; give the mean loss of the last steps."""
    x, y = digits()
    model, optimizer = way.started(width, seed, rate)
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(N_STEPS):
        rows = torch.randint(0, len(x), (64,), generator=generator)
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    last = mean(losses[-N_STEPS // 3 :])
    return last if isfinite(last) else inf


def losses(way: Way, width: int) -> dict[int, float]:
    """Give the loss, a mean of two seeds, by the learning rate's power of 2."""
    return {
        power: mean(trained_loss(way, width, 2.0**power, seed) for seed in range(2))
        for power in GRID[way.optimizer]
    }


def print_slopes(n_seeds: int, *, is_markdown: bool) -> None:
    """Print how the changes go with the width."""
    head = ("net, optimizer, weights", "worst slope", "±", "output", "±", "worst in")
    table = Table(head, is_markdown=is_markdown)
    for way in WAYS:
        found = slopes(way, n_seeds)
        worst = max(found, key=lambda layer: abs(found[layer][0]))
        numbers = (*found[worst], *found["output"])
        short = ".".join(worst.split(".")[-3:])
        table.row(way.words, *(f"{number:.2f}" for number in numbers), short)
    table.close()


def print_rates(*, is_markdown: bool) -> None:
    """Print the best learning rate of each width, and what the narrow one's costs."""
    narrow, wide = SHOWN[0], SHOWN[-1]
    head = (
        "net, optimizer, weights",
        *(f"best at {width}" for width in SHOWN),
        f"loss at {wide}",
        f"at {narrow}'s rate",
    )
    table = Table(head, is_markdown=is_markdown)
    for way in WAYS:
        if way.net == "MLP":
            found = {width: losses(way, width) for width in SHOWN}
            best = [min(of, key=of.__getitem__) for of in found.values()]
            table.row(
                way.words,
                *(f"2^{power}" for power in best),
                f"{found[wide][best[-1]]:.3f}",
                f"{found[wide][best[0]]:.3f}",
            )
    table.close()


def main() -> None:
    """Read the options and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="2 or more")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    print_slopes(options.seeds, is_markdown=options.markdown)
    print_rates(is_markdown=options.markdown)


if __name__ == "__main__":
    main()
