"""Put faults into healthy models, check them, and print what was found."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small nets: one thread a process

import torch

from benchmarks.faults import __doc__ as about
from benchmarks.faults import tables
from benchmarks.faults.score import Outcome, Trial, make, trials

QUICK_STEP = 7
"""A quick run makes every seventh check, of one seed: prime, so of all kinds."""


def one_thread() -> None:
    """Leave the other cores to the other processes."""
    torch.set_num_threads(1)


def outcomes_of(listed: list[Trial], n_jobs: int) -> list[Outcome]:
    """Make the checks, several at a time; a counter goes to the error stream."""
    done: list[Outcome] = []
    with ProcessPoolExecutor(
        n_jobs, mp_context=get_context("spawn"), initializer=one_thread
    ) as pool:
        for outcome in pool.map(make, listed, chunksize=8):
            done.append(outcome)
            if len(done) % 100 == 0:
                print(f"{len(done)} of {len(listed)}", file=sys.stderr, flush=True)
    return done


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a seventh, one seed")
    parser.add_argument("--misses", action="store_true", help="list them too")
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    listed = trials(1 if chosen.quick else chosen.seeds, with_rivals=True)
    if chosen.quick:
        listed = listed[::QUICK_STEP]
    outcomes = outcomes_of(listed, chosen.jobs)
    for table in (
        tables.whole,
        tables.side_by_side,
        tables.by_fault,
        tables.by_base,
    ):
        table(outcomes, is_markdown=chosen.markdown)
    if chosen.misses:
        tables.misses(outcomes)


if __name__ == "__main__":
    main()
