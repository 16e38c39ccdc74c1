"""Keras on JAX: the model's forward run as a traced program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np

from fanin.frameworks._jaxpr import calibrate as calibration
from fanin.frameworks._jaxpr import measure as measuring
from fanin.frameworks._jaxpr.closure import with_arrays_as_inputs
from fanin.frameworks._jaxpr.compiled import Objective
from fanin.frameworks._jaxpr.record import Argument, batch_size
from fanin.frameworks._jaxpr.record import record as record_program
from fanin.frameworks._jaxpr.unfold import program_of
from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.names import scope_reader
from fanin.frameworks.keras.parameters import parameters
from fanin.frameworks.keras.trainable import only_trainable, trainable_paths
from fanin.graph import Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.steps import Program
    from fanin.frameworks.calibration import Goals
    from fanin.frameworks.keras.run import Run
    from fanin.frameworks.program import Recorded
    from fanin.graph import Graph
    from fanin.graph.calibration import Calibration


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A forward run as a program, its arguments, and the graph of it.

    structure: how the program's outputs nest to the model's.
    """

    program: Program
    arguments: tuple[Argument, ...]
    recorded: Recorded
    structure: Any


def trace(run: Run, values: Mapping[str, np.ndarray], *, is_measured: bool) -> Trace:
    """Trace the model's forward run at these values; nothing is computed."""
    tensors = run.tensors(values)
    paths = list(tensors)
    leaves = [leaf for leaf in keras.tree.flatten(run.batch) if is_array(leaf)]
    structures: list[Any] = []

    def forward(held: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        with run.at(dict(zip(paths, held, strict=True))):
            outputs = run.with_leaves(given).outputs()
        structures.append(outputs)
        return [leaf for leaf in keras.tree.flatten(outputs) if is_array(leaf)]

    closed = jax.make_jaxpr(forward)(list(tensors.values()), leaves)
    arguments = [
        *(Argument(path=path, value=tensors[path]) for path in paths),
        *(Argument(value=leaf) for leaf in leaves),
    ]
    if run.batch is None:
        closed, brought = with_arrays_as_inputs(closed, run.buffers)
        arguments += [Argument(value=array) for array in brought]
    program = program_of(closed)
    recorded = record_program(
        program,
        arguments,
        parameters(run.model),
        framework="keras",
        path_of=scope_reader(run.model),
        is_measured=is_measured,
    )
    return Trace(
        program=program,
        arguments=tuple(arguments),
        recorded=recorded,
        structure=structures[0],
    )


def record(run: Run) -> Graph:
    """Trace the model's forward run and write down what would run."""
    return trace(run, {}, is_measured=False).recorded.graph


def is_array(leaf: Any) -> bool:
    """Say whether a leaf of a batch or an output is a tensor."""
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def measure(run: Run, values: Mapping[str, np.ndarray]) -> Measurement:
    """Run forward and backward at these values."""
    traced = trace(run, values, is_measured=True)

    def objective(outputs: Sequence[Any]) -> Any:
        with run.at({}):
            return run.loss(packed(traced.structure, outputs))

    found = measuring.measure(
        traced.program, traced.arguments, traced.recorded, objective
    )
    return Measurement(
        graph=traced.recorded.graph,
        sites=found.sites,
        loss=found.objective if run.has_loss else None,
        outputs=to_numpy(found.outputs[0]).astype(np.float64),
        gradients=only_trainable(found.gradients, trainable_paths(run.model)),
        batch_size=batch_size(traced.arguments) or 1,
    )


def gradients(run: Run, tensors: Mapping[str, Any]) -> dict[str, Any | None]:
    """Give the objective's gradient at each parameter; None where none arrives."""

    def objective(*given: Any) -> Any:
        with run.at(dict(zip(tensors, given, strict=True))):
            return run.objective()

    values = list(tensors.values())
    found = Objective.of(jax.make_jaxpr(objective)(*values)).gradients(values)
    return dict(zip(tensors, found, strict=True))


def packed(structure: Any, outputs: Sequence[Any]) -> Any:
    """Give the program's outputs in the nesting of the model's."""
    waiting = iter(outputs)
    return keras.tree.map_structure(
        lambda leaf: next(waiting) if is_array(leaf) else leaf, structure
    )


def calibrate(run: Run, values: Mapping[str, np.ndarray], goals: Goals) -> Calibration:
    """Find the weights' factors."""
    traced = trace(run, values, is_measured=True)
    return calibration.calibrate(
        traced.program, traced.arguments, traced.recorded, goals, values
    )
