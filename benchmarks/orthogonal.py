"""How long orthogonal weights take, and how orthogonal they are, beside three rivals.

Run: ``python -m benchmarks orthogonal [--threads 1] [--rounds 3] [--sides 512 … 4096]
[--markdown]``. All contestants run in one process on the same cores, taking turns, each
draws its own random numbers and gives a new float32 array, and the best round counts:
wall seconds, and processor seconds summed over the cores, which are what to read on a
machine that does other work as well. The error is the largest entry of QᵀQ − 1 (QQᵀ − 1
of wide matrices), summed in float64, over 256 columns.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from benchmarks._table import Table

COLUMNS = 256
LARGE = 2**23
"""From so many entries on one round is run, and no round to warm up."""

Make = Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Weights of one shape: how many, and who makes them, fanin first."""

    title: str
    shape: tuple[int, ...]
    n_weights: int
    makers: dict[str, Make]


@dataclass(frozen=True, kw_only=True)
class Score:
    """Seconds of the best round, for all weights, and the error of the last one."""

    wall: float
    processor: float
    error: float


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", type=int, nargs="*", default=[512, 1024, 2048, 4096])
    parser.add_argument("--tall", type=int, nargs="*", default=[11008, 4096])
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


def contest(title: str, shape: tuple[int, ...], n_weights: int = 1) -> Contest:
    """Give what each library makes of a shape, in its own layout."""
    import jax
    import keras
    import torch
    from torch import nn

    from fanin.sampler import Law, draw

    seeds = count()
    law = Law("orthogonal")
    # Keras and JAX take the last axis for the outputs.
    theirs = (*shape[2:], shape[1], shape[0])
    key = jax.random.key(0)
    in_jax = jax.jit(lambda key: jax.nn.initializers.orthogonal()(key, theirs))
    compiled = in_jax.lower(key).compile()

    def many(make: Callable[[int], Any]) -> Make:
        return lambda: [make(next(seeds)) for _ in range(n_weights)][-1]

    return Contest(
        title=title,
        shape=shape,
        n_weights=n_weights,
        makers={
            "fanin": many(lambda seed: draw("weight", shape, law, seed=seed)),
            "torch.nn.init": many(lambda _: nn.init.orthogonal_(torch.empty(shape))),
            "keras": many(
                lambda seed: keras.initializers.Orthogonal(seed=seed)(theirs)
            ),
            "jax": many(
                lambda seed: compiled(jax.random.key(seed)).block_until_ready()
            ),
        },
    )


def error_of(made: Any, shape: tuple[int, ...]) -> float:
    """Give the largest entry of QᵀQ − 1 over some columns."""
    import numpy as np
    import torch

    array = made.detach().numpy() if isinstance(made, torch.Tensor) else made
    weight = np.asarray(array, dtype=np.float64)
    rows = shape[0] if weight.shape == shape else weight.shape[-1]
    is_ours = weight.shape == shape and len(shape) != 2
    matrix = (
        weight.reshape(rows, -1) if is_ours else weight.reshape(-1, weight.shape[-1])
    )
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    some = slice(0, min(COLUMNS, matrix.shape[1]))
    products = matrix.T @ matrix[:, some]
    return float(np.abs(products - np.eye(len(products))[:, some]).max())


def scores(which: Contest, rounds: int) -> dict[str, Score]:
    """Give every contestant's best round, all taking turns, and its error."""
    import math

    n_entries = math.prod(which.shape) * which.n_weights
    turns = 1 if n_entries >= LARGE else rounds + 1
    wall: dict[str, list[float]] = {name: [] for name in which.makers}
    processor: dict[str, list[float]] = {name: [] for name in which.makers}
    errors = {}
    for _ in range(turns):
        for name, make in which.makers.items():
            start, start_processor = time.perf_counter(), time.process_time()
            made = make()
            wall[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - start_processor)
            errors[name] = error_of(made, which.shape)
    return {
        name: Score(
            wall=min(wall[name]), processor=min(processor[name]), error=errors[name]
        )
        for name in which.makers
    }


def report(table: Table, which: Contest, found: dict[str, Score]) -> None:
    """Print one row: seconds of each, how many times faster fanin is, and errors."""
    fanin = found["fanin"]
    rivals = [name for name in found if name != "fanin"]

    def times(name: str) -> str:
        other = found[name]
        wall, processor = other.wall / fanin.wall, other.processor / fanin.processor
        return f"{wall:.1f} ({processor:.1f})"

    table.row(
        which.title,
        seconds(fanin.wall),
        *(seconds(found[name].wall) for name in rivals),
        *(times(name) for name in rivals),
        *(f"{score.error:.0e}" for score in found.values()),
    )


def seconds(number: float) -> str:
    """Print a time to three digits."""
    return f"{number:.3g} s" if number >= 1 else f"{number * 1e3:.3g} ms"


def main() -> None:
    """Print the table."""
    chosen = options()
    cores = sorted(os.sched_getaffinity(0))[: chosen.threads]
    os.sched_setaffinity(0, cores)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(len(cores))
    os.environ.setdefault("KERAS_BACKEND", "torch")
    warnings.simplefilter("ignore")
    import torch

    from fanin.sampler import Law, draw

    torch.set_num_threads(len(cores))
    draw("kernels", (2**23,), Law("normal", std=1.0), seed=0)
    rivals = ("torch", "Keras", "JAX")
    table = Table(
        (
            f"threads: {len(cores)}",
            "fanin",
            *rivals,
            *(f"× {name}" for name in rivals),
            *(f"error {name}" for name in ("fanin", *rivals)),
        ),
        is_markdown=chosen.markdown,
    )
    contests: list[tuple[str, tuple[int, ...], int]] = [
        (f"{n} × {n}", (n, n), 1) for n in chosen.sides
    ]
    if chosen.tall:
        contests.append((" × ".join(map(str, chosen.tall)), tuple(chosen.tall), 1))
    contests += [
        ("16 kernels of 3 × 3, 128 to 128", (128, 128, 3, 3), 16),
        ("1,000 of 64 × 64", (64, 64), 1000),
        ("1,000 of 16 × 16", (16, 16), 1000),
    ]
    for title, shape, n_weights in contests:
        which = contest(title, shape, n_weights)
        report(table, which, scores(which, chosen.rounds))
    table.close()


if __name__ == "__main__":
    main()
