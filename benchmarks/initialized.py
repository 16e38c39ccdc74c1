"""How every model of the zoo starts: fanin.init against its authors' own weights.

Run: ``python -m benchmarks initialized [--zoos torch transformers keras jax]
[--models NAME ...] [--worst 5] [--markdown]``. Each model is built, checked as its
authors initialize it, initialized by ``fanin.init`` on its batch, and checked again.

Sites are the outputs of linear operations that should have unit scale, so that what
follows sees numbers of its own range: hidden and input layers, gates and what they
gate, queries, keys and values, experts. Where such outputs are only added up, the sum
is the site. Left out, as meant to be smaller: ends of residual branches, heads,
routers, tables, low-rank adapters, step sizes, what is added to a recurrent weight,
and what weights give that are computed from parameters which the plan keeps.
``own``, ``predicted``, ``calibrated``: share of sites with a root mean square in
[0.3, 3] under the authors' weights, fanin's plan from the inputs' moments alone, and
fanin's plan after its one forward pass. ``loss``: expected cross-entropy of the first
forward pass over uniformly drawn labels, less ln K; – where no head gives logits.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import fanin
from benchmarks._starts import HIGH, LOW, Start, start_of
from benchmarks._table import Table
from fanin.frameworks.find import find
from fanin.graph import Task
from fanin.prescription import Evidence, inputs_of, make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Builder = Callable[[], tuple[Any, Any]]

NEAR = 0.1
SEED = 0
ZOOS = ("torch", "transformers", "keras", "jax")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The starts of one model, under the authors' weights and under fanin's."""

    own: Start
    predicted: Start
    calibrated: Start
    seconds: float
    """Of processor time, for all that is done to the model here."""


def builders(zoo: str) -> Mapping[str, Builder]:
    """Give the models of one zoo, by name; its libraries are imported only now."""
    if zoo == "torch":
        from benchmarks.models import torch as ours

        return ours.zoo()
    if zoo == "transformers":
        from benchmarks.models import transformers

        return transformers.zoo()
    if zoo == "keras":
        os.environ.setdefault("KERAS_BACKEND", "torch")
        from benchmarks.models import keras_applications

        return keras_applications.zoo()
    from benchmarks.models import equinox, flax

    return {**flax.zoo(), **equinox.zoo()}


def seed_everything() -> None:
    """Set the global generators that the frameworks draw their own weights from."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(SEED)


def outcome_of(build: Builder) -> Outcome:
    """Build one model, and start it three times."""
    start = time.process_time()
    seed_everything()
    model, batch = build()
    framework, task = find(model), Task(batch=batch, seed=SEED)
    measured = framework.measure(model, task)
    own = start_of(measured, verdict_on(model, batch))
    values = framework.read(model)
    graph = framework.record(model, task)
    evidence = Evidence(inputs=inputs_of(graph), values=values)
    drawn = make_plan(graph, evidence=evidence, seed=SEED).draws()
    planned = values | {path: draw(None) for path, draw in drawn.items()}
    predicted = start_of(framework.measure(model, task, planned), "")
    model = fanin.apply(fanin.plan(model, batch, seed=SEED), model)
    verdict = verdict_on(model, batch)
    return Outcome(
        own=own,
        predicted=predicted,
        calibrated=start_of(framework.measure(model, task), verdict),
        seconds=time.process_time() - start,
    )


def verdict_on(model: object, batch: object) -> str:
    """Give what ``fanin.check`` says of a model, in a word or two."""
    return (
        str(fanin.check(model, batch).verdict).partition(" for ")[0].partition(" (")[0]
    )


HEAD = (
    "model",
    "sites",
    "own",
    "predicted",
    "calibrated",
    "loss own",
    "loss predicted",
    "loss calibrated",
    "check own",
    "check after",
)


def cells(name: str, outcome: Outcome) -> tuple[Any, ...]:
    """Give one model's row."""
    starts = (outcome.own, outcome.predicted, outcome.calibrated)
    losses = ("–" if not isfinite(s.loss) else f"{s.loss:+.3f}" for s in starts)
    return (
        name,
        len(outcome.calibrated.sizes),
        *(start.share for start in starts),
        *losses,
        outcome.own.verdict,
        outcome.calibrated.verdict,
    )


def total(zoo: str, outcomes: list[Outcome]) -> tuple[Any, ...]:
    """Sum the rows of one zoo up."""
    kinds = ("own", "predicted", "calibrated")
    shares, losses = [], []
    for kind in kinds:
        starts = [getattr(outcome, kind) for outcome in outcomes]
        n_sites = sum(len(start.sizes) for start in starts)
        n_inside = sum(start.n_inside for start in starts)
        shares.append(f"{100 * n_inside / n_sites:.1f} %" if n_sites else "–")
        known = [start.loss for start in starts if isfinite(start.loss)]
        near = sum(abs(loss) <= NEAR for loss in known)
        losses.append(f"{near} of {len(known)}")
    n_sites = sum(len(outcome.calibrated.sizes) for outcome in outcomes)
    return (f"**{zoo}: {len(outcomes)}**", n_sites, *shares, *losses, "", "")


def outside(name: str, outcome: Outcome) -> Iterator[str]:
    """Describe the sites that are out of range, calibrated or not."""
    for kind in ("predicted", "calibrated"):
        start: Start = getattr(outcome, kind)
        for site, size in start.sizes.items():
            if not LOW <= size <= HIGH:
                yield f"{name}: {kind} {site}: rms {size:.3g}"


def run(zoo: str, names: list[str] | None, table: Table, worst: int) -> list[Outcome]:
    """Start all models of a zoo, a row each; then say which sites are out of range."""
    outcomes, lines = [], []
    for name, build in builders(zoo).items():
        if names and name not in names:
            continue
        try:
            outcome = outcome_of(build)
        except Exception as error:
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            table.row(name, text[:90], *[""] * (len(HEAD) - 2))
            continue
        outcomes.append(outcome)
        table.row(*cells(name, outcome))
        lines += list(outside(name, outcome))[:worst]
    table.row(*total(zoo, outcomes))
    for line in lines:
        print("  " + line)
    return outcomes


def main() -> None:
    """Read the options and print a row a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoos", nargs="*", default=ZOOS, choices=ZOOS)
    parser.add_argument("--models", nargs="*", default=None)
    parser.add_argument("--worst", type=int, default=0, help="sites to print a model")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    table = Table(HEAD, is_markdown=options.markdown)
    outcomes = [
        outcome
        for zoo in options.zoos
        for outcome in run(zoo, options.models, table, options.worst)
    ]
    table.row(*total("all", outcomes))
    table.close()
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(f"{seconds / 60:.0f} minutes of one core.")


if __name__ == "__main__":
    main()
