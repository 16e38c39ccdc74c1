"""Watch the first optimizer steps of a torch loop without changing a bit of it.

Hooks of two kinds: around every ``Optimizer.step`` in the process (so that a wrapped
optimizer, a scaler or a scheduler is no obstacle), and after the forward pass of
modules without children. Numbers are only read. What runs inside ``torch.compile`` is
left alone: a hook there would be compiled in, and could change the result. Of a weight
that is spread over processes, each watches its own shard and asks no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from fanin.frameworks.torch.parameters import is_lazy, trainable
from fanin.frameworks.torch.sharded import local_of
from fanin.frameworks.torch.sizes import sampled, size_of, spread_of
from fanin.frameworks.torch.twins import equal_rows, innocent, what_became
from fanin.frameworks.torch.wrapped import held_by, module_paths
from fanin.graph.trace import Moved, Signal, StepRow

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

    from fanin.frameworks.torch.twins import EqualRows
    from fanin.graph.trace import Twins

MOST_SITES: Final = 512
"""Modules whose outputs are measured; of more, as many spread evenly."""

OnStep = Callable[[StepRow], None]


@dataclass(kw_only=True)
class Recorder:
    """Hooks on a model and on optimizers, while it is open.

    on_step: takes each row. budget: bytes for copies of weights; above it a sample of
    each is followed. on_fault: told what went wrong in a hook; the loop goes on.
    """

    model: Any
    on_step: OnStep
    on_fault: Callable[[Exception], None]
    budget: int
    loss: list[float] = field(default_factory=list)
    head: frozenset[str] = frozenset()
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    is_sampling: bool = False
    _handles: list[RemovableHandle] = field(default_factory=list)
    _signals: dict[str, Signal] = field(default_factory=dict)
    _before: dict[str, torch.Tensor] = field(default_factory=dict)
    _gradients: dict[str, float] = field(default_factory=dict)
    _equal: dict[str, EqualRows] = field(default_factory=dict)

    def open(self) -> None:
        """Set the hooks."""
        self.tensors = {
            path: tensor
            for path, tensor in trainable(self.model)
            if not is_lazy(tensor)
        }
        self.head = innocent(self.model, self.tensors)
        here = {path: local_of(tensor) for path, tensor in self.tensors.items()}
        found = {path: equal_rows(tensor) for path, tensor in here.items()}
        self._equal = {path: rows for path, rows in found.items() if rows is not None}
        total = sum(tensor.nbytes for tensor in here.values())
        self.is_sampling = total > self.budget
        try:
            self._handles += [
                register_optimizer_step_pre_hook(self._before_step),
                register_optimizer_step_post_hook(self._after_step),
            ]
            for path, module in sites(self.model).items():
                hook = self._measuring(path)
                self._handles.append(module.register_forward_hook(hook))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take all hooks away, and let the copies go."""
        while self._handles:
            self._handles.pop().remove()
        self._before.clear()

    @property
    def is_open(self) -> bool:
        """Say whether the hooks are set."""
        return bool(self._handles)

    def twins(self) -> dict[str, Twins]:
        """Say what became of rows that were equal when the hooks were set."""
        return {
            path: what_became(rows, local_of(self.tensors[path]))
            for path, rows in self._equal.items()
        }

    def _measuring(self, path: str) -> Callable[[Any, Any, Any], None]:
        def after_forward(module: Any, given: Any, output: Any) -> None:  # noqa: ARG001 (torch's signature)
            if torch.compiler.is_compiling() or not torch.is_grad_enabled():
                return
            if path not in self._signals:
                self._guarded(self._measure, path, output)

        return after_forward

    def _measure(self, path: str, output: Any) -> None:
        tensor = _first_tensor(output)
        if tensor is not None:
            number = size_of(tensor), spread_of(tensor)
            self._signals[path] = Signal(*number)

    def _before_step(self, optimizer: Optimizer, *_: Any) -> None:
        if not torch.compiler.is_compiling():
            self._guarded(self._look, optimizer)

    def _after_step(self, optimizer: Optimizer, *_: Any) -> None:
        if not torch.compiler.is_compiling():
            self._guarded(self._compare, optimizer)

    def _guarded(self, do: Callable[..., None], *arguments: Any) -> None:
        """Do it; a fault of ours ends the watching and never the training."""
        try:
            with torch.no_grad():
                do(*arguments)
        except Exception as error:
            self.close()
            self.on_fault(error)

    def _look(self, optimizer: Optimizer) -> None:
        """Copy what this optimizer is about to step, and read its gradients."""
        self._before.clear()
        self._gradients.clear()
        scale = getattr(optimizer, "grad_scale", None)  # a fused one unscales by itself
        factor = 1.0 if scale is None else 1.0 / float(scale)
        for path, tensor in self._of(optimizer).items():
            if tensor.grad is not None:
                self._gradients[path] = factor * size_of(local_of(tensor.grad))
            here = sampled(local_of(tensor), is_all=not self.is_sampling)
            self._before[path] = here.clone()

    def _compare(self, optimizer: Optimizer) -> None:
        """Compare with the copies, and hand on the row."""
        found_inf = getattr(optimizer, "found_inf", None)
        was_skipped = found_inf is not None and bool(found_inf)
        if not self._before or was_skipped:
            return
        moved = {path: self._moved(path) for path in self._before}
        rates = [group["lr"] for group in optimizer.param_groups if "lr" in group]
        row = StepRow(
            loss=sum(self.loss) / len(self.loss) if self.loss else float("nan"),
            rate=max(map(float, rates), default=float("nan")),
            moved=moved,
            signals=dict(self._signals),
        )
        self.loss.clear()
        self._signals.clear()
        self._before.clear()
        self.on_step(row)

    def _moved(self, path: str) -> Moved:
        tensor, before = self.tensors[path], self._before[path]
        after = sampled(local_of(tensor), is_all=not self.is_sampling)
        lost = float("nan")
        gradient = None if tensor.grad is None else local_of(tensor.grad)
        if gradient is not None and gradient.layout is torch.strided:
            has_gradient = sampled(gradient, is_all=not self.is_sampling) != 0
            n_left = (has_gradient & (after == before)).sum()
            lost = float(n_left) / max(int(has_gradient.sum()), 1)
        return Moved(
            gradient=self._gradients.get(path, float("nan")),
            weight=size_of(before),
            update=size_of(after, minus=before),
            lost=lost,
        )

    def _of(self, optimizer: Optimizer) -> dict[str, torch.Tensor]:
        stepped = {id(p) for group in optimizer.param_groups for p in group["params"]}
        return {path: t for path, t in self.tensors.items() if id(t) in stepped}


