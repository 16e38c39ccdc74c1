"""One check of one model, broken or healthy, and what is counted of it."""

from __future__ import annotations

import time
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import fanin
from benchmarks.faults.bases import BASES
from benchmarks.faults.injections import FAULTS
from benchmarks.faults.rivals import alarms
from benchmarks.faults.subject import Subject
from fanin.rules import Severity

if TYPE_CHECKING:
    from benchmarks.faults.fault import Fault
    from benchmarks.faults.subject import Base
    from fanin.rules import Finding, Report

HEALTHY = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a check of one base with one fault and one seed gave.

    fault: its name; "" for the healthy base. is_found, is_root: of the fault. listed:
    codes of the errors and warnings, worst first. is_sharp: of the parameters whose new
    draw the first finding says would mend it, half and more are those that were changed
    (true where the fault lies in none). rivals: who raised an alarm. trouble:
    what the check raised, if it did: nothing was found then.
    """

    base: str
    fault: str
    seed: int
    is_found: bool = False
    is_root: bool = False
    is_sharp: bool = False
    listed: tuple[str, ...] = ()
    rivals: frozenset[str] = frozenset()
    trouble: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Which check to make: places in the lists, so that it travels between processes.

    fault: None for the base as it is.
    """

    base: int
    fault: int | None
    seed: int
    with_rivals: bool = False


def trials(n_seeds: int, *, with_rivals: bool = False) -> list[Trial]:
    """List every check, base by base."""
    listed: list[Trial] = []
    for i, base in enumerate(BASES):
        fitting = [j for j, fault in enumerate(FAULTS) if fault.fits(base)]
        listed += [
            Trial(base=i, fault=fault, seed=seed, with_rivals=with_rivals)
            for fault in (None, *fitting)
            for seed in range(n_seeds)
        ]
    return listed


def subject_of(base: Base, seed: int) -> Subject:
    """Build a base with its batch and a target at random."""
    model, batch = base.make(seed)
    loss = "cross_entropy" if base.classes else "mse"
    target = _target(base, batch, seed)
    return Subject(base=base, model=model, batch=batch, loss=loss, target=target)


def _target(base: Base, batch: Any, seed: int) -> Any:
    source = np.random.default_rng(seed + 1)
    first = next(iter(batch.values())) if isinstance(batch, dict) else batch
    first = first[-1] if isinstance(first, tuple) else first
    if base.classes:
        shape = tuple(first.shape) if base.per_token else (first.shape[0],)
        drawn = source.integers(base.classes, size=shape)
    elif base.name == "regression":
        drawn = source.normal(size=(first.shape[0], 1)).astype(np.float32)
    else:
        return first  # an autoencoder, an image to an image
    return torch.from_numpy(drawn) if base.framework == "torch" else drawn


def make(trial: Trial) -> Outcome:
    """Build, break, check and count."""
    base = BASES[trial.base]
    fault = None if trial.fault is None else FAULTS[trial.fault]
    start = time.perf_counter()
    name = HEALTHY if fault is None else fault.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        subject, culprits = broken(base, fault, trial.seed)
        try:
            report = checked(subject)
        except Exception as error:  # an error is an outcome here
            return Outcome(
                base=base.name, fault=name, seed=trial.seed, trouble=repr(error)
            )
        seconds = time.perf_counter() - start
        rivals = alarms(subject) if trial.with_rivals else frozenset()
    loud = [f for f in report.findings if f.severity is not Severity.INFO]
    codes = frozenset() if fault is None else fault.codes
    first = loud[0] if loud else None
    is_root = first is not None and first.code in codes and _names(first, culprits)
    return Outcome(
        base=base.name,
        fault=name,
        seed=trial.seed,
        is_found=any(f.code in codes for f in loud),
        is_root=is_root,
        is_sharp=is_root and first is not None and _is_sharp(first, culprits),
        listed=tuple(f.code for f in loud),
        rivals=rivals,
        seconds=seconds,
    )


def _names(finding: Finding, culprits: frozenset[str]) -> bool:
    """Say whether a finding names one of these; or anything, if there are none."""
    return not culprits or bool(culprits & {*finding.paths, finding.where})


def _is_sharp(finding: Finding, culprits: frozenset[str]) -> bool:
    """Say whether half and more of what a finding would draw again are these."""
    blamed = set(finding.mends or finding.paths)
    return not culprits or 2 * len(blamed & culprits) >= len(blamed)


def broken(
    base: Base, fault: Fault | None, seed: int
) -> tuple[Subject, frozenset[str]]:
    """Give a base with a fault in it, and the parameters to blame."""
    subject = subject_of(base, seed)
    if fault is None:
        return subject, frozenset()
    source = np.random.default_rng([seed, zlib.crc32(fault.name.encode())])
    return subject, fault.inject(subject, source)


def checked(subject: Subject) -> Report:
    """Check it as a user would."""
    return fanin.check(
        subject.model, subject.batch, subject.loss, subject.target, **subject.options
    )
