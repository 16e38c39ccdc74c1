"""How often `fanin.check` raises an alarm at models as their authors left them.

Run: ``python -m benchmarks healthy [--libraries torch transformers …] [--optimizer]
[--precision bfloat16] [--init] [--markdown]``. Every model has its authors' own initial
weights, a batch that looks like data, labels at random and the loss that goes with
them. An alarm is an error or a warning; each is printed with what was measured. Keras
takes one backend a process: set KERAS_BACKEND. ``--init``: after ``fanin.init``.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import fanin
from benchmarks import _real_looking as real
from benchmarks._known_faults import KNOWN
from benchmarks._table import Table
from fanin.api.task import find_framework

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fanin.rules import Finding, Report

LIBRARIES = ("torch", "transformers", "keras", "flax", "equinox", "holdout")
HEAD = ("models", "checked", "no alarm", "true faults", "false alarms", "seconds each")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A model, a batch, a target and a loss; objective in their place where given."""

    model: Any
    batch: Any = None
    target: Any = None
    loss: str | None = None
    objective: Callable[[Any], Any] | None = None

    def arguments(self) -> dict[str, Any]:
        """Give what `fanin.check` is called with beside the model."""
        if self.objective is not None:
            return {"objective": self.objective}
        return {"batch": self.batch, "loss": self.loss, "target": self.target}


def builders(library: str) -> dict[str, Callable[[], tuple[Any, Any]]]:
    """Give a builder of (model, batch) for each model of a library."""
    if library == "torch":
        from benchmarks.models.torch import zoo
    elif library == "transformers":
        from benchmarks.models.transformers import zoo
    elif library == "holdout":
        from benchmarks.models.holdout import zoo
    elif library == "keras":
        from benchmarks.models.keras_applications import zoo
    elif library == "flax":
        from benchmarks.models.flax import zoo
    else:
        from benchmarks.models.equinox import zoo
    return zoo()


def case(library: str, build: Callable[[], tuple[Any, Any]]) -> Case:
    """Build a model and what it is checked on."""
    seed_all(library)
    model, batch = build()
    channels_last = library in {"keras", "flax"}
    batch = real.like(batch, channels_last=channels_last)
    if library in {"torch", "transformers", "holdout"}:
        return _of_torch(model, batch)
    output = _output_shape(model, batch)
    return _fitting(model, batch, output, library)


def seed_all(library: str) -> None:
    """Seed what a library draws its initial weights from."""
    if library == "keras":
        import keras

        keras.utils.set_random_seed(0)
    elif library in {"torch", "transformers", "holdout"}:
        import torch

        torch.manual_seed(0)


def _of_torch(model: Any, batch: Any) -> Case:
    """Give a loss on the logits; a model that has only its own is asked for that."""
    import torch

    from fanin.frameworks.torch.objective import first_output

    twin = copy.deepcopy(model)  # running it moves its running means
    with torch.random.fork_rng(), torch.no_grad():
        if isinstance(batch, dict):
            output = twin(**batch)
        else:
            output = twin(*batch) if isinstance(batch, tuple) else twin(batch)
    if hasattr(output, "logits_per_image"):
        return Case(model=model, objective=lambda m: m(**batch, return_loss=True).loss)
    shape = tuple(first_output(output).shape)
    return _fitting(model, batch, shape, "torch")


def _output_shape(model: Any, batch: Any) -> tuple[int, ...]:
    from fanin.graph import Task

    framework = find_framework(model)
    graph = framework.record(model, Task(batch=batch))
    return graph.node(graph.outputs[0]).shape


def _fitting(model: Any, batch: Any, shape: tuple[int, ...], library: str) -> Case:
    """Give cross entropy for few classes along an axis, else mean squares."""
    is_map = len(shape) == 4
    axis = 1 if is_map and library == "torch" else len(shape) - 1
    is_image = is_map and shape[axis] in (1, 3)
    is_sequence = len(shape) == 3 and np.asarray(_first(batch)).dtype.kind == "f"
    if is_image or (is_sequence and library == "torch" and not _is_speech(model)):
        return Case(model=model, batch=batch, loss="mse", target=real.numbers(shape))
    labels = real.classes((*shape[:axis], *shape[axis + 1 :]), shape[axis])
    return Case(model=model, batch=batch, loss="cross_entropy", target=labels)


