"""What AnyInit and fanin find, side by side, in every model of the zoo.

Run: ``python -m benchmarks peers [--models NAME ...] [--markdown]``, with AnyInit 0.4.0
installed (``peers`` in pyproject.toml). AnyInit reads a model through torch.fx and,
where that fails, goes by the order in which modules ran: branches are then unseen. For
each model: how AnyInit read it, how many of its linear operations it took for layers,
what it says of its own result (``assert_healthy``); the truth, measured: ``grad ×`` is
the largest rms of dL/d(output) over the linear operations divided by the smallest. The
same for fanin. Then nets with known faults: AnyInit has no check of weights that are
there already, so its row says what it makes of them, and fanin's what it finds.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import fanin
from benchmarks._initializers import own_verdict
from benchmarks._table import Table
from benchmarks.models import every_torch
from benchmarks.models.torch_build import mlp
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 0
APART = 100.0


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What AnyInit did with a model.

    read: "graph", "order" or how it failed; layers, unscaled: counts; says: its own
    verdict on its own result.
    """

    read: str
    layers: int = 0
    unscaled: int = 0
    says: str = ""


def ask_anyinit(model: nn.Module, batch: Any) -> Peer:
    """Let AnyInit initialize the model with the batch, and keep what it reports."""
    import anyinit

    try:
        report = anyinit.initialize(model, input_spec=batch, seed=SEED)
    except Exception as error:
        return Peer(read=f"{type(error).__name__}")
    fidelity = {"linear": "order"}.get(report.graph_fidelity, report.graph_fidelity)
    return Peer(
        read=fidelity,
        layers=len(report.layers),
        unscaled=len(report.unscaled),
        says=own_verdict(report),
    )


def gradient_ratio(model: nn.Module, task: Task) -> float:
    """Give the largest over the smallest gradient rms at linear operations' outputs.

    Heads that write the model's outputs, and operations that get no gradient or only
    zeros, are left out.
    """
    found = framework.measure(model, task)
    squares = [
        found.sites[node.id].gradient_second_moment
        for node in found.graph.linears
        if node.id in found.sites and node.id not in found.graph.outputs
    ]
    moving = [square for square in squares if square]
    return sqrt(max(moving) / min(moving)) if moving else float("nan")


def verdict(model: nn.Module, batch: Any) -> str:
    """Give "healthy", or the codes of what fanin warns of in the present weights."""
    report = fanin.check(model, batch)
    codes = sorted({finding.code for finding in report.errors + report.warnings})
    return " ".join(codes) or "healthy"


def attempt(make: Callable[[], str]) -> str:
    """Give the text, or the error's name: a table goes on."""
    try:
        return make()
    except Exception as error:
        return type(error).__name__


HEAD = (
    "model",
    "AnyInit reads",
    "layers",
    "not scaled",
    "it says",
    "grad ×",
    "fanin linear",
    "add",
    "opaque",
    "grad ×",
    "verdict",
)


def row(name: str, build: Callable[[], tuple[nn.Module, Any]]) -> tuple[Any, ...]:
    """Ask both, each on a model of its own with the same first weights."""
    torch.manual_seed(SEED)
    model, batch = build()
    task = Task(batch=batch, seed=SEED)
    peer = ask_anyinit(model, batch)
    after = "–"
    if peer.says:
        after = attempt(lambda: f"{gradient_ratio(model, task):.3g}")
    torch.manual_seed(SEED)
    model, batch = build()

    def initialized() -> str:
        fanin.init(model, batch, seed=SEED)
        return f"{gradient_ratio(model, task):.3g}"

    ours = attempt(initialized)
    judged = attempt(lambda: verdict(model, batch))
    return (
        name,
        peer.read,
        peer.layers or "–",
        peer.unscaled or "–",
        peer.says or "–",
        after,
        *counted(model, task),
        ours,
        judged,
    )


