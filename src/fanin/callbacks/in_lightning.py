"""LightningCallback: before and in the first steps of a Lightning fit."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import torch

from fanin.callbacks.action import Action, summary_of
from fanin.errors import MissingDependencyError
from fanin.watching import Watch, watch, weights_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fanin.rules import Finding, Report

NAMES: Final = ("lightning.pytorch", "pytorch_lightning")
"""One framework under two names, whose classes are not the same."""


def base() -> Any:
    """Give the class of callbacks, of each name that is loaded, else of the first.

    Raises:
        MissingDependencyError: if neither is installed.
    """
    loaded = [name for name in NAMES if name in sys.modules]
    known = [n for n in NAMES if importlib.util.find_spec(n.partition(".")[0])]
    names = loaded or known[:1]
    if not names:
        package, purpose = "lightning", "fanin.callbacks.LightningCallback"
        raise MissingDependencyError.of(package, purpose, package)
    kinds = [importlib.import_module(name).Callback for name in names]
    return kinds[0] if len(kinds) == 1 else type("Callback", tuple(kinds), {})


Base: Any = base()


class LightningCallback(Base):  # type: ignore[misc]
    """Check the weights before a fit, a batch before the first step, then the steps.

    The rules about weights are asked in ``setup``, before a strategy shards the model;
    those that need a run at the first batch, on ``training_step`` with its logging
    muted. The loop itself is left as it is, bit for bit. Only rank zero speaks.

    start: what the weights show; first: what the first batch shows; None until known.
    """

    def __init__(
        self,
        *,
        action: str = "warn",
        steps: int = 50,
        fail_on: str = "warning",
        allow: Sequence[str] = (),
        objective: Callable[[Any, Any], Any] | None = None,
        logs: bool = True,
        **check_arguments: Any,
    ) -> None:
        """Make it.

        Args:
            action: "warn", "raise" (LearningError) or "stop" (warn, and end the fit).
            steps: optimizer steps that are watched.
            fail_on: the least severity that is acted on.
            allow: as of `fanin.testing.assert_init_ok`.
            objective: callable(module, batch) → scalar, in place of the module's
                ``training_step``; needed with manual optimization and on several
                devices, where a step by one process alone could wait for the others.
            logs: whether a few numbers a step go to ``pl_module.log``.
            check_arguments: further arguments of `fanin.check`.

        Raises:
            ArgumentError, UnknownNameError: if a word is not known.
        """
        super().__init__()
        self.action = Action.of(action, fail_on, allow)
        self.steps = steps
        self.objective = objective
        self.logs = logs
        self.check_arguments = check_arguments
        self.start: Report | None = None
        self.first: Report | None = None
        self.watch: Watch | None = None
        self._told: list[Finding] = []
        self._n_logged = 0

    @property
    def report(self) -> Report | None:
        """Give what is known by now: of the steps, else of the batch or the weights."""
        if self.watch is not None and self.watch.n_steps:
            return self.watch.report
        return self.first or self.start

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Judge the weights alone."""
        if stage == "fit" and trainer.is_global_zero and not trainer.ckpt_path:
            self.start = weights_only(pl_module, **_chosen(self.check_arguments))
            self._act(self.start, trainer, "the weights before training")

    def on_train_batch_start(
        self,
        trainer: Any,
        pl_module: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Before the first step: check on this batch, then begin to watch."""
        is_first = self.watch is None and trainer.global_step == 0
        if not is_first or not trainer.is_global_zero:
            return
        objective = self._objective_for(trainer, pl_module)
        if objective is not None:
            self.first = self._checked(pl_module, objective, batch, batch_idx)
            self._act(self.first, trainer, "the first batch")
        optimizers = trainer.optimizers
        self.watch = watch(
            pl_module,
            optimizers[0] if len(optimizers) == 1 else None,
            self.steps,
            **_chosen(self.check_arguments),
        )
        self.watch.open()
        # What is known of the start explains what the steps show.
        self.watch.start = self.first or self.start

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Any) -> None:
        """Take note of the loss."""
        if self.watch is not None:
            self.watch.loss(loss)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log the latest step, and act once enough were seen."""
        if self.watch is None:
            return
        n_steps = self.watch.n_steps
        if n_steps == self._n_logged:
            return
        self._n_logged = n_steps
        if self.logs:
            numbers = summary_of(self.watch.trace, n_steps - 1)
            pl_module.log_dict(numbers, rank_zero_only=True)
        if n_steps == self.steps:
            self._end(trainer)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Act on what was seen, if training was shorter than what is watched."""
        if self._n_logged < self.steps:
            self._end(trainer)

    def on_exception(self, trainer: Any, pl_module: Any, exception: Any) -> None:
        """Take the hooks away."""
        self._close()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Take the hooks away, whatever happened."""
        self._close()

    def _close(self) -> None:
        if self.watch is not None:
            self.watch.close()

    def _end(self, trainer: Any) -> None:
        if self.watch is not None:
            self.watch.close()
            if self.watch.n_steps:
                what = f"the first {self.watch.n_steps} steps"
                self._act(self.watch.report, trainer, what)

    def _act(self, report: Report, trainer: Any, what: str) -> None:
        def stop() -> None:
            trainer.should_stop = True

        self._told += self.action.take(report, what=what, stop=stop, known=self._told)

    def _objective_for(
        self,
        trainer: Any,
        module: Any,
    ) -> Callable[[Any, Any, int], Any] | None:
        """Give what makes a loss of a batch; None where that could do harm."""
        given = self.objective
        if given is not None:
            return lambda module, batch, _: given(module, batch)
        if trainer.world_size > 1 or not module.automatic_optimization:
            return None
        return _training_step

    def _checked(
        self,
        module: Any,
        objective: Callable[[Any, Any, int], Any],
        batch: Any,
        batch_idx: int,
    ) -> Report:
        from fanin.api.checking import check

        with muted(module):
            return check(
                module,
                objective=lambda it: objective(it, batch, batch_idx),
                **self.check_arguments,
            )


def _training_step(module: Any, batch: Any, batch_idx: int) -> Any:
    output = module.training_step(batch, batch_idx)
    return output["loss"] if isinstance(output, dict) else output


def _chosen(words: dict[str, Any]) -> dict[str, Any]:
    """Keep of a check's arguments those that choose rules."""
    return {name: words[name] for name in ("select", "ignore") if name in words}


@contextmanager
def muted(module: Any) -> Iterator[None]:
    """Let a module run as in training and leave no trace: no logs, no metrics.

    What a step writes on modules (a metric's sums, a counter) is put back.
    """
    before = [_Kept(vars(part)) for part in module.modules()]
    module.log = module.log_dict = _say_nothing
    try:
        yield
    finally:
        for kept in before:
            kept.put_back()


def _say_nothing(*_: Any, **__: Any) -> None:
    pass


class _Kept:
    """Attributes of one module, with the contents of tensors and lists among them.

    What holds parameters, buffers and parts is left to the check, which puts it back.
    """

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.attributes = attributes
        self.before = dict(attributes)
        self.contents = {name: _copy(value) for name, value in attributes.items()}

    def put_back(self) -> None:
        for name in self.attributes.keys() - self.before.keys():
            del self.attributes[name]
        self.attributes.update(self.before)
        for name, content in self.contents.items():
            held = self.before[name]
            if isinstance(content, torch.Tensor):
                with torch.no_grad():
                    held.copy_(content)
            elif content is not None:
                held[:] = content


def _copy(value: Any) -> Any:
    """Copy what a step may change in place; None for all else."""
    if type(value) is torch.Tensor and not value.requires_grad:
        return value.clone()
    return list(value) if type(value) is list else None
