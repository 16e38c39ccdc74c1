"""How many numbers a second fanin draws, beside PyTorch, NumPy, JAX and Keras.

Run: ``python -m benchmarks sampler [--size 2^24] [--threads 1 2] [--rounds 15]
[--markdown]``. For each number of threads one process, on as many cores; in it all
contestants take turns, so that a busy moment hits them alike, and the best round
counts. fanin, torch.nn.init, NumPy and ``fill_`` write into memory that is there; JAX
and Keras make a new array, since they have no other way. "Of fill_" compares with the
speed at which PyTorch writes one constant into the same memory, with the same threads.
Values per processor second, summed over the cores, are what to read on a busy machine.

At the end: what the first draw of a process costs, with nothing kept on disk and with
the machine code that an earlier process kept there (`fanin.sampler.kernel_cache`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from benchmarks._table import Table

Draw = Callable[[], object]
LIMIT = "torch fill_"
LAWS = ("normal", "truncated normal", "uniform")
STD = 0.02


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Contestants that make the same thing, by name; fanin comes first."""

    title: str
    n_numbers: int
    draws: dict[str, Draw]


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """The best wall time of a contestant, and its best processor time on all cores."""

    wall: float
    processor: float


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=power, default=2**24, help="numbers, as 2^24")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--markdown", action="store_true", help="for the page")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def power(text: str) -> int:
    """Read 2^24 or a plain number."""
    base, _, exponent = text.partition("^")
    return int(base) ** int(exponent or 1)


def contests(n_numbers: int) -> list[Contest]:
    """Give every law in float32, and the normal and uniform laws in other types."""
    rows: list[tuple[str, str]] = [(law, "float32") for law in LAWS]
    rows += [(law, d) for d in ("bfloat16", "float16", "float64") for law in LAWS]
    return [
        Contest(
            title=f"{law}, {dtype}",
            n_numbers=n_numbers,
            draws={
                "fanin": of_fanin(law, dtype, n_numbers),
                "torch.nn.init": of_torch(law, dtype, n_numbers),
                **of_numpy(law, dtype, n_numbers),
                **of_jax(law, dtype, n_numbers),
                **of_keras(law, dtype, n_numbers),
                LIMIT: filled(dtype, n_numbers),
            },
        )
        for law, dtype in rows
    ]


def of_fanin(law: str, dtype: str, n_numbers: int) -> Draw:
    """Draw into an array, as `plan.apply` draws into a parameter."""
    import numpy as np

    from fanin.sampler import Law, filling

    kind = law.replace(" ", "_")
    own, seeds = Law(kind, std=STD), count()
    out = np.zeros(n_numbers, dtype="uint16" if dtype == "bfloat16" else dtype)

    def draw() -> None:
        write = filling(out, "w", (n_numbers,), own, seed=next(seeds))
        write()

    return draw


def of_torch(law: str, dtype: str, n_numbers: int) -> Draw:
    """Draw into a tensor."""
    import torch
    from torch import nn

    held = torch.zeros(n_numbers, dtype=getattr(torch, dtype))
    ways = {
        "normal": lambda: nn.init.normal_(held, 0.0, STD),
        "truncated normal": lambda: nn.init.trunc_normal_(held, 0.0, STD, -0.04, 0.04),
        "uniform": lambda: nn.init.uniform_(held, -STD, STD),
    }
    return ways[law]


def of_numpy(law: str, dtype: str, n_numbers: int) -> dict[str, Draw]:
    """Draw into an array, by NumPy's fastest generator; it has two types, two laws."""
    import numpy as np

    if dtype not in {"float32", "float64"} or law == "truncated normal":
        return {}
    generator = np.random.Generator(np.random.SFC64(0))
    held = np.zeros(n_numbers, dtype=dtype)
    draw: Any = generator.standard_normal if law == "normal" else generator.random
    return {"numpy (SFC64)": lambda: draw(dtype=held.dtype, out=held)}


def of_jax(law: str, dtype: str, n_numbers: int) -> dict[str, Draw]:
    """Make an array of jax.random, compiled."""
    import jax

    if dtype == "float64":  # off unless the whole process is in float64
        return {}
    shape, kind, keys = (n_numbers,), getattr(jax.numpy, dtype), count()
    ways: dict[str, Callable[[Any], Any]] = {
        "normal": lambda key: jax.random.normal(key, shape, kind) * STD,
        "truncated normal": lambda key: (
            jax.random.truncated_normal(key, -2, 2, shape, kind) * STD
        ),
        "uniform": lambda key: jax.random.uniform(
            key, shape, kind, minval=-STD, maxval=STD
        ),
    }
    compiled = jax.jit(ways[law])
    return {
        "jax.random": lambda: compiled(jax.random.key(next(keys))).block_until_ready()
    }


