"""What a framework can do for fanin: a folder of functions that meet one Protocol.

Each folder (``torch/``, ``keras/``) has the same files: ``parameters.py`` (read,
write, seed), ``record.py``, ``measure.py``, ``gradients.py``, ``calibrate.py``,
``example.py``, ``files.py``; ``dense.py`` and ``ensemble.py`` build and train the
nets of a race. No function changes the model except ``write``, which changes it wholly
or not at all.
Modes, gradients, buffers and random state are left exactly as they were found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from fanin.graph import Graph, Measurement, Parameter, Task
    from fanin.graph.calibration import Aim, Calibration
    from fanin.graph.construction import Construction
    from fanin.graph.draws import Draw as Draw
    from fanin.graph.draws import Numbers
    from fanin.graph.holder import Step
    from fanin.graph.holding import Holding
    from fanin.graph.optimizer import OptimizerFacts
    from fanin.graph.rate import Rate
    from fanin.graph.signature import Signature

Keep = Callable[[str, "np.ndarray"], "np.ndarray"]
"""A parameter's path and its gradient → what is kept of it."""


class Rehearsal(Protocol):
    """A run that was recorded, to be measured as often as wanted."""

    @property
    def graph(self) -> Graph:
        """Give what ran, found on shapes alone."""
        ...

    def measure(
        self,
        values: Mapping[str, np.ndarray] | None = None,
        keep: Keep | None = None,
    ) -> Measurement:
        """Run forward and backward once; see ``Framework.measure``."""
        ...

    def forward(self, values: Mapping[str, np.ndarray] | None = None) -> Measurement:
        """Run forward alone: there are no gradients in what is given."""
        ...


class Framework(Protocol):
    """The verbs. A module with these functions is a framework (PEP 544)."""

    NAME: str

    def owns(self, model: Any) -> bool:
        """Say whether the model is of this framework, importing nothing."""
        ...

    def parameters(self, model: Any) -> tuple[Parameter, ...]:
        """List the parameters without running the model; buffers are not listed."""
        ...

    def read(self, model: Any) -> dict[str, np.ndarray]:
        """Copy out the parameters' values, by path.

        Raises:
            NoStorageError: if one has no memory.
        """
        ...

    def view(self, model: Any) -> Mapping[str, np.ndarray]:
        """Give the parameters' values by path to look at: no copy of them is kept.

        Raises:
            NoStorageError: if one has no memory.
        """
        ...

    def holdings(self, model: Any) -> dict[str, tuple[Holding, ...]]:
        """Give the boxes of each parameter that this process holds, to look at.

        Raises:
            NoStorageError: if one has no memory.
        """
        ...

    def buffers(self, model: Any) -> dict[str, np.ndarray]:
        """Copy out what is stored and not trained (running means), by path."""
        ...

    def write(self, model: Any, draws: Mapping[str, Numbers]) -> Any:
        """Write the drawn numbers: all parameters named, or none.

        Args:
            model: changed in place, where it can be.
            draws: by path; a `Draw` writes into the memory of the parameter, a plain
                function of indices by way of an array.

        Returns:
            The model that holds them: the same object, except in JAX.

        Raises:
            UnknownParameterError, NoStorageError, ShapeError: the model is unchanged.
        """
        ...

    def holders(self, model: Any) -> Mapping[str, tuple[Step, ...]]:
        """Give the steps from the model to each parameter, by each of its paths."""
        ...

    def groups(self, model: Any, rates: Mapping[str, Rate]) -> Any:
        """Give each trainable parameter's rate, in the form that optimizers take."""
        ...

    def optimizer_facts(self, model: Any, optimizer: Any) -> OptimizerFacts:
        """Read what an optimizer will do to the parameters; neither is changed.

        Raises:
            ArgumentError: if it is no optimizer of this framework.
        """
        ...

    def seed(self, model: Any) -> int:
        """Take a 63-bit seed from the framework's own global generator."""
        ...

    def record(self, model: Any, task: Task) -> Graph:
        """Run the model once, on shapes alone where possible, and write down what ran.

        Raises:
            ModelError: if the model raises; its own error is the cause.
            BatchError: if the batch does not fit.
        """
        ...

    def rehearse(self, model: Any, task: Task) -> Rehearsal | None:
        """Record a run that several measurements will follow.

        None where each is recorded by itself: a program is traced anew at each, and a
        model that looks at its numbers runs on them.

        Raises:
            NoStorageError, NothingToTrainError, ModelError, BatchError: as ``measure``.
        """
        ...

    def measure(
        self,
        model: Any,
        task: Task,
        values: Mapping[str, np.ndarray] | None = None,
        keep: Keep | None = None,
    ) -> Measurement:
        """Run forward and backward once, at other parameter values if given.

        Args:
            model: it is left as it is.
            task: the batch and the objective.
            values: by path; parameters left out have the model's own values.
            keep: what is kept of each gradient as it arrives; None for all of it.
        """
        ...

    def gradients(
        self,
        model: Any,
        task: Task,
        values: Mapping[str, np.ndarray],
        keep: Keep | None = None,
    ) -> dict[str, np.ndarray | None]:
        """Give the objective's gradients at these parameter values, and no more.

        Args:
            model: it is left as it is.
            task: the batch and the objective.
            values: by path; parameters left out have the model's own values.
            keep: what is kept of each gradient as it arrives; None for all of it.
        """
        ...

    def construct(self, factory: Callable[[], Any]) -> Construction | None:
        """Build a model once more and say who wrote what; None where there is no way.

        Raises:
            ModelError: if the factory raises, or gives no model.
        """
        ...

    def calibrate(
        self,
        model: Any,
        task: Task,
        values: Mapping[str, np.ndarray],
        aims: Mapping[str, Aim],
    ) -> Calibration:
        """Find the factor of each weight in one forward pass.

        The model runs once with ``values``. As a product with a weight appears, its
        output (without the bias) is made what is wanted of it, before the next node
        reads it. Of a weight that is used again it is the second moment pooled over
        its uses that is met, which takes a few passes more
        (``frameworks.settle``).

        Args:
            model: it is left as it is.
            task: its batch is run; loss and target are not read.
            values: the parameters to run with, by path; others are the model's own.
            aims: what an output should be, by the path of its weight, or of the
                parameter that alone sets the weight's size (weight norm).

        Raises:
            SignalError: if an output is always 0, though no weight is 0, or not finite.
            UnknownParameterError: if a path is no parameter's.
        """
        ...

    def input_signatures(self, model: Any) -> Iterator[Signature]:
        """Yield what the model may read, the likeliest first; for a synthetic batch."""
        ...

    def load_weights(self, model: Any, path: str | Path) -> Any:
        """Read a file's numbers into the parameters: all of them, or none.

        Returns:
            The model that holds them: the same object, except in JAX.

        Raises:
            ModelError: if the file cannot be read, or its names are not the model's.
            ShapeError: if an array has not its parameter's shape.
        """
        ...

    def require_format(self, path: str | Path) -> None:
        """Refuse a file whose suffix this framework's weights cannot be written in.

        Raises:
            ArgumentError: it names the suffixes that can.
        """
        ...

    def save(self, model: Any, path: str | Path) -> Path:
        """Write the weights to a file, wholly or not at all.

        Raises:
            ArgumentError, OutputError: nothing is written; an old file is untouched.
        """
        ...
