"""Keras on TensorFlow: the model's forward run as a traced graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from fanin.frameworks._tfgraph import calibrate as calibration
from fanin.frameworks._tfgraph import measure as measuring
from fanin.frameworks._tfgraph.record import Argument, batch_size
from fanin.frameworks._tfgraph.record import record as record_program
from fanin.frameworks._tfgraph.trace import trace as trace_function
from fanin.frameworks._tfgraph.unfold import program_of
from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.parameters import parameters
from fanin.frameworks.keras.place import places
from fanin.frameworks.keras.trainable import only_trainable, trainable_paths
from fanin.graph import Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.steps import Program
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
    held = run.tensors(values)
    tensors = {path: tf.convert_to_tensor(tensor) for path, tensor in held.items()}
    paths = list(tensors)
    leaves = [leaf for leaf in keras.tree.flatten(run.batch) if tf.is_tensor(leaf)]
    structures: list[Any] = []

    def forward(*given: Any) -> list[Any]:
        with run.at(dict(zip(paths, given, strict=False))):
            outputs = run.with_leaves(given[len(paths) :]).outputs()
        structures.append(outputs)
        return [leaf for leaf in keras.tree.flatten(outputs) if tf.is_tensor(leaf)]

    traced = trace_function(forward, [*tensors.values(), *leaves], places(run.model))
    arguments = [
        *(Argument(path=path, value=tensors[path]) for path in paths),
        *(Argument(value=leaf) for leaf in leaves),
    ]
    if run.batch is None:
        traced, brought = traced.with_arrays_as_inputs()
        arguments += [Argument(value=tensor) for tensor in brought]
    program = program_of(traced)
    recorded = record_program(
        program,
        arguments,
        parameters(run.model),
        framework="keras",
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


def measure(run: Run, values: Mapping[str, np.ndarray]) -> Measurement:
    """Run forward and backward at these values."""
    traced = trace(run, values, is_measured=True)

    def objective(outputs: Sequence[Any]) -> Any:
        with run.at({}):
            return run.loss(packed(traced.structure, outputs))

    found = measuring.measure(
        traced.program, traced.arguments, traced.recorded, objective
    )
    arrived = found.gradients
    if traced.program.has_own_derivatives:
        arrived = gradients(run, run.tensors(values))
    return Measurement(
        graph=traced.recorded.graph,
        sites=found.sites,
        loss=found.objective if run.has_loss else None,
        outputs=to_numpy(found.outputs[0]).astype(np.float64),
        gradients=only_trainable(arrived, trainable_paths(run.model)),
        batch_size=batch_size(traced.arguments) or 1,
    )


def packed(structure: Any, outputs: Sequence[Any]) -> Any:
    """Give the program's outputs in the nesting of the model's."""
    waiting = iter(outputs)
    return keras.tree.map_structure(
        lambda leaf: next(waiting) if tf.is_tensor(leaf) else leaf, structure
    )


def gradients(run: Run, tensors: Mapping[str, Any]) -> dict[str, Any | None]:
    """Give the objective's gradient at each parameter; None where none arrives."""
    leaves = {path: tf.identity(tensor) for path, tensor in tensors.items()}
    with tf.GradientTape() as tape:
        for tensor in leaves.values():
            tape.watch(tensor)
        with run.at(leaves):
            loss = run.objective()
    found = tape.gradient(loss, leaves)
    return {
        path: None if gradient is None else tf.convert_to_tensor(gradient)
        for path, gradient in found.items()
    }


def calibrate(run: Run, values: Mapping[str, np.ndarray], goals: Goals) -> Calibration:
    """Find the weights' factors."""
    traced = trace(run, values, is_measured=True)
    return calibration.calibrate(
        traced.program, traced.arguments, traced.recorded, goals, values
    )