def of_keras(law: str, dtype: str, n_numbers: int) -> dict[str, Draw]:
    """Make a tensor of Keras's initializers, on PyTorch."""
    from keras import initializers

    if dtype != "float32":
        return {}
    ways: dict[str, Any] = {
        "normal": initializers.RandomNormal,
        "truncated normal": initializers.TruncatedNormal,
        "uniform": initializers.RandomUniform,
    }
    seeds = count()
    return {"keras": lambda: ways[law](seed=next(seeds))((n_numbers,), dtype)}


def filled(dtype: str, n_numbers: int) -> Draw:
    """Write one constant."""
    import torch

    held = torch.zeros(n_numbers, dtype=getattr(torch, dtype))
    return lambda: held.fill_(1.0)


def best_seconds(draws: dict[str, Draw], rounds: int) -> dict[str, Seconds]:
    """Give every contestant's best times over so many rounds, all taking turns."""
    wall: dict[str, list[float]] = {name: [] for name in draws}
    processor: dict[str, list[float]] = {name: [] for name in draws}
    for _ in range(rounds + 1):
        for name, draw in draws.items():
            start, start_processor = time.perf_counter(), time.process_time()
            draw()
            wall[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - start_processor)
    # The first round compiles, and warms the caches.
    return {
        name: Seconds(wall=min(wall[name][1:]), processor=min(processor[name][1:]))
        for name in draws
    }


def report(contest: Contest, rounds: int, *, is_markdown: bool) -> None:
    """Print one line for each contestant."""
    best = best_seconds(contest.draws, rounds)
    millions = contest.n_numbers / 1e6
    fanin, limit = best["fanin"], best[LIMIT]
    heads = ("M values/s", "fanin is", "of fill_", "M values/CPU s", "fanin is")
    table = Table((contest.title, *heads), is_markdown=is_markdown)
    for name, seconds in best.items():
        table.row(
            name,
            f"{millions / seconds.wall:,.0f}",
            f"{seconds.wall / fanin.wall:.1f}×",
            f"{limit.wall / seconds.wall:.0%}",
            f"{millions / seconds.processor:,.0f}",
            f"{seconds.processor / fanin.processor:.1f}×",
        )
    table.close()


def here(n_threads: int, size: int, rounds: int, *, is_markdown: bool) -> None:
    """Print the tables of one number of threads, in this process."""
    cores = sorted(os.sched_getaffinity(0))[:n_threads]
    os.sched_setaffinity(0, cores)
    import torch

    from fanin.sampler import expect

    torch.set_num_threads(n_threads)
    load = os.getloadavg()[0]
    words = "thread" if n_threads == 1 else "threads"
    expect(2**30)
    print(f"{n_threads} {words}, {size:,} numbers; load before: {load:.1f}.\n")
    for contest in contests(size):
        report(contest, rounds, is_markdown=is_markdown)


def first_draw() -> None:
    """Print the seconds of the first draw of this process, beyond those of another."""
    import numpy as np

    from fanin.sampler import Law, expect, filling

    out = np.zeros(2**20, dtype=np.float32)
    taken = []
    for seed in range(2):
        start = time.perf_counter()
        expect(2**30)
        filling(out, "w", out.shape, Law("truncated_normal", std=1.0), seed=seed)()
        taken.append(time.perf_counter() - start)
    print(taken[0] - taken[1])


def report_first_draws() -> None:
    """Print what the first draw costs without and with machine code on disk."""
    command = [sys.executable, "-m", "benchmarks.sampler", "--first"]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "FANIN_CACHE": folder}
        cold, warm = (
            float(
                subprocess.run(
                    command,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                    env=environment,
                ).stdout
            )
            for _ in range(2)
        )
    print(
        f"The first draw of a process takes {1e3 * cold:.0f} ms more than the next, "
        f"LLVM loaded and a kernel compiled; {1e3 * warm:.0f} ms where an earlier "
        "process has kept the kernel on disk."
    )


def main() -> None:
    """Print the tables, a process for each number of threads."""
    chosen = options()
    warnings.simplefilter("ignore")
    if chosen.first:
        first_draw()
        return
    if chosen.here:
        (n_threads,) = chosen.threads
        here(n_threads, chosen.size, chosen.rounds, is_markdown=chosen.markdown)
        return
    for n_threads in chosen.threads:
        command = [sys.executable, "-m", "benchmarks.sampler", "--here"]
        command += ["--threads", str(n_threads), "--size", str(chosen.size)]
        command += ["--rounds", str(chosen.rounds)]
        command += ["--markdown"] * chosen.markdown
        told = {"OMP_NUM_THREADS": str(n_threads), "KERAS_BACKEND": "torch"}
        subprocess.run(command, check=True, env={**os.environ, **told})
    report_first_draws()


if __name__ == "__main__":
    main()