def counted(model: nn.Module, task: Task) -> tuple[int | str, int | str, int | str]:
    """Give how many linear, add and opaque nodes fanin's graph has."""
    try:
        nodes = framework.record(model, task).nodes
    except fanin.FaninError as error:
        return type(error).__name__, "–", "–"
    linear, add, opaque = (
        sum(node.op is op for node in nodes) for op in (Op.LINEAR, Op.ADD, Op.OPAQUE)
    )
    return linear, add, opaque or "–"


# Nets with a fault that everyone knows


def dead_sigmoid() -> tuple[nn.Module, Any]:
    """Give 30 sigmoid layers with torch's weights: no gradient reaches the first."""
    return mlp(30, nn.Sigmoid)


def exploding_tanh() -> tuple[nn.Module, Any]:
    """Give 30 tanh layers whose weights are N(0, 1): saturated, gradients explode."""
    model, batch = mlp(30, nn.Tanh)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight)
    return model, batch


def shrinking_relu() -> tuple[nn.Module, Any]:
    """Give 30 relu layers with Glorot's weights: the signal halves at each."""
    model, batch = mlp(30, nn.ReLU)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model, batch


FAULTY = {
    "sigmoid 30, torch's weights": dead_sigmoid,
    "tanh 30, N(0, 1)": exploding_tanh,
    "relu 30, Glorot": shrinking_relu,
}


def faulty_row(
    name: str, build: Callable[[], tuple[nn.Module, Any]]
) -> tuple[Any, ...]:
    """Say what each makes of a net with a fault."""
    torch.manual_seed(SEED)
    model, batch = build()
    task = Task(batch=batch, seed=SEED)
    before, found = gradient_ratio(model, task), verdict(model, batch)
    peer = ask_anyinit(model, batch)
    theirs = f"{gradient_ratio(model, task):.3g}" if peer.says else "–"
    theirs_found = verdict(model, batch)
    fanin.init(model, batch, seed=SEED)
    ours = gradient_ratio(model, task)
    return (
        name,
        f"{before:.3g}",
        found,
        peer.says or peer.read,
        theirs,
        theirs_found,
        f"{ours:.3g}",
        verdict(model, batch),
    )


FAULTY_HEAD = (
    "faulty net",
    "grad ×",
    "fanin.check",
    "AnyInit says after",
    "grad ×",
    "check of AnyInit's",
    "after fanin.init ×",
    "check of fanin's",
)


def summary(rows: list[tuple[Any, ...]]) -> str:
    """Say in how many models AnyInit read the graph, the order, or failed."""
    graph = sum(row[1] == "graph" for row in rows)
    order = sum(row[1] == "order" for row in rows)
    healthy = [row for row in rows if row[4] == "healthy"]
    apart = [row for row in healthy if is_apart(row[5])]
    read = sum(isinstance(row[6], int) for row in rows)
    return (
        f"Of {len(rows)} models AnyInit read the graph of {graph}, went by the order "
        f"of modules in {order}, and failed on {len(rows) - graph - order}; fanin read "
        f"the graph of {read}. AnyInit called {len(healthy)} healthy; in {len(apart)} "
        "of these the gradients of two linear operations differ more than "
        f"{APART:.0f}-fold, after fanin.init in "
        f"{sum(is_apart(row[9]) for row in apart)} of the same."
    )


def is_apart(ratio: str) -> bool:
    """Say whether a gradient ratio of the table is beyond what training evens out."""
    try:
        return float(ratio) > APART
    except ValueError:  # no number: it failed, or has no linear operation inside
        return False


def main() -> None:
    """Read the options and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=None)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    zoo = every_torch.zoo()
    table = Table(HEAD, is_markdown=options.markdown)
    rows = []
    for name in options.models if options.models is not None else zoo:
        rows.append(row(name, zoo[name]))
        table.row(*rows[-1])
    table.close()
    print(summary(rows), end="\n\n")
    table = Table(FAULTY_HEAD, is_markdown=options.markdown)
    for name, build in FAULTY.items():
        table.row(*faulty_row(name, build))
    table.close()


if __name__ == "__main__":
    main()
