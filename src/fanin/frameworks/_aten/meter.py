"""Takes statistics of chosen operations while a model runs, and keeps no tensor."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fanin.frameworks._aten.call import Call, is_counted
from fanin.graph.statistics import statistics_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch.utils.hooks import RemovableHandle

    from fanin.graph import Node, SiteStatistics


class Meter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations as the recorder did, and measures those that gave a node.

    The output of an operation gets its place in the autograd graph when the operation
    is done. So at the next one a hook is laid on it, through which the gradient of the
    whole node passes once, on the way back.

    Args:
        nodes: of a recording of the same run.
        sites: by node id, the operation that gave it, and which of its outputs.

    Attributes:
        found: by node id, the statistics; gradients are filled in on the way back.
        names: of all operations that ran.
    """

    def __init__(
        self, nodes: Iterable[Node], sites: Mapping[int, tuple[int, int]]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: dict[int, SiteStatistics] = {}
        self.names: list[str] = []
        self._wanted: dict[int, list[tuple[int, Node]]] = defaultdict(list)
        for node in nodes:
            if node.id in sites:
                number, place = sites[node.id]
                self._wanted[number].append((place, node))
        self._waiting: list[tuple[torch.Tensor, Node]] = []
        self._hooks: list[RemovableHandle] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        self._lay_hooks()
        given = func(*args, **(kwargs or {}))
        call = Call.of(func, args, kwargs or {}, given)
        if not is_counted(call):
            return given
        number = len(self.names)
        self.names.append(call.full_name)
        for place, node in self._wanted.get(number, ()):
            if place < len(call.outputs):
                self.see(call.outputs[place], node)
        return given

    def see(self, tensor: torch.Tensor, node: Node) -> None:
        """Take the statistics of a node's output, and wait for its gradient."""
        numbers = as_float64(tensor)
        if numbers.shape != node.shape or numbers.size == 0:
            return
        with np.errstate(all="ignore"):
            self.found[node.id] = statistics_of(
                numbers,
                unit_axis=node.unit_axis,
                batch_axis=node.batch_axis,
                dtype=str(tensor.dtype).removeprefix("torch."),
            )
        self._waiting.append((tensor, node))

    def _lay_hooks(self) -> None:
        waiting, self._waiting = self._waiting, []
        for tensor, node in waiting:
            if tensor.requires_grad:
                hook = tensor.register_hook(self._hook(node))  # type: ignore[no-untyped-call]
                self._hooks.append(hook)

    def _hook(self, node: Node) -> Any:
        def see_gradient(gradient: torch.Tensor) -> None:
            with np.errstate(all="ignore"):
                square = float(np.square(as_float64(gradient)).mean())
            self.found[node.id] = replace(
                self.found[node.id], gradient_second_moment=square
            )

        return see_gradient

    def __exit__(self, *details: Any) -> None:
        super().__exit__(*details)  # type: ignore[no-untyped-call]
        self._lay_hooks()

    def let_go(self) -> None:
        """Take every hook off, whatever happened."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._waiting.clear()


def as_float64(tensor: torch.Tensor) -> np.ndarray:
    """Copy a tensor's numbers out in float64, where every narrower one is exact."""
    held = tensor.detach()
    held = held.real if held.is_complex() else held
    numbers: np.ndarray = held.to("cpu", torch.float64).numpy()
    return numbers
