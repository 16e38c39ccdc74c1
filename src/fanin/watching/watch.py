"""fanin.watch: what the first steps of a training loop do."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan, nan
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from fanin.api.task import find_framework
from fanin.errors import ArgumentError
from fanin.graph.optimizer import UNKNOWN
from fanin.graph.trace import StepRow, trace_of
from fanin.watching import showing, sinks
from fanin.watching.comparing import arrays_of, moved_between
from fanin.watching.judging import judged
from fanin.watching.ledger import Ledger
from fanin.watching.start import at_start
from fanin.watching.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import numpy as np

    from fanin.frameworks.framework import Framework
    from fanin.graph import Parameter
    from fanin.graph.optimizer import OptimizerFacts
    from fanin.graph.trace import Trace, Twins
    from fanin.rules import Report
    from fanin.watching.start import Example

Value = TypeVar("Value")


class Recorder(Protocol):
    """What sees the steps of one framework."""

    def open(self) -> None:
        """Begin."""
        ...

    def close(self) -> None:
        """End; it may be called again."""
        ...

    def twins(self) -> dict[str, Twins]:
        """Say what became of rows that were equal at the start."""
        ...

    @property
    def is_open(self) -> bool:
        """Say whether the hooks are set."""
        ...

    @property
    def head(self) -> frozenset[str]:
        """Give the weights in which equal rows are no fault."""
        ...


class Watch:
    """A context in which the first optimizer steps are written down; see `watch`.

    start: what was found before the first step; None until it is entered.
    """

    def __init__(
        self,
        model: object,
        optimizer: object,
        *,
        steps: int,
        budget: int,
        example: Example,
    ) -> None:
        self.start: Report | None = None
        self._model = model
        self._optimizer = optimizer
        self._example = example
        self._budget = budget
        self._framework: Framework = find_framework(model)
        self._ledger = Ledger(most=steps)
        self._losses: list[float] = []
        self._remarks: list[str] = []
        self._facts: OptimizerFacts | None = None
        self._parameters: tuple[Parameter, ...] = ()
        self._recorder: Recorder | None = None
        self._before: dict[str, np.ndarray] | None = None
        self._twins: dict[str, Twins] = {}

    def __enter__(self) -> Self:
        """Begin; see `open`."""
        return self.open()

    def open(self) -> Self:
        """Check the start, then set the hooks; for a loop that has no ``with``.

        Raises:
            ModelError, BatchError, ArgumentError: as `fanin.check`; no hook is left.
        """
        framework = self._framework
        self.start = at_start(self._model, self._example, self._optimizer)
        if self._optimizer is not None:
            self._facts = framework.optimizer_facts(self._model, self._optimizer)
        listed = framework.parameters(self._model)
        self._parameters = tuple(p for p in listed if p.is_trainable)
        if framework.NAME == "torch":
            self._recorder = self._recording()
            self._recorder.open()
        else:
            self._before = arrays_of(self._model)
        return self

    def _recording(self) -> Recorder:
        from fanin.frameworks.torch.watching import Recorder as TorchRecorder

        return TorchRecorder(
            model=self._model,
            on_step=self._take,
            on_fault=self._note,
            budget=self._budget,
            loss=self._losses,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take every hook away, also when the loop raised."""
        self.close()

    def close(self) -> None:
        """End the watching now; what was seen stays."""
        self._before = None
        if self._recorder is not None and self._recorder.is_open:
            try:
                self._twins = self._recorder.twins()
            finally:
                self._recorder.close()

    @property
    def n_steps(self) -> int:
        """Give the count of steps seen so far."""
        return len(self._ledger.rows)

    def loss(self, value: Value) -> Value:
        """Take note of a loss, and give it back as it came.

        With gradient accumulation the losses since the last step are averaged.
        """
        if self.n_steps < self._ledger.most:
            number = float(_detached(value))
            # NaN stands for "not told" in a trace.
            self._losses.append(inf if isnan(number) else number)
        return value

    def step(
        self,
        model: object = None,
        *,
        loss: object = None,
        gradients: object = None,
    ) -> None:
        """Say that a step is done, in a loop of Keras or JAX.

        Args:
            model: as it is now; None if it is the same object (Keras, NNX).
            loss: of the step.
            gradients: by path, or nested as the parameters are; None if not at hand.

        Raises:
            ArgumentError: in torch, where steps are seen by themselves.
        """
        if self._framework.NAME == "torch":
            raise ArgumentError.of(
                argument="step",
                received="a model of torch",
                expected="left out: optimizer steps are seen by themselves",
            )
        if self._before is None:
            return
        if loss is not None:
            self.loss(loss)
        after = arrays_of(self._model if model is None else model)
        slopes = {} if gradients is None else arrays_of(gradients)
        told = self._losses
        row = StepRow(
            loss=sum(told) / len(told) if told else nan,
            moved=moved_between(self._before, after, slopes),
        )
        told.clear()
        self._before = after
        self._take(row)

    def _take(self, row: StepRow) -> None:
        if not self._ledger.add(row):
            self.close()

    def _note(self, error: Exception) -> None:
        self._remarks.append(
            f"Watching ended after {self.n_steps} steps: {type(error).__name__}: "
            f"{error}. The loop was not disturbed."
        )

    @property
    def trace(self) -> Trace:
        """Give the numbers of every step so far."""
        facts, recorder = self._facts, self._recorder
        is_live = recorder is not None and recorder.is_open
        paths = tuple(p.path for p in self._parameters)
        return replace(
            trace_of(self._ledger.rows, paths=paths),
            shapes={p.path: p.shape for p in self._parameters},
            unstepped=() if facts is None else facts.unstepped,
            twins=recorder.twins() if recorder and is_live else self._twins,
            head=frozenset() if recorder is None else recorder.head,
            family=UNKNOWN if facts is None else facts.family,
            eps=0.0 if facts is None else facts.eps,
            remarks=tuple(self._remarks),
        )

    @property
    def report(self) -> Report:
        """Give the findings of the start and of the steps so far."""
        watched = Watched(trace=self.trace, broken=self._ledger.broken)
        return judged(watched, self.start)

    def __str__(self) -> str:
        """Give the report, and a line for each parameter."""
        return showing.text(self.report, self.trace)

    def _repr_html_(self) -> str:
        """Give the report for a notebook: findings, curves, numbers."""
        return showing.html(self.report, self.trace)

    def to_frame(self) -> Any:  # noqa: ANN401 (pandas' DataFrame)
        """Give a ``pandas.DataFrame``: a row for each step and parameter.

        Raises:
            MissingDependencyError: if pandas is not installed.
        """
        return showing.frame(self.trace)

    def log(self, writer: Any, *, prefix: str = "fanin") -> None:  # noqa: ANN401
        """Write every step to a logger: TensorBoard's writer, a wandb run, MLflow.

        Args:
            writer: with ``add_scalar(name, value, step)``, ``log(dict, step=…)`` or
                ``log_metrics(dict, step=…)``.
            prefix: of the names.

        Raises:
            ArgumentError: if it has none of the three.
        """
        sinks.log(self.trace, writer, prefix=prefix)


def _detached(value: Any) -> Any:  # noqa: ANN401 (a loss is a number or a tensor)
    detach: Callable[[], Any] | None = getattr(value, "detach", None)
    return value if detach is None else detach()
