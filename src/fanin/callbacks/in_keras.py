"""KerasCallback: before and in the first steps of a Keras fit, on any backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.callbacks.action import Action, summary_of
from fanin.errors import MissingDependencyError
from fanin.watching import Watch, watch
from fanin.watching.start import Example, at_start

try:
    import keras
except ImportError as error:
    package, purpose = "keras", "fanin.callbacks.KerasCallback"
    raise MissingDependencyError.of(package, purpose, package) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.rules import Finding, Report


class KerasCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Check the model when a fit begins, then watch the first steps.

    With a batch it is a whole `fanin.check`, whose report holds the histograms of
    every layer; without one the rules about weights alone are asked. Of the steps,
    updates and the loss are seen: Keras shows a callback no gradients. A few numbers
    go into the logs of an epoch, for History and TensorBoard.

    start: the report before the first step; None until then.
    """

    def __init__(  # noqa: PLR0913 (what is checked, and what is done about it)
        self,
        batch: object = None,
        loss: str | Callable[[Any, Any], Any] | None = None,
        target: object = None,
        *,
        action: str = "warn",
        steps: int = 50,
        fail_on: str = "warning",
        allow: Sequence[str] = (),
        **check_arguments: Any,
    ) -> None:
        """Make it.

        Args:
            batch: an example of what the model is fitted to; None: weights alone.
            loss: of the check.
            target: of the check.
            action: "warn", "raise" (LearningError) or "stop" (warn, and end the fit).
            steps: steps that are watched.
            fail_on: the least severity that is acted on.
            allow: as of `fanin.testing.assert_init_ok`.
            check_arguments: further arguments of `fanin.check`.

        Raises:
            ArgumentError, UnknownNameError: if a word is not known.
        """
        super().__init__()
        self.action = Action.of(action, fail_on, allow)
        self.steps = steps
        self.example = Example(
            batch=batch, loss=loss, target=target, words=check_arguments
        )
        self.start: Report | None = None
        self.watch: Watch | None = None
        self._told: list[Finding] = []
        self._mean = 0.0
        self._n_batches = 0
        self._is_done = False

    @property
    def report(self) -> Report | None:
        """Give what is known by now: of the steps, else of the start."""
        if self.watch is not None and self.watch.n_steps:
            return self.watch.report
        return self.start

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Check, then remember the weights."""
        if self.watch is not None:  # a second fit goes on from the first
            return
        model = self.model
        words = self.example.words
        self.start = at_start(model, self.example)
        self._act(self.start, "the model before training")
        chosen = {name: words[name] for name in ("select", "ignore") if name in words}
        self.watch = watch(model, None, self.steps, **chosen)
        self.watch.open()
        # What is known of the start explains what the steps show.
        self.watch.start = self.start

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin the mean of the losses anew, as Keras does."""
        self._mean, self._n_batches = 0.0, 0

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Compare the weights with those before the step."""
        if self._is_done or self.watch is None:
            return
        _ = self.model  # on JAX this brings the weights of the running step
        self.watch.step(loss=self._loss_of((logs or {}).get("loss")))
        if self.watch.n_steps == self.steps:
            self._end()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put a few numbers of the latest step into the epoch's logs."""
        if logs is not None and self.watch is not None and self.watch.n_steps:
            logs.update(summary_of(self.watch.trace, self.watch.n_steps - 1))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Act on what was seen, if training was shorter than what is watched."""
        if not self._is_done:
            self._end()

    def _end(self) -> None:
        self._is_done = True
        if self.watch is not None:
            self.watch.close()
            if self.watch.n_steps:
                what = f"the first {self.watch.n_steps} steps"
                self._act(self.watch.report, what)

    def _loss_of(self, mean: Any) -> float | None:
        """Give the loss of one batch: Keras logs the mean since the epoch began."""
        if mean is None:
            return None
        self._n_batches += 1
        before, self._mean = self._mean, float(mean)
        return self._n_batches * self._mean - (self._n_batches - 1) * before

    def _act(self, report: Report, what: str) -> None:
        def stop() -> None:
            self.model.stop_training = True

        self._told += self.action.take(report, what=what, stop=stop, known=self._told)
