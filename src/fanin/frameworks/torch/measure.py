"""Measure a torch model: statistics of one forward and one backward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import ModelError
from fanin.frameworks._aten.meter import Meter, as_float64
from fanin.frameworks.torch.batch import arguments_of
from fanin.frameworks.torch.loan import borrowed, copies
from fanin.frameworks.torch.objective import first_output, scalar_of
from fanin.frameworks.torch.parameters import as_array
from fanin.frameworks.torch.recording import Portrait, decomposed, recorded
from fanin.frameworks.torch.run import gradients_of, require_trainable, told
from fanin.graph import Measurement, Op
from fanin.graph.statistics import statistics_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.frameworks.torch.batch import Arguments
    from fanin.frameworks.torch.loan import Substitutes
    from fanin.frameworks.torch.recording import Recording
    from fanin.graph import SiteStatistics, Task


def measure(
    model: Any, task: Task, values: Mapping[str, np.ndarray] | None = None
) -> Measurement:
    """Run forward and backward once, and keep statistics of every node.

    The model runs once before, with the same noise, to learn which operations matter;
    then each statistic is taken as its tensor appears. The model, its gradients, its
    buffers and all random state are left as they were.

    Args:
        model: a module with memory.
        task: the batch and the objective.
        values: parameter values by path; those not named are the model's own.

    Raises:
        NoStorageError: if a parameter has no memory.
        NothingToTrainError: if no parameter is trainable.
        BatchError, ModelError: if the model cannot be run, or runs differently twice.

    >>> import torch
    >>> from fanin.graph import Task
    >>> net = torch.nn.Linear(2, 1, bias=False)
    >>> task = Task(batch=np.array([[3.0, 4.0]]), loss=lambda y, _: y.sum())
    >>> found = measure(net, task, {"weight": np.array([[1.0, 0.5]])})
    >>> found.sites[1].mean, found.sites[1].gradient_second_moment, found.loss
    (5.0, 1.0, 5.0)
    """
    substitutes = copies(model, values)
    require_trainable(model)
    arguments = arguments_of(model, task)
    portrait = Portrait.of(model)
    with borrowed(model, substitutes, task.seed), told(model, arguments):
        recording = recorded(model, arguments.copied(), substitutes, portrait)
    meter = Meter(recording.graph.nodes, recording.sites)
    try:
        with borrowed(model, substitutes, task.seed), told(model, arguments):
            given = arguments.copied()
            with decomposed(model), meter:
                output = given.run(model)
            _require_same(recording, meter)
            scalar = scalar_of(task, output)
            gradients = gradients_of(scalar, substitutes)
    finally:
        meter.let_go()
    return Measurement(
        graph=recording.graph,
        sites=meter.found | _given_sites(recording, substitutes),
        loss=float(scalar.detach()) if task.has_loss else None,
        outputs=as_float64(first_output(output)),
        gradients={
            path: None if gradient is None else as_array(path, gradient)
            for path, gradient in gradients.items()
        },
        batch_size=_batch_size(arguments, recording),
    )


def _require_same(recording: Recording, meter: Meter) -> None:
    """Refuse a model that did something else the second time.

    Raises:
        ModelError: it names the first operation that differs.
    """
    if recording.names == tuple(meter.names):
        return
    pairs = enumerate(zip(recording.names, meter.names, strict=False))
    number = next((i for i, (a, b) in pairs if a != b), len(meter.names))
    what = (
        f"The model runs differently each time: operation {number} is "
        f"{_at(recording.names, number)} first, then "
        f"{_at(tuple(meter.names), number)}, "
        "on the same batch, parameters and seed. Make its forward pass depend on "
        "nothing else."
    )
    raise ModelError(what)


def _at(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else "nothing"


def _given_sites(
    recording: Recording, substitutes: Substitutes
) -> dict[int, SiteStatistics]:
    """Measure what no operation gave: the batch, and parameters used as values."""
    found: dict[int, SiteStatistics] = {}
    for node in recording.graph.nodes:
        tensor = recording.given.get(node.id)
        if node.op is Op.PARAMETER and node.path in substitutes:
            tensor = substitutes[node.path]
        if tensor is None or node.id in recording.sites:
            continue
        numbers = as_float64(tensor)
        if numbers.size == np.prod(node.shape):
            found[node.id] = statistics_of(
                numbers.reshape(node.shape),
                unit_axis=node.unit_axis,
                batch_axis=node.batch_axis,
                dtype=str(tensor.dtype).removeprefix("torch."),
            )
    return found


def _batch_size(arguments: Arguments, recording: Recording) -> int:
    if arguments.call is None:
        return arguments.batch_size or 1
    return next((len(tensor) for tensor in recording.given.values()), 1)
