"""How long recording, roles, planning and prediction take, over a GPT-2's depth.

Run: ``python -m benchmarks recording [--depths 1 3 ... 96] [--markdown]``. Models have
GPT-2's own sizes and no memory: they are built on the meta device. A recording is held
against one eager forward pass of the same model on the same device, side by side in one
process; every number is a median of processor time. What follows a recording must grow
with the number of nodes and no faster: its time per node is printed in microseconds.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
import transformers

from benchmarks._table import Table
from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.graph.roles import roles
from fanin.prescription import make_plan
from fanin.theory import predict

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph import Graph
    from fanin.prescription import Plan

LENGTH = 128
ROUNDS = 5
DEPTHS = (1, 3, 6, 12, 24, 48, 96)
HEAD = (
    "layers",
    "nodes",
    "forward ms",
    "record ms",
    "ratio",
    "record µs/node",
    "roles µs/node",
    "plan µs/node",
    "predict µs/node",
)


def gpt2(n_layer: int) -> tuple[torch.nn.Module, torch.Tensor]:
    """Build GPT-2 with so many layers, and a batch, neither with memory."""
    transformers.logging.set_verbosity_error()
    config = transformers.GPT2Config(n_layer=n_layer)
    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(config)
        batch = torch.zeros((1, LENGTH), dtype=torch.long)
    return model, batch


def seconds(work: Callable[[], Any]) -> float:
    """Give the processor time of one call, which other processes do not change."""
    start = time.process_time()
    work()
    return time.process_time() - start


def side_by_side(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Give each work's median, the works taken in turn; a first round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            taken[name].append(seconds(work))
    return {name: median(times[1:]) for name, times in taken.items()}


def forward(model: torch.nn.Module, batch: torch.Tensor) -> None:
    """Run the model once as anyone would."""
    model(batch)


def steps(n_layer: int, rounds: int) -> tuple[int, dict[str, float]]:
    """Give the number of nodes, and the seconds that each step takes."""
    model, batch = gpt2(n_layer)
    task = Task(batch=batch)
    graph: Graph = framework.record(model, task)
    plan: Plan = make_plan(graph, seed=0)
    variances = {p.path: p.std**2 for p in plan.prescriptions}
    means = {p.path: p.value for p in plan.prescriptions}
    works: dict[str, Callable[[], Any]] = {
        "forward": lambda: forward(model, batch),
        "record": lambda: framework.record(model, task),
        "roles": lambda: roles(graph),
        "plan": lambda: make_plan(graph, seed=0),
        "predict": lambda: predict(graph, variances, means=means),
    }
    return len(graph.nodes), side_by_side(works, rounds)


def row(n_layer: int, rounds: int) -> tuple[Any, ...]:
    """Give one depth's numbers as text."""
    n_nodes, took = steps(n_layer, rounds)
    after = ("record", "roles", "plan", "predict")
    return (
        n_layer,
        n_nodes,
        f"{1e3 * took['forward']:.1f}",
        f"{1e3 * took['record']:.1f}",
        f"{took['record'] / took['forward']:.2f}",
        *(f"{1e6 * took[name] / n_nodes:.0f}" for name in after),
    )


def main() -> None:
    """Read the options and print a row a depth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = Table(HEAD, is_markdown=options.markdown)
    for n_layer in options.depths:
        table.row(*row(n_layer, options.rounds))
    table.close()


if __name__ == "__main__":
    main()