def sites(model: Any) -> dict[str, torch.nn.Module]:
    """Give the modules without children whose outputs can be measured, by path.

    What is compiled, and all that is in it, is left out.

    >>> list(sites(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())))
    ['0', '1']
    """
    paths = module_paths(model)
    modules = dict(model.named_modules())
    compiled = [raw for raw, module in modules.items() if is_compiled(module)]
    found = {
        paths[raw] or type(module).__name__: module
        for raw, module in modules.items()
        if next(module.children(), None) is None
        and not any(_is_in(raw, outer) for outer in compiled)
    }
    stride = -(-len(found) // MOST_SITES) or 1
    return dict(list(found.items())[::stride])


def is_compiled(module: torch.nn.Module) -> bool:
    """Say whether a module runs as compiled code, by ``torch.compile`` or its own."""
    has_own = module._compiled_call_impl is not None  # noqa: SLF001 (set by .compile())
    is_script = isinstance(module, torch.jit.ScriptModule)
    return has_own or is_script or held_by(module) == "_orig_mod"


def _is_in(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith(f"{outer}.")


def _first_tensor(output: Any) -> torch.Tensor | None:
    """Give the first tensor of real numbers that is not one of a transformation."""
    if isinstance(output, (tuple, list)):
        return next((t for t in map(_first_tensor, output) if t is not None), None)
    is_real = isinstance(output, torch.Tensor) and output.is_floating_point()
    if not is_real or output.layout is not torch.strided or output.numel() == 0:
        return None
    is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor(output)  # noqa: SLF001
    return None if is_wrapped else output
