"""How many injected faults the rules find, and how often they cry wolf.

Run: ``python benchmarks/faults.py [--seeds 5]``. Each fault is put into each healthy
model that can have it, with each seed; found means that the rule which names the fault
speaks of it as an error or a warning, expected or not. Below the table: the healthy
models with any error or warning.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.rules import Severity, inspect, judge

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH, FEATURES, CLASSES = 64, 32, 10


@dataclass(frozen=True, kw_only=True)
class Fault:
    """inject: changes model or task; codes: rules that name it; bases: all if empty."""

    name: str
    inject: Callable[[nn.Module, Task], Task]
    codes: frozenset[str]
    bases: tuple[str, ...] = ()


class Residual(nn.Module):
    """A pre-activation residual block with batch normalization."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the branch to the stream."""
        return torch.relu(x + self.body(x))


def mlp(
    n_hidden: int, width: int, activation: type[nn.Module], gain: float
) -> nn.Module:
    """Make a dense net with unit-gain hidden layers and a small head."""
    layers: list[nn.Module] = []
    n_in = FEATURES
    for _ in range(n_hidden):
        layers += [nn.Linear(n_in, width), activation()]
        nn.init.normal_(layers[-2].weight, std=gain * n_in**-0.5)
        nn.init.zeros_(layers[-2].bias)
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, CLASSES))


def cnn() -> nn.Module:
    """Make a small convolutional net with batch normalization."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(64, CLASSES),
    )


def residual() -> nn.Module:
    """Make a small residual net."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        *[Residual(16) for _ in range(3)],
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, CLASSES),
    )


BASES: dict[str, Callable[[], nn.Module]] = {
    "relu 3": lambda: mlp(3, 64, nn.ReLU, 2.0**0.5),
    "tanh 3": lambda: mlp(3, 64, nn.Tanh, 1.0),
    "relu 12": lambda: mlp(12, 64, nn.ReLU, 2.0**0.5),
    "tanh 12": lambda: mlp(12, 64, nn.Tanh, 1.0),
    "default 2": lambda: nn.Sequential(
        nn.Linear(FEATURES, 64),
        nn.ReLU(),
        nn.Linear(64, 64),
        nn.ReLU(),
        nn.Linear(64, CLASSES),
    ),
    "cnn": cnn,
    "residual": residual,
}
DENSE = ("relu 3", "tanh 3", "relu 12", "tanh 12", "default 2")
DEEP = ("relu 12", "tanh 12")
RECTIFIED = ("relu 3", "relu 12", "default 2")
# In a residual net the branches write to the first layer's units too, and tell them
# apart: equal weights in one layer make no twins there.
UNMIXED = (*DENSE, "cnn")


def weighted(model: nn.Module) -> list[nn.Module]:
    """Give the dense and convolutional layers in order."""
    return [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)]


def on_all(change: Callable[[nn.Module], object]) -> Callable[[nn.Module, Task], Task]:
    """Make a fault that changes every layer."""

    def inject(model: nn.Module, task: Task) -> Task:
        for layer in weighted(model):
            change(layer)
        return task

    return inject


def on_one(index: int, change: Callable[[nn.Module], object]) -> Callable[..., Task]:
    """Make a fault that changes one layer, counted from the input or the output."""

    def inject(model: nn.Module, task: Task) -> Task:
        change(weighted(model)[index])
        return task

    return inject


def fill(weight: float, bias: float = 0.0) -> Callable[[nn.Module], object]:
    """Give a change that makes weight and bias constant."""

    def change(layer: nn.Module) -> None:
        nn.init.constant_(layer.weight, weight)
        if layer.bias is not None:
            nn.init.constant_(layer.bias, bias)

    return change


def scaled(factor: float) -> Callable[[nn.Module], object]:
    """Give a change that multiplies a weight."""
    return lambda layer: layer.weight.data.mul_(factor)


def duplicate(model: nn.Module, task: Task) -> Task:
    """Make the first two units of the first layer twins."""
    first, second = weighted(model)[:2]
    with torch.no_grad():
        first.weight[1], second.weight[:, 1] = first.weight[0], second.weight[:, 0]
        if first.bias is not None:
            first.bias[1] = first.bias[0]
    return task


def clone(model: nn.Module, task: Task) -> Task:
    """Copy one layer's weight over another of its shape."""
    layers = weighted(model)
    shapes = [layer.weight.shape for layer in layers]
    pairs = [
        (a, b)
        for i, a in enumerate(layers)
        for j, b in enumerate(layers)
        if i < j and shapes[i] == shapes[j]
    ]
    first, second = pairs[0]
    second.weight.data.copy_(first.weight.data)
    return task


