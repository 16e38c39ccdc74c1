"""How many numbers a second fanin draws, beside PyTorch, NumPy, JAX and Keras.

Run: ``python -m benchmarks sampler [--size 2^22] [--threads 2] [--rounds 15]``. All
contestants run in one process on the same cores, taking turns, so that a busy moment
hits them alike. Every one makes a new float32 array; the best round counts. "of fill_"
compares with the speed at which the machine writes the same memory. Processor seconds,
summed over the cores, are what to read on a machine that does other work as well.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

Draw = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Contestants that make the same thing, by name; fanin comes first."""

    title: str
    n_numbers: int
    draws: dict[str, Draw]


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=power, default=2**22, help="numbers, as 2^22")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sides", type=int, nargs="*", default=[512, 1024, 2048])
    return parser.parse_args()


def power(text: str) -> int:
    """Read 2^22 or a plain number."""
    base, _, exponent = text.partition("^")
    return int(base) ** int(exponent or 1)


def elementwise(n_numbers: int) -> list[Contest]:
    """Give the laws that draw one number by one."""
    import jax
    import keras
    import numpy as np
    import torch
    from torch import nn

    from fanin.sampler import Law, draw

    seeds = count()
    shape = (n_numbers // 1024, 1024)
    laws = {
        "normal": Law("normal", std=0.02),
        "truncated normal": Law("truncated_normal", std=0.02),
        "uniform": Law("uniform", bound=0.02),
    }

    def fanin(title: str) -> Draw:
        return lambda: draw("weight", shape, laws[title], seed=next(seeds))

    def torch_init(function: Callable[[torch.Tensor], object]) -> Draw:
        return lambda: function(torch.empty(shape))

    def jax_random(function: Callable[..., jax.Array]) -> Draw:
        compiled = jax.jit(function)
        return lambda: compiled(jax.random.key(next(seeds))).block_until_ready()

    def keras_initializer(make: Callable[..., Callable[..., object]]) -> Draw:
        return lambda: make(seed=next(seeds))(shape)

    generator = np.random.Generator(np.random.SFC64(0))
    single = np.float32
    rivals: dict[str, dict[str, Draw]] = {
        "normal": {
            "torch.nn.init": torch_init(lambda w: nn.init.normal_(w, 0.0, 0.02)),
            "numpy (SFC64)": lambda: generator.standard_normal(shape, dtype=single),
            "jax.random": jax_random(lambda key: jax.random.normal(key, shape) * 0.02),
            "keras": keras_initializer(keras.initializers.RandomNormal),
        },
        "truncated normal": {
            "torch.nn.init": torch_init(
                lambda w: nn.init.trunc_normal_(w, 0.0, 0.02, -0.04, 0.04)
            ),
            "jax.random": jax_random(
                lambda key: jax.random.truncated_normal(key, -2, 2, shape) * 0.02
            ),
            "keras": keras_initializer(keras.initializers.TruncatedNormal),
        },
        "uniform": {
            "torch.nn.init": torch_init(lambda w: nn.init.uniform_(w, -0.02, 0.02)),
            "numpy (SFC64)": lambda: generator.random(shape, dtype=single),
            "jax.random": jax_random(
                lambda key: jax.random.uniform(key, shape, minval=-0.02, maxval=0.02)
            ),
            "keras": keras_initializer(keras.initializers.RandomUniform),
        },
    }
    return [
        Contest(
            title=title, n_numbers=n_numbers, draws={"fanin": fanin(title), **draws}
        )
        for title, draws in rivals.items()
    ]


def orthogonal(side: int) -> Contest:
    """Give the orthogonal law at one size."""
    import jax
    import torch
    from torch import nn

    from fanin.sampler import Law, draw

    seeds = count()
    law = Law("orthogonal")
    shape = (side, side)
    in_jax = jax.jit(lambda key: jax.nn.initializers.orthogonal()(key, shape))
    return Contest(
        title=f"orthogonal {side} × {side}",
        n_numbers=side * side,
        draws={
            "fanin": lambda: draw("weight", shape, law, seed=next(seeds)),
            "torch.nn.init": lambda: nn.init.orthogonal_(torch.empty(shape)),
            "jax.nn.initializers": lambda: in_jax(
                jax.random.key(next(seeds))
            ).block_until_ready(),
        },
    )


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """The best wall time of a contestant, and its best processor time on all cores."""

    wall: float
    processor: float


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


def report(contest: Contest, rounds: int) -> None:
    """Print one line for each contestant."""
    import torch

    def fill() -> object:
        return torch.empty(contest.n_numbers).fill_(1.0)

    best = best_seconds({**contest.draws, "torch fill_": fill}, rounds)
    millions = contest.n_numbers / 1e6
    fanin, limit = best["fanin"], best["torch fill_"]
    print(
        f"\n{contest.title:22}{'M values/s':>12}{'fanin is':>10}{'of fill_':>10}",
        end="",
    )
    print(f"{'M values/CPU s':>18}{'fanin is':>10}")
    for name, seconds in best.items():
        print(
            f"{name:22}{millions / seconds.wall:12.0f}"
            f"{seconds.wall / fanin.wall:9.1f}×{limit.wall / seconds.wall:10.1%}"
            f"{millions / seconds.processor:18.0f}"
            f"{seconds.processor / fanin.processor:9.1f}×",
            flush=True,
        )


def main() -> None:
    """Print the tables."""
    chosen = options()
    cores = sorted(os.sched_getaffinity(0))[: chosen.threads]
    os.sched_setaffinity(0, cores)
    os.environ["OMP_NUM_THREADS"] = str(len(cores))
    os.environ.setdefault("KERAS_BACKEND", "torch")
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(len(cores))
    load = os.getloadavg()[0]
    print(f"{chosen.size} numbers, {len(cores)} cores; load before: {load:.1f}")
    contests = elementwise(chosen.size) + [orthogonal(n) for n in chosen.sides]
    for contest in contests:
        report(contest, chosen.rounds)


if __name__ == "__main__":
    main()
