"""How long and how much memory a plan takes for models of billions of parameters.

Run: ``python -m benchmarks scale [--sizes 7B 70B 405B] [--markdown]``. LLaMA's
sizes are built on the meta device, from their configs: recorded, given roles, planned,
and the plan's moments propagated. Each size has a process of its own, so that its peak
of resident memory (Python, torch and the model's description) is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

from benchmarks._table import Table

# Hidden size, layers, heads, key and value heads, feedforward width (Llama 2 and 3).
SIZES = {
    "7B": (4096, 32, 32, 32, 11008, 32000),
    "70B": (8192, 80, 64, 8, 28672, 128256),
    "405B": (16384, 126, 128, 8, 53248, 128256),
}
LENGTH = 512
HEAD = (
    "model",
    "parameters",
    "nodes",
    "build s",
    "record s",
    "plan s",
    "predict s",
    "record to predict s",
    "not predicted",
    "peak MiB",
)


def llama(size: str) -> tuple[Any, Any]:
    """Build a LLaMA of that size, and a batch, neither with memory."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    hidden, layers, heads, shared, feedforward, vocabulary = SIZES[size]
    config = transformers.LlamaConfig(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=shared,
        intermediate_size=feedforward,
        vocab_size=vocabulary,
    )
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM(config)
        batch = torch.zeros((1, LENGTH), dtype=torch.long)
    return model, batch


def measured(size: str) -> dict[str, float]:
    """Walk a model of that size from its config to what its plan predicts."""
    from fanin.frameworks import torch as framework
    from fanin.graph import Task
    from fanin.prescription import make_plan
    from fanin.theory import predict

    marks = [time.perf_counter()]
    model, batch = llama(size)
    marks.append(time.perf_counter())
    graph = framework.record(model, Task(batch=batch))
    marks.append(time.perf_counter())
    plan = make_plan(graph, seed=0)
    marks.append(time.perf_counter())
    prediction = predict(
        graph,
        {p.path: p.std**2 for p in plan.prescriptions},
        means={p.path: p.value for p in plan.prescriptions},
    )
    marks.append(time.perf_counter())
    build, record, made, predicted = (
        after - before for before, after in pairwise(marks)
    )
    return {
        "parameters": sum(p.size for p in graph.parameters),
        "nodes": len(graph.nodes),
        "build": build,
        "record": record,
        "plan": made,
        "predict": predicted,
        "unknown": sum(moments is None for moments in prediction.moments.values()),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,  # KiB
    }


def apart(size: str) -> dict[str, float]:
    """Measure one size in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "scale", "--only", size],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def row(size: str) -> tuple[Any, ...]:
    """Give one size's numbers as text."""
    found = apart(size)
    total = sum(found[step] for step in ("record", "plan", "predict"))
    return (
        f"LLaMA {size}",
        f"{found['parameters'] / 1e9:.1f}e9",
        int(found["nodes"]),
        *(f"{found[step]:.1f}" for step in ("build", "record", "plan", "predict")),
        f"{total:.1f}",
        int(found["unknown"]) or "–",
        f"{found['peak']:.0f}",
    )


def main() -> None:
    """Read the options and print a row a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--only", choices=SIZES, help="measure here, print JSON")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measured(options.only)))
        return
    table = Table(HEAD, is_markdown=options.markdown)
    for size in options.sizes:
        table.row(*row(size))
    table.close()


if __name__ == "__main__":
    main()
