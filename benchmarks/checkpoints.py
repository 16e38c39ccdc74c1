"""What writing a seed checkpoint costs, beside building a model and saving it.

Each row is made in a process of its own, from the config of a Llama of that size;
"transformers" builds the model with its authors' own initialization and calls
``save_pretrained``. Peak is the largest resident memory of the process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._table import Table

SIZES = {
    "0.1 B": {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12},
    "1.1 B": {"hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 22},
    "6.7 B": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32},
}

COMMON = """
import json, resource, sys, time, torch, transformers
given, folder = json.loads(sys.argv[1]), sys.argv[2]
config = transformers.LlamaConfig(
    vocab_size=32000, num_attention_heads=16, dtype="bfloat16", **given
)
"""
FANIN = """
import fanin
began = time.perf_counter()
with fanin.weightless():
    model = transformers.LlamaForCausalLM(config)
plan = fanin.plan(model, seed=0)
planned = time.perf_counter()
fanin.seed_checkpoint(plan, folder, model=model, dtype="bfloat16")
"""
TRANSFORMERS = """
began = time.perf_counter()
model = transformers.AutoModelForCausalLM.from_config(config)
planned = time.perf_counter()
model.save_pretrained(folder)
"""
PRINT = """
done = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
n = sum(p.numel() for p in model.parameters())
print(json.dumps([n, planned - began, done - planned, peak]))
"""


def measured(code: str, given: dict[str, int]) -> tuple[float, float, float, float]:
    """Run one way in a process of its own: numbers, two times in s, peak bytes."""
    with tempfile.TemporaryDirectory() as place:
        script = COMMON + code + PRINT
        command = [sys.executable, "-c", script, json.dumps(given), f"{place}/seed"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    n, first, second, peak = json.loads(done.stdout.splitlines()[-1])
    return n, first, second, peak


def written_plainly(n_bytes: int) -> float:
    """Give the seconds that the disk takes for so many bytes of zeros."""
    piece = bytes(1 << 25)
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        with (Path(place) / "zeros").open("wb") as file:
            for _ in range(n_bytes // len(piece)):
                file.write(piece)
        return time.perf_counter() - began


def row(name: str, most_built: float) -> tuple[str, ...]:
    """Measure one size; what would not fit into memory is not built."""
    n, plan, write, peak = measured(FANIN, SIZES[name])
    built = ("not built", "", "")
    if n <= most_built:
        _, build, save, other = measured(TRANSFORMERS, SIZES[name])
        built = (f"{build:.1f}", f"{save:.1f}", f"{other / 1e9:.2f}")
    disk = written_plainly(int(2 * n))
    ours = (f"{plan:.1f}", f"{write:.1f}", f"{peak / 1e9:.2f}", f"{disk:.1f}")
    return (name, f"{2 * n / 1e9:.2f}", *ours, *built)


HEAD = (
    "parameters",
    "GB",
    "plan, s",
    "write, s",
    "peak, GB",
    "disk alone, s",
    "transformers: build, s",
    "save, s",
    "peak, GB",
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES)[:2])
    parser.add_argument("--most-built", type=float, default=2e9, metavar="N")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    shown = Table(HEAD, is_markdown=given.markdown)
    for name in given.sizes:
        shown.row(*row(name, given.most_built))


if __name__ == "__main__":
    main()
