"""Measure a torch model: statistics of one forward and one backward pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import InternalError, ModelError
from fanin.frameworks._aten.guard import Guarded
from fanin.frameworks._aten.meter import DiffersError, Meter
from fanin.frameworks._aten.sizes import as_float64, site_of
from fanin.frameworks.torch.batch import arguments_of
from fanin.frameworks.torch.loan import borrowed, lending
from fanin.frameworks.torch.objective import first_output, scalar_of
from fanin.frameworks.torch.record import on_shapes
from fanin.frameworks.torch.recording import Portrait, decomposed, recorded
from fanin.frameworks.torch.run import gradients_of, require_trainable, told
from fanin.graph import Measurement, Op

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from fanin.frameworks._aten.guard import Guard
    from fanin.frameworks.framework import Keep
    from fanin.frameworks.torch.batch import Arguments
    from fanin.frameworks.torch.loan import Substitutes
    from fanin.frameworks.torch.recording import Recording
    from fanin.graph import Graph, SiteStatistics, Task

    Backward = Callable[[torch.Tensor, Substitutes], dict[str, np.ndarray | None]]


def measure(
    model: Any,
    task: Task,
    values: Mapping[str, np.ndarray] | None = None,
    keep: Keep | None = None,
) -> Measurement:
    """Run forward and backward once, and keep statistics of every node.

    The model runs before on shapes alone, which costs no memory, to learn which
    operations matter; where it looks at its numbers, on numbers. Then each statistic
    is taken as its tensor appears. The model, its gradients, its buffers and all
    random state are left as they were.

    Args:
        model: a module with memory.
        task: the batch and the objective.
        values: parameter values by path; those not named are the model's own, of which
            no copy is made.
        keep: what is kept of each gradient, as it arrives; None for all of it.

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
    run = Rehearsed.of(model, task, values or {})
    return run.measure(values, keep)


def rehearse(model: Any, task: Task) -> Rehearsed | None:
    """Record a run on shapes alone that several measurements will follow.

    None where the model looks at its numbers, or is run by a function of the caller's:
    then every measurement records a run of its own.

    Raises:
        NothingToTrainError: if no parameter is trainable.
        BatchError, ModelError: if the model cannot be run.

    >>> import torch
    >>> from fanin.graph import Task
    >>> net = torch.nn.Linear(2, 1, bias=False)
    >>> run = rehearse(net, Task(batch=np.array([[3.0, 4.0]])))
    >>> found = [run.forward({"weight": np.full((1, 2), w)}) for w in (1.0, 2.0)]
    >>> [float(each.outputs[0, 0]) for each in found]
    [7.0, 14.0]
    """
    run = Rehearsed.of(model, task, {})
    return None if run.recording is None else run


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """A model, what it is run on, and the run as it went on shapes alone.

    portrait: of the model, at the values that were recorded. recording: None where
    every run is recorded on its own numbers.
    """

    model: Any
    task: Task
    arguments: Arguments
    portrait: Portrait
    recording: Recording | None

    @classmethod
    def of(cls, model: Any, task: Task, values: Mapping[str, np.ndarray]) -> Rehearsed:
        """Record the run; ``values`` as of ``measure``."""
        require_trainable(model)
        arguments = arguments_of(model, task)
        portrait = Portrait.of(model).at(values)
        recording = None
        if arguments.call is None:
            recording = on_shapes(model, task, arguments, portrait)
        return cls(
            model=model,
            task=task,
            arguments=arguments,
            portrait=portrait,
            recording=recording,
        )

    @property
    def graph(self) -> Graph:
        """Give what ran.

        Raises:
            InternalError: where nothing was recorded; ``rehearse`` gives None then.
        """
        if self.recording is None:
            msg = "A run that was not recorded was asked for its graph."
            raise InternalError.of(msg)
        return self.recording.graph

    def measure(
        self,
        values: Mapping[str, np.ndarray] | None = None,
        keep: Keep | None = None,
    ) -> Measurement:
        """Run forward and backward once; see ``measure``."""
        return self._measured(values, partial(gradients_of, keep=keep))

    def forward(self, values: Mapping[str, np.ndarray] | None = None) -> Measurement:
        """Run forward alone: there are no gradients in what is given."""
        return self._measured(values, None)

    def _measured(
        self,
        values: Mapping[str, np.ndarray] | None,
        backward: Backward | None,
    ) -> Measurement:
        run = _Run(
            model=self.model,
            task=self.task,
            arguments=self.arguments,
            portrait=self.portrait.at(values or {}),
            backward=backward,
        )
        found = self.recording
        if found is not None:
            try:
                return lending(
                    self.model, values, lambda own, guard: run.along(found, own, guard)
                )
            except DiffersError:
                pass  # on numbers other operations run: they are recorded on numbers
        return lending(self.model, values, run.twice)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A model and what it is run on; the methods do that with other substitutes.

    backward: gives the gradients of the objective; None for a run forward alone.
    """

    model: Any
    task: Task
    arguments: Arguments
    portrait: Portrait
    backward: Backward | None

    def twice(self, substitutes: Substitutes, guard: Guard) -> Measurement:
        """Record a run on numbers, and measure another.

        Raises:
            ModelError: if the model did something else the second time.
        """
        with (
            borrowed(self.model, substitutes, self.task.seed, guard),
            told(self.model, self.arguments),
        ):
            given = self.arguments.copied()
            guard.own(given.tensors)
            with Guarded(guard):
                recording = recorded(self.model, given, substitutes, self.portrait)
        try:
            return self.along(recording, substitutes, guard)
        except DiffersError as why:
            raise ModelError(str(why)) from None

    def along(
        self, recording: Recording, substitutes: Substitutes, guard: Guard
    ) -> Measurement:
        """Measure a run that does what was recorded.

        Raises:
            DiffersError: if it does something else.
        """
        meter = Meter(recording.graph.nodes, recording.sites, recording.names, guard)
        try:
            with (
                borrowed(self.model, substitutes, self.task.seed, guard),
                told(self.model, self.arguments),
            ):
                given = self.arguments.copied()
                guard.own(given.tensors)
                with decomposed(self.model), meter:
                    output = given.run(self.model)
                meter.require_all()
                scalar = scalar_of(self.task, output)
                outputs = as_float64(first_output(output))
                del output
                back = self.backward
                gradients = {} if back is None else back(scalar, substitutes)
        finally:
            meter.let_go()
        return Measurement(
            graph=replace(recording.graph, is_measured=True),
            sites=meter.found | _given_sites(recording, substitutes),
            loss=float(scalar.detach()) if self.task.has_loss else None,
            outputs=outputs,
            gradients=gradients,
            batch_size=_batch_size(self.arguments, recording),
        )


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
        if tensor.numel() == np.prod(node.shape):
            found[node.id] = site_of(
                tensor.detach().reshape(node.shape),
                unit_axis=node.unit_axis,
                batch_axis=node.batch_axis,
            )
    return found


def _batch_size(arguments: Arguments, recording: Recording) -> int:
    if arguments.call is None:
        return arguments.batch_size or 1
    return next((len(tensor) for tensor in recording.given.values()), 1)
