"""Keras on torch: the model's forward run as the operations that torch saw."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import torch

from fanin.errors import ModelError
from fanin.frameworks._aten.meter import DiffersError, Meter
from fanin.frameworks._aten.product import Tuner
from fanin.frameworks._aten.recorder import MOST_SHOWN, Recorder
from fanin.frameworks._aten.sizes import as_float64
from fanin.frameworks.keras.objective import first_output
from fanin.frameworks.keras.parameters import parameters
from fanin.frameworks.keras.place import places
from fanin.frameworks.keras.trainable import (
    gradients_of,
    only_trainable,
    trainable_paths,
)
from fanin.frameworks.settle import settle
from fanin.graph import Measurement, Op
from fanin.graph.builder import GraphBuilder
from fanin.graph.statistics import statistics_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np

    from fanin.frameworks._aten.product import Product
    from fanin.frameworks.calibration import Goals, Seen, Trial
    from fanin.frameworks.keras.run import Run
    from fanin.graph import Graph, SiteStatistics
    from fanin.graph.calibration import Calibration

    Change = Callable[[Product], torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One forward run: the graph, where its nodes ran, and what came out.

    sites: by node id, the operation (number in order, which of its outputs). given:
    by node id, the tensors of the batch. names: of all operations, in order.
    """

    graph: Graph
    sites: Mapping[int, tuple[int, int]]
    given: Mapping[int, torch.Tensor]
    names: tuple[str, ...]


def record(run: Run) -> Graph:
    """Run the model forward once and write down what ran.

    Keras puts its own tensors in the place of symbolic ones, so that the parameters
    could not be followed on shapes alone; the model runs on its numbers.
    """
    return recorded(run, run.tensors({}), is_measured=False).graph


def recorded(
    run: Run,
    tensors: Mapping[str, torch.Tensor],
    *,
    is_measured: bool,
    change: Change | None = None,
) -> Recording:
    """Run the model forward once at these values, with the recorder on."""
    leaves = [t for t in keras.tree.flatten(run.batch) if isinstance(t, torch.Tensor)]
    builder = GraphBuilder(
        framework="keras",
        parameters=parameters(run.model),
        batch_size=len(leaves[0]) if leaves and leaves[0].ndim else None,
        is_measured=is_measured,
    )
    recorder = Recorder(builder, place=places(run.model), change=change)
    for path, tensor in tensors.items():
        numbers = _shown(tensor)
        recorder.announce(tensor, builder.parameter(path, numbers))
    inputs: dict[int, torch.Tensor] = {}

    def add_input(tensor: torch.Tensor) -> int:
        is_index = not tensor.is_floating_point()
        numbers = None if is_index else as_float64(tensor)
        shape = tuple(tensor.shape)
        value = builder.input(shape, is_index=is_index, numbers=numbers)
        inputs[value] = tensor
        return value

    for leaf in leaves:
        recorder.announce(leaf, add_input(leaf))
    if run.batch is None:
        recorder.leaf = _brought_along(recorder.leaf, add_input, run.buffers)
    with run.at(tensors), unfused(), recorder:
        outputs = run.outputs()
    ends = [t for t in keras.tree.flatten(outputs) if isinstance(t, torch.Tensor)]
    built = builder.build([recorder.value_of(end) for end in ends])
    calls = recorder.calls
    return Recording(
        graph=built.graph,
        sites={n: calls[v] for n, v in built.sites.items() if v in calls},
        given={n: inputs[v] for n, v in built.sites.items() if v in inputs},
        names=tuple(recorder.names),
    )


def _brought_along(
    as_constant: Callable[[torch.Tensor], int],
    as_input: Callable[[torch.Tensor], int],
    buffers: Sequence[torch.Tensor],
) -> Callable[[torch.Tensor], int]:
    """Take an array that the caller's own function brings along for its batch."""
    held = {buffer.data_ptr() for buffer in buffers}

    def leaf(tensor: torch.Tensor) -> int:
        if tensor.numel() == 1 or tensor.data_ptr() in held:
            return as_constant(tensor)
        return as_input(tensor)

    return leaf


def measure(run: Run, values: Mapping[str, np.ndarray]) -> Measurement:
    """Run forward twice, to learn which operations matter and to measure them.

    Raises:
        ModelError: if the model does something else the second time.
    """
    held = run.tensors(values)
    tensors = {path: t.detach().clone().requires_grad_() for path, t in held.items()}
    with torch.enable_grad():
        recording = recorded(run, tensors, is_measured=True)
    meter = Meter(recording.graph.nodes, recording.sites, recording.names)
    try:
        with torch.enable_grad(), run.at(tensors):
            with unfused(), meter:
                outputs = run.outputs()
            meter.require_all()
            loss = run.loss(outputs)
        gradients = gradients_of(loss, tensors)
    except DiffersError as why:
        raise ModelError(str(why)) from None
    finally:
        meter.let_go()
    first = next(iter(recording.given.values()), None)
    return Measurement(
        graph=recording.graph,
        sites=meter.found | _given_sites(recording, tensors),
        loss=float(loss.detach()) if run.has_loss else None,
        outputs=as_float64(first_output(outputs)),
        gradients=only_trainable(gradients, trainable_paths(run.model)),
        batch_size=1 if first is None else len(first),
    )


def gradients(run: Run, tensors: Mapping[str, torch.Tensor]) -> dict[str, Any | None]:
    """Give the objective's gradient at each parameter; None where none arrives."""
    leaves = {path: t.detach().requires_grad_() for path, t in tensors.items()}
    with torch.enable_grad(), run.at(leaves):
        return gradients_of(run.objective(), leaves)


def _given_sites(
    recording: Recording, tensors: Mapping[str, torch.Tensor]
) -> dict[int, SiteStatistics]:
    """Measure what no operation gave: the batch, and parameters used as values."""
    found: dict[int, SiteStatistics] = {}
    for node in recording.graph.nodes:
        tensor = recording.given.get(node.id)
        if node.op is Op.PARAMETER and node.id not in recording.sites:
            tensor = tensors.get(node.path)
        if tensor is None or tensor.numel() != math.prod(node.shape):
            continue
        found[node.id] = statistics_of(
            as_float64(tensor).reshape(node.shape),
            unit_axis=node.unit_axis,
            batch_axis=node.batch_axis,
            dtype=str(tensor.dtype).removeprefix("torch."),
        )
    return found


def calibrate(run: Run, values: Mapping[str, np.ndarray], goals: Goals) -> Calibration:
    """Find the weights' factors."""

    def pass_once(trial: Trial) -> Seen:
        tensors = {path: t.detach().clone() for path, t in run.tensors(values).items()}
        for path, factor in trial.values.items():
            tensors[path].mul_(factor)
        tuner = Tuner(goals, trial, tensors)
        with torch.no_grad():
            graph = recorded(run, tensors, is_measured=True, change=tuner).graph
        return tuner.seen.ended(graph)

    return settle(pass_once, values)


@contextmanager
def unfused() -> Iterator[None]:
    """Let attention run as the operations that it consists of."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        yield


def _shown(tensor: torch.Tensor) -> np.ndarray | None:
    """Give a small parameter's numbers: a PReLU's slope is part of its function."""
    if tensor.numel() > MOST_SHOWN:
        return None
    numbers: np.ndarray = tensor.detach().to("cpu", torch.float64).numpy().copy()
    return numbers
