"""What a check costs beside one forward and backward pass: time, memory, and depth.

Run: ``python -m benchmarks check_cost [--depths 10 … 1000]
[--billion] [--markdown]``. Times are processor time of one process, the pass
taken right before and after the check, medians. Memory is measured in a process of its
own for the pass and for the check: by how much its resident memory grew at most, from
when everything was imported to the end; the model itself is counted in both.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import fanin
from benchmarks._table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    Case = tuple[nn.Module, Any, Any]

HEAD = ("net", "million weights", "pass s", "check ÷ pass", "without closure ÷ pass")
ROUNDS = 3
MIB = 2.0**20


def plain(depth: int, width: int, samples: int, *, zero_head: bool = False) -> Case:
    """Build a ReLU net with He's weights, and a batch."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        linear = nn.Linear(width, width)
        nn.init.kaiming_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    head = nn.Linear(width, 10)
    if zero_head:
        nn.init.zeros_(head.weight)
    model = nn.Sequential(*layers, head)
    return model, torch.randn(samples, width), torch.randint(10, (samples,))


def wide(n_layers: int, width: int, samples: int, dtype: torch.dtype) -> Case:
    """Build a net of a few very wide layers, drawn in its own type."""
    layers: list[nn.Module] = []
    for _ in range(n_layers):
        linear = nn.Linear(width, width, bias=False, dtype=dtype)
        layers += [linear, nn.ReLU()]
        nn.init.normal_(linear.weight, std=(2.0 / width) ** 0.5)
    model = nn.Sequential(*layers, nn.Linear(width, 10, dtype=dtype))
    batch = torch.randn(samples, width).to(dtype)
    return model, batch, torch.randint(10, (samples,))


def gpt2(depth: int, width: int, samples: int, length: int) -> Case:
    """Build a GPT-2 from its config, and words."""
    import transformers

    transformers.logging.set_verbosity_error()
    config = transformers.GPT2Config(
        n_layer=depth, n_embd=width, n_head=8, vocab_size=2000, n_positions=length
    )
    words = torch.randint(2000, (2, samples, length))
    return transformers.GPT2LMHeadModel(config), words[0], words[1]


def residual(depth: int, channels: int, samples: int, side: int) -> Case:
    """Build a residual net with batch normalization, and images."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.branch = nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
            )
            nn.init.zeros_(self.branch[-1].weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x + self.branch(x))

    model = nn.Sequential(
        nn.Conv2d(3, channels, 3, padding=1),
        *[Block() for _ in range(depth)],
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, 10),
    )
    return model, torch.randn(samples, 3, side, side), torch.randint(10, (samples,))


NETS: dict[str, Callable[[], Case]] = {
    "plain 20 × 1024, 512 samples": lambda: plain(20, 1024, 512),
    "plain, zero head": lambda: plain(20, 1024, 512, zero_head=True),
    "GPT-2 of 6 layers, 8 × 128 words": lambda: gpt2(6, 512, 8, 128),
    "residual 8 × 64, zero gains": lambda: residual(8, 64, 32, 32),
}
MEMORY: dict[str, Callable[[], Case]] = {
    **NETS,
    "plain 100 × 1024, 8 samples": lambda: plain(100, 1024, 8),
}
BILLION: dict[str, Callable[[], Case]] = {
    "1.07 billion weights, bfloat16": lambda: wide(4, 16384, 32, torch.bfloat16),
    "1.07 billion weights, float32": lambda: wide(4, 16384, 32, torch.float32),
}


def one_pass(case: Case) -> None:
    """Run the model forward and backward once, as a training step does."""
    model, batch, target = case
    output = model(batch)
    output = getattr(output, "logits", output)
    logits = output.reshape(-1, output.shape[-1]).float()
    nn.functional.cross_entropy(logits, target.reshape(-1)).backward()


def one_check(case: Case, *, closure: bool = True) -> None:
    """Check the model once."""
    model, batch, target = case
    fanin.check(model, batch, "cross_entropy", target, closure=closure)


def seconds(work: Callable[[], Any]) -> float:
    """Give the processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def times(case: Case, rounds: int) -> tuple[float, float, float]:
    """Give the medians of a pass, a check, and a check without the closure."""
    taken: list[list[float]] = [[], [], []]
    works = (
        lambda: one_pass(case),
        lambda: one_check(case),
        lambda: one_check(case, closure=False),
    )
    for number in range(rounds + 1):
        for work, found in zip(works, taken, strict=True):
            took = seconds(work)
            case[0].zero_grad(set_to_none=True)
            if number:
                found.append(took)
    passes, checks, quick = (median(found) for found in taken)
    return passes, checks, quick


