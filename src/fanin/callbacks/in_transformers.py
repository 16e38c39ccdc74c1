"""HFCallback: before and in the first steps of a transformers Trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.callbacks.action import Action
from fanin.errors import MissingDependencyError
from fanin.watching import Watch, watch, weights_only
from fanin.watching.start import Example, at_start

try:
    import torch
    from transformers import TrainerCallback
except ImportError as error:
    package, purpose = "transformers", "fanin.callbacks.HFCallback"
    raise MissingDependencyError.of(package, purpose, "trainer") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.rules import Finding, Report


class HFCallback(TrainerCallback):
    """Check the weights when a Trainer is made, a batch before the first step.

    Then the steps are watched. The loop is left as it is, bit for bit. Only the main
    process speaks.

    start: what the weights show; first: what the batch shows; None until known.
    """

    def __init__(
        self,
        batch: Mapping[str, Any] | None = None,
        *,
        action: str = "warn",
        steps: int = 50,
        fail_on: str = "warning",
        allow: Sequence[str] = (),
        objective: Callable[[Any], Any] | None = None,
        **check_arguments: Any,
    ) -> None:
        """Make it.

        Args:
            batch: as the model takes it, with its labels, on the model's device; None:
                only the weights are judged before the first step.
            action: "warn", "raise" (LearningError) or "stop" (warn, and end training).
            steps: optimizer steps that are watched.
            fail_on: the least severity that is acted on.
            allow: as of `fanin.testing.assert_init_ok`.
            objective: callable(model) → scalar; None: the loss that the model gives of
                the batch, if there are labels in it.
            check_arguments: further arguments of `fanin.check`.

        Raises:
            ArgumentError, UnknownNameError: if a word is not known.
        """
        self.action = Action.of(action, fail_on, allow)
        self.steps = steps
        self.example = _example(batch, objective, check_arguments)
        names = ("select", "ignore")
        self.chosen = {n: check_arguments[n] for n in names if n in check_arguments}
        self.start: Report | None = None
        self.first: Report | None = None
        self.watch: Watch | None = None
        self._told: list[Finding] = []
        self._hook: Any = None

    @property
    def report(self) -> Report | None:
        """Give what is known by now: of the steps, else of the batch or the weights."""
        if self.watch is not None and self.watch.n_steps:
            return self.watch.report
        return self.first or self.start

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Judge the weights alone, before anything wraps or shards them."""
        if state.is_world_process_zero and kwargs.get("model") is not None:
            self.start = weights_only(kwargs["model"], **self.chosen)
            self._act(self.start, control, "the weights before training")

    def on_train_begin(
        self, args: Any, state: Any, control: Any, **kwargs: Any
    ) -> None:
        """Check on the batch, then begin to watch."""
        is_first = self.watch is None and state.global_step == 0
        if not is_first or not state.is_world_process_zero:
            return
        model = kwargs["model"]
        if self.example.is_given:
            self.first = at_start(model, self.example)
            self._act(self.first, control, "the batch before training")
        self.watch = watch(model, _bare(kwargs.get("optimizer")), self.steps)
        self.watch.open()
        # What is known of the start explains what the steps show.
        self.watch.start = self.first or self.start
        self._hook = model.register_forward_hook(self._tell_loss)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Act once enough steps were seen."""
        if self.watch is not None and self.watch.n_steps >= self.steps:
            self._end(control)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Act on what was seen, if training was shorter than what is watched."""
        self._end(control)

    def close(self) -> None:
        """Take the hooks away now; a Trainer that raised does not say that it did."""
        if self.watch is not None:
            self.watch.close()
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _end(self, control: Any) -> None:
        if self._hook is None or self.watch is None:
            return
        self.close()
        if self.watch.n_steps:
            what = f"the first {self.watch.n_steps} steps"
            self._act(self.watch.report, control, what)

    def _tell_loss(self, module: Any, given: Any, output: Any) -> None:
        if torch.compiler.is_compiling() or not torch.is_grad_enabled():
            return
        loss = getattr(output, "loss", None)
        if self.watch is not None and loss is not None:
            self.watch.loss(loss)

    def _act(self, report: Report, control: Any, what: str) -> None:
        def stop() -> None:
            control.should_training_stop = True

        self._told += self.action.take(report, what=what, stop=stop, known=self._told)


def _example(
    batch: Mapping[str, Any] | None,
    objective: Callable[[Any], Any] | None,
    words: Mapping[str, Any],
) -> Example:
    """Give what the check is run on: an objective where a loss can be had."""
    if objective is None and batch is not None and "labels" in batch:
        given = dict(batch)
        objective = _loss_on(given)
    if objective is not None:
        return Example(words={**words, "objective": objective})
    return Example(batch=None if batch is None else dict(batch), words=words)


def _loss_on(batch: Mapping[str, Any]) -> Callable[[Any], Any]:
    return lambda model: model(**batch).loss


def _bare(optimizer: Any) -> Any:
    """Give the optimizer inside accelerate's."""
    return getattr(optimizer, "optimizer", optimizer)
