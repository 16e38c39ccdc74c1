"""How long until a whole model's weights are ready, and how much memory that takes.

Run: ``python -m benchmarks whole_model [--models gpt2-xl …] [--threads 2] [--rounds 2]
[--markdown]``. Every way runs in a process of its own, on the same cores and threads;
the best round counts. The ways:

- its library: the model is built as its users build it, and initialized with it;
- its library, initialization alone: built without memory (the meta device), given
  memory, and initialized by the library's own functions;
- fanin, without memory before: built without memory, and `fanin.plan(model)` and
  `plan.apply(model)` do the rest;
- fanin, in memory before: built as its users build it, then planned and applied.

"Written" is the time from a model that is built to numbers in memory; for fanin that is
`apply`, and the plan stands beside it. Memory is the most that the process held above
what it held before (of a model in memory before: with that model), over the weights.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks._table import Table

Build = Callable[[], Any]

WAYS = ("library", "library alone", "fanin", "fanin in memory")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One round of one way; seconds, and bytes.

    built: until there is a model. planned: 0 for a library. written: until its numbers
    are in memory. most: held above what the process held before. weights: of the model.
    """

    built: float
    planned: float
    written: float
    most: float
    weights: int
    n_tensors: int


def gpt2_xl() -> Any:
    """Build GPT-2 XL: 48 blocks of width 1600."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(n_embd=1600, n_layer=48, n_head=25))


def resnet_50() -> Any:
    """Build ResNet-50, whose configuration is the default."""
    from transformers import ResNetConfig, ResNetForImageClassification

    return ResNetForImageClassification(ResNetConfig(num_labels=1000))


def vit_b() -> Any:
    """Build ViT-B/16, whose configuration is the default."""
    from transformers import ViTConfig, ViTForImageClassification

    return ViTForImageClassification(ViTConfig(num_labels=1000))


def many_small() -> Any:
    """Build 5,000 layers of 16 units: 10,000 parameters."""
    from torch import nn

    return nn.Sequential(*(nn.Linear(16, 16) for _ in range(5000)))


MODELS: dict[str, tuple[str, Build]] = {
    "gpt2-xl": ("GPT-2 XL", gpt2_xl),
    "resnet-50": ("ResNet-50", resnet_50),
    "vit-b": ("ViT-B/16", vit_b),
    "small": ("5,000 layers of 16 units", many_small),
}


def initialize(model: Any) -> None:
    """Draw the weights as the model's library does."""
    if hasattr(model, "init_weights"):
        import torch

        with torch.no_grad():
            model.init_weights()
        return
    for layer in model:
        layer.reset_parameters()


def once(way: str, build: Build) -> Timing:
    """Do it once, in this process."""
    import torch

    import fanin

    with torch.device("meta"):
        build()  # what is imported for it is not counted
    fanin.init(torch.nn.Linear(2, 2), seed=0)
    has_memory = way in {"library", "fanin in memory"}
    before = held()
    start = time.perf_counter()
    if has_memory:
        model = build()
    else:
        with torch.device("meta"):
            model = build()
    built = time.perf_counter() - start
    planned = written = 0.0
    if way == "library alone":
        start = time.perf_counter()
        model.to_empty(device="cpu")
        initialize(model)
        written = time.perf_counter() - start
    elif way.startswith("fanin"):
        start = time.perf_counter()
        plan = fanin.plan(model, seed=0)
        planned = time.perf_counter() - start
        start = time.perf_counter()
        plan.apply(model)
        written = time.perf_counter() - start
    parameters = list(model.parameters())
    return Timing(
        built=built,
        planned=planned,
        written=written,
        most=most_held() - before,
        weights=sum(p.numel() * p.element_size() for p in parameters),
        n_tensors=len(parameters),
    )


def held() -> float:
    """Give the bytes that this process holds in memory."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def most_held() -> float:
    """Give the most bytes that this process has ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def best(way: str, name: str, rounds: int, n_threads: int) -> Timing:
    """Do it a few times, each in a new process, and give the best times."""
    command = [sys.executable, "-m", "benchmarks.whole_model", "--once", way, name]
    command += ["--threads", str(n_threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(n_threads)}
    found = []
    for _ in range(rounds):
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, env=environment
        )
        found.append(Timing(**json.loads(done.stdout.splitlines()[-1])))
    first = found[0]
    return Timing(
        built=min(each.built for each in found),
        planned=min(each.planned for each in found),
        written=min(each.written for each in found),
        most=min(each.most for each in found),
        weights=first.weights,
        n_tensors=first.n_tensors,
    )


def report(name: str, rounds: int, n_threads: int, *, is_markdown: bool) -> None:
    """Print a table of one model."""
    title, _ = MODELS[name]
    found = {way: best(way, name, rounds, n_threads) for way in WAYS}
    first = found["library"]
    print(
        f"\n{title}: {first.n_tensors:,} parameters, {first.weights / 2**20:,.0f} MiB\n"
    )
    heads = ("way", "built", "planned", "written", "in all", "memory / weights")
    table = Table(heads, is_markdown=is_markdown)
    for way, each in found.items():
        total = each.built + each.planned + each.written
        table.row(
            NAMES[way],
            seconds(each.built),
            seconds(each.planned) if each.planned else "",
            seconds(each.written) if each.written else "as built",
            seconds(total),
            f"{each.most / each.weights:.2f}",
        )
    fanin, alone = found["fanin"], found["library alone"]
    whole = fanin.built + fanin.planned + fanin.written
    each_small = found["fanin in memory"].written / first.n_tensors * 1e6
    small = f" {each_small:.0f} µs a parameter." if first.n_tensors > 1000 else ""
    print(
        f"\nfanin writes the numbers {alone.written / fanin.written:.1f}× as fast as "
        f"the library, and the model is ready, plan and all, "
        f"{first.built / whole:.1f}× as fast as the library's.{small}",
        flush=True,
    )


NAMES = {
    "library": "its library",
    "library alone": "its library, initialization alone",
    "fanin": "fanin, without memory before",
    "fanin in memory": "fanin, in memory before",
}


def seconds(number: float) -> str:
    """Write a time."""
    return f"{number:.2f} s" if number >= 0.1 else f"{1e3 * number:.0f} ms"


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=MODELS)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="for the page")
    parser.add_argument("--once", nargs=2, metavar=("WAY", "MODEL"))
    return parser.parse_args()


def main() -> None:
    """Print the tables."""
    chosen = options()
    warnings.simplefilter("ignore")
    if chosen.once:
        import torch

        torch.set_num_threads(chosen.threads)
        way, name = chosen.once
        print(json.dumps(asdict(once(way, MODELS[name][1]))))
        return
    load = os.getloadavg()[0]
    print(
        f"{chosen.threads} threads on {len(os.sched_getaffinity(0))} cores; best of "
        f"{chosen.rounds} rounds; load before: {load:.1f}."
    )
    for name in chosen.models:
        report(name, chosen.rounds, chosen.threads, is_markdown=chosen.markdown)


if __name__ == "__main__":
    main()
