"""Many checks, several at a time, kept in a file so that a stopped run goes on."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small nets: one thread a process

import torch

from benchmarks.faults.bases import BASES
from benchmarks.faults.injections import FAULTS
from benchmarks.faults.score import HEALTHY, Outcome, Trial, make

if TYPE_CHECKING:
    from pathlib import Path

QUICK_STEP = 7
"""A quick run makes every seventh check, of one seed: prime, so of all kinds."""


def one_thread() -> None:
    """Leave the other cores to the other processes."""
    torch.set_num_threads(1)


def outcomes_of(listed: list[Trial], n_jobs: int, keep: Path | None) -> list[Outcome]:
    """Make the checks that are not kept yet, several at a time, and keep each.

    Every seventh comes first, then the others: a run that is stopped has some of all.
    """
    known = kept(keep)
    order = [t for k in range(QUICK_STEP) for t in listed[k::QUICK_STEP]]
    ahead = [trial for trial in order if key(trial) not in known]
    context = get_context("spawn")
    with ProcessPoolExecutor(
        n_jobs, mp_context=context, initializer=one_thread
    ) as pool:
        for trial, outcome in zip(ahead, pool.map(make, ahead), strict=True):
            known[key(trial)] = outcome
            note(outcome, keep)
    return [known[key(trial)] for trial in listed]


def known_of(listed: list[Trial], keep: Path | None) -> list[Outcome]:
    """Give the outcomes that are kept already, and make none."""
    known = kept(keep)
    return [known[key(trial)] for trial in listed if key(trial) in known]


def note(outcome: Outcome, keep: Path | None) -> None:
    """Append an outcome to the file of those that are kept."""
    if keep is not None:
        with keep.open("a", encoding="utf-8") as file:
            file.write(json.dumps(as_data(outcome)) + "\n")


def key(trial: Trial) -> tuple[str, str, int]:
    """Give the words by which a check is known."""
    fault = HEALTHY if trial.fault is None else FAULTS[trial.fault].name
    return BASES[trial.base].name, fault, trial.seed


def as_data(outcome: Outcome) -> dict[str, Any]:
    """Give an outcome as JSON has it."""
    return asdict(outcome) | {"rivals": sorted(outcome.rivals)}


def kept(keep: Path | None) -> dict[tuple[str, str, int], Outcome]:
    """Read the outcomes of an earlier run."""
    if keep is None or not keep.exists():
        return {}
    lines = keep.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    outcomes = [
        Outcome(
            **row | {"listed": tuple(row["listed"]), "rivals": frozenset(row["rivals"])}
        )
        for row in rows
    ]
    return {(o.base, o.fault, o.seed): o for o in outcomes}