def _first(batch: Any) -> Any:
    if isinstance(batch, dict):
        return next(iter(batch.values()))
    return batch[0] if isinstance(batch, tuple) else batch


def _is_speech(model: Any) -> bool:
    return hasattr(model, "config")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check gave: its alarms, and how long it took in seconds."""

    name: str
    library: str
    alarms: tuple[Finding, ...]
    seconds: float
    error: str = ""

    @property
    def known(self) -> Mapping[str, str]:
        """Give the true faults of the model, by code, with their evidence."""
        return KNOWN.get(f"{self.library}: {self.name}", KNOWN.get(self.name, {}))

    @property
    def is_known(self) -> bool:
        """Say whether every alarm is a true fault of the model, by the table."""
        return bool(self.alarms) and all(f.code in self.known for f in self.alarms)


def outcomes(options: argparse.Namespace, library: str) -> Iterator[Outcome]:
    """Check every model of a library."""
    for name, build in builders(library).items():
        print(f"{library}: {name}", file=sys.stderr, flush=True)
        if options.models and name not in options.models:
            continue
        start = time.process_time()
        try:
            report = checked(case(library, build), options)
        except Exception as error:
            reason = repr(error)[:300]
            yield Outcome(
                name=name, library=library, alarms=(), seconds=0.0, error=reason
            )
            continue
        yield Outcome(
            name=name,
            library=library,
            alarms=(*report.errors, *report.warnings),
            seconds=time.process_time() - start,
        )


def checked(made: Case, options: argparse.Namespace) -> Report:
    """Check one model, with what the options say of its training."""
    more: dict[str, Any] = {}
    if options.optimizer:
        name, _, rate = options.optimizer.partition(":")
        more = {"optimizer": name, "learning_rate": float(rate or 1e-3)}
    if options.precision:
        more["precision"] = options.precision
    model = made.model
    if options.init:
        plan = fanin.init(model, made.batch)
        if find_framework(model).NAME == "jax":  # there a plan gives another model
            model = fanin.apply(plan, model)
    return fanin.check(model, **made.arguments(), **more)


def show(library: str, options: argparse.Namespace, table: Table) -> list[str]:
    """Print a library's row; give a line for each alarm."""
    found = list(outcomes(options, library))
    loud = [each for each in found if each.alarms]
    known = [each for each in loud if each.is_known]
    failed = [each for each in found if each.error]
    mean = sum(each.seconds for each in found) / max(len(found), 1)
    table.row(
        library,
        len(found) - len(failed),
        len(found) - len(failed) - len(loud),
        len(known),
        len(loud) - len(known),
        f"{mean:.1f}",
    )
    lines = [f"{each.name}: not checked: {each.error}" for each in failed]
    for each in loud:
        for finding in each.alarms:
            what = each.known.get(finding.code, "examined: no")
            lines.append(
                f"{each.name}: {finding.code} {finding.severity} at {finding.where}: "
                f"{finding.message} Measured: {finding.measured or '–'}. {what}"
            )
    return lines


def main() -> None:
    """Read the options and print the table, then every alarm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--libraries", nargs="+", default=LIBRARIES, choices=LIBRARIES)
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--optimizer", help="NAME:RATE, as in adamw:1e-3")
    parser.add_argument("--precision", choices=("float16", "bfloat16"))
    parser.add_argument("--init", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    table = Table(HEAD, is_markdown=options.markdown)
    lines = [line for each in options.libraries for line in show(each, options, table)]
    table.close()
    for line in lines:
        print(f"- {line}" if options.markdown else line)


if __name__ == "__main__":
    main()