def n_weights(model: nn.Module) -> float:
    """Count the parameters' entries, in millions."""
    return sum(p.numel() for p in model.parameters()) / 1e6


def show_times(nets: dict[str, Callable[[], Case]], table: Table, rounds: int) -> None:
    """Print a row a net."""
    for name, build in nets.items():
        torch.manual_seed(0)
        case = build()
        step, check, quick = times(case, rounds)
        table.row(
            name,
            f"{n_weights(case[0]):.1f}",
            f"{step:.2f}",
            f"{check / step:.1f}",
            f"{quick / step:.1f}",
        )


def show_depths(depths: list[int], table: Table) -> None:
    """Print a row a depth: milliseconds a layer."""
    for depth in depths:
        torch.manual_seed(0)
        case = plain(depth, 256, 64)
        step, check, quick = times(case, 1)
        table.row(
            depth,
            f"{1e3 * step / depth:.2f}",
            f"{1e3 * check / depth:.1f}",
            f"{1e3 * quick / depth:.1f}",
            f"{check:.1f}",
        )


def growth(name: str, work: str) -> dict[str, float]:
    """Run a pass or a check in a process of its own; give what it printed."""
    command = [sys.executable, "-m", "benchmarks.check_cost", "--alone", name, work]
    root = Path(__file__).parent.parent
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "0"}
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=root,
        env=environment,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def alone(name: str, work: str) -> None:
    """Print by how much memory grew, in MiB, and the time that one call took."""
    torch.set_num_threads(1)
    warm = plain(2, 8, 4)
    one_pass(warm)
    one_check(warm)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # peak from here
    before = _status("VmRSS")
    torch.manual_seed(0)
    case = {**MEMORY, **BILLION}[name]()
    works = {
        "pass": lambda: one_pass(case),
        "check": lambda: one_check(case),
        "quick": lambda: one_check(case, closure=False),
    }
    took = seconds(works[work])
    peak = _status("VmHWM")
    weights = n_weights(case[0])
    print(
        json.dumps(
            {"MiB": (peak - before) / MIB, "seconds": took, "million weights": weights}
        )
    )


def _status(name: str) -> float:
    """Give a number of bytes that Linux keeps of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith(f"{name}:"))
    return 1024.0 * float(line.split()[1])


def show_memory(names: list[str], table: Table) -> None:
    """Print a row a net: how much a pass and a check took, and their ratio."""
    for name in names:
        step, check = growth(name, "pass"), growth(name, "check")
        quick = growth(name, "quick")
        table.row(
            name,
            f"{step['MiB']:.0f}",
            f"{check['MiB'] / step['MiB']:.2f}",
            f"{quick['MiB'] / step['MiB']:.2f}",
            f"{check['seconds'] / step['seconds']:.1f}",
            f"{quick['seconds'] / step['seconds']:.1f}",
        )


def main() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depths", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--billion", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--alone", nargs=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if options.alone:
        alone(*options.alone)
        return
    head = ("net", "pass MiB", "check ÷", "quick ÷", "time ÷", "quick time ÷")
    if options.billion:
        show_memory(list(BILLION), Table(head, is_markdown=options.markdown))
        print()
        return
    show_times(NETS, Table(HEAD, is_markdown=options.markdown), options.rounds)
    print()
    show_memory(list(MEMORY), Table(head, is_markdown=options.markdown))
    print()
    head = ("layers", "pass ms/layer", "check ms/layer", "quick ms/layer", "check s")
    show_depths(options.depths, Table(head, is_markdown=options.markdown))
    print()


if __name__ == "__main__":
    main()