def reseed(model: nn.Module, task: Task) -> Task:
    """Draw every weight from one seed."""
    for layer in weighted(model):
        torch.manual_seed(0)
        nn.init.kaiming_normal_(layer.weight)
    return task


def poke(number: float) -> Callable[[nn.Module], object]:
    """Give a change that writes one number into a weight."""
    return lambda layer: layer.weight.data.view(-1)[:1].fill_(number)


def codes(*names: str) -> frozenset[str]:
    """Give rule codes from their digits."""
    return frozenset(f"FAN{name}" for name in names)


SCALE = codes("201", "202", "204", "301", "302", "401", "501", "901")
TINY = codes("201", "202", "301", "302")
FAULTS = (
    Fault(name="all weights zero", inject=on_all(fill(0.0)), codes=codes("101")),
    Fault(name="all weights 0.05", inject=on_all(fill(0.05)), codes=codes("103")),
    Fault(name="two twin units", inject=duplicate, codes=codes("103"), bases=UNMIXED),
    Fault(
        name="first layer constant",
        inject=on_one(0, fill(0.05)),
        codes=codes("104"),
        bases=UNMIXED,
    ),
    Fault(name="weights × 0.05", inject=on_all(scaled(0.05)), codes=TINY, bases=DEEP),
    Fault(name="weights × 20", inject=on_all(scaled(20.0)), codes=SCALE, bases=DENSE),
    Fault(
        name="biases −100",
        inject=on_all(lambda m: nn.init.constant_(m.bias, -100.0)),
        codes=codes("402"),
        bases=RECTIFIED,
    ),
    Fault(name="head × 100", inject=on_one(-1, scaled(100.0)), codes=codes("501")),
    Fault(name="one NaN", inject=on_one(0, poke(float("nan"))), codes=codes("801")),
    Fault(name="memory unwritten", inject=on_one(-1, poke(3e17)), codes=codes("802")),
    Fault(
        name="cloned layers",
        inject=clone,
        codes=codes("803"),
        bases=(*DENSE[:4], "residual"),
    ),
    Fault(name="one seed for all", inject=reseed, codes=codes("803", "805")),
    Fault(
        name="inputs × 100",
        inject=lambda _, task: replace(task, batch=100 * task.batch),
        codes=codes("203"),
    ),
)


def task_for(base: str, seed: int) -> Task:
    """Give a batch of noise and labels at random."""
    source = torch.Generator().manual_seed(seed)
    is_image = base in {"cnn", "residual"}
    shape = (BATCH, 3, 8, 8) if is_image else (BATCH, FEATURES)
    target = torch.randint(CLASSES, (BATCH,), generator=source)
    batch = torch.randn(shape, generator=source)
    return Task(batch=batch, loss="cross_entropy", target=target)


def alarms(model: nn.Module, task: Task) -> set[str]:
    """Give the codes of the errors and warnings."""
    report = judge(inspect(framework, model, task))
    return {f.code for f in report.findings if f.severity is not Severity.INFO}


def recall(fault: Fault, base: str, n_seeds: int) -> int | None:
    """Count the seeds with which the fault was found; None where it does not fit."""
    if fault.bases and base not in fault.bases:
        return None
    n_found = 0
    for seed in range(n_seeds):
        torch.manual_seed(seed)
        model = BASES[base]()
        task = fault.inject(model, task_for(base, seed))
        n_found += bool(alarms(model, task) & fault.codes)
    return n_found


def silence(base: str, n_seeds: int) -> list[set[str]]:
    """Give the alarms on the healthy model, for each seed that had any."""
    found = []
    for seed in range(n_seeds):
        torch.manual_seed(seed)
        found.append(alarms(BASES[base](), task_for(base, seed)))
    return [codes for codes in found if codes]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    n_seeds = parser.parse_args().seeds
    warnings.simplefilter("ignore")
    print(f"{'fault':22}" + "".join(f"{base:>11}" for base in BASES))
    n_found = n_tried = 0
    for fault in FAULTS:
        counts = [recall(fault, base, n_seeds) for base in BASES]
        tried = [n for n in counts if n is not None]
        n_found, n_tried = n_found + sum(tried), n_tried + n_seeds * len(tried)
        cells = ("–" if n is None else f"{n}/{n_seeds}" for n in counts)
        print(f"{fault.name:22}" + "".join(f"{cell:>11}" for cell in cells), flush=True)
    print(f"\nrecall: {n_found} of {n_tried}")
    n_loud = 0
    for base in BASES:
        loud = silence(base, n_seeds)
        n_loud += len(loud)
        for found in loud:
            print(f"false alarm: {base}: {', '.join(sorted(found))}")
    print(f"false alarms: {n_loud} of {n_seeds * len(BASES)} healthy models")


if __name__ == "__main__":
    main()
