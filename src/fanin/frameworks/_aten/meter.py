"""Takes statistics of chosen operations while a model runs, and keeps no tensor."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.frameworks._aten.call import full_name_of, is_counted_name, tensors_in
from fanin.frameworks._aten.guard import Guard
from fanin.frameworks._aten.mode import Mode
from fanin.frameworks._aten.sizes import mean_square, site_of
from fanin.graph import Op

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import torch
    from torch.utils.hooks import RemovableHandle

    from fanin.graph import Node, SiteStatistics

PASSING: Final = frozenset(
    {"aten._to_copy", "aten.lift_fresh", "aten.clone", "aten.copy"}
)
"""What a run on shapes alone may do more than one on numbers: it moves no number."""


class DiffersError(BaseException):
    """The run is not the one that was recorded; not to be caught by the model."""

    @classmethod
    def of(cls, number: int, expected: Sequence[str], ran: str) -> DiffersError:
        """Build the message: the first operation that differs."""
        first = expected[number] if number < len(expected) else "nothing"
        return cls(
            f"The model runs differently each time: operation {number} is {first} "
            f"first, then {ran}, on the same batch, parameters and seed. Make its "
            "forward pass depend on nothing else."
        )


class Meter(Mode):
    """Follows a run along a recording of it, and measures what gave a node.

    The output of an operation gets its place in the autograd graph when the operation
    is done. So at the next one a hook is laid on it, through which the gradient of the
    whole node passes once, on the way back.

    Args:
        nodes: of a recording of the same run.
        sites: by node id, the operation that gave it, and which of its outputs.
        names: of the recording's operations. The run must do the same; only what moves
            no number may be missing from it.
        guard: is told of every operation.

    Attributes:
        found: by node id, the statistics; gradients are filled in on the way back.
        names: of all operations that ran.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        sites: Mapping[int, tuple[int, int]],
        names: Sequence[str],
        guard: Guard | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: dict[int, SiteStatistics] = {}
        self.names: list[str] = []
        self._expected = names
        self._at = 0
        self._guard = guard or Guard()
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
        keywords = kwargs or {}
        self._guard.before(func, args, keywords)
        if self._waiting:
            self._lay_hooks()
        given = func(*args, **keywords)
        self._guard.after(func, given)
        name = full_name_of(func)
        if not is_counted_name(name):
            return given
        self.names.append(name)
        wanted = self._wanted.get(self._follow(name))
        if wanted:
            outputs = tuple(tensors_in(given))
            for place, node in wanted:
                if place < len(outputs):
                    self.see(outputs[place], node)
        return given

    def _follow(self, name: str) -> int:
        """Give the number in the recording of the operation that ran.

        Raises:
            DiffersError: if the recording has another one here.
        """
        expected = self._expected
        while self._at < len(expected):
            number, self._at = self._at, self._at + 1
            if expected[number] == name:
                return number
            if expected[number] not in PASSING or number in self._wanted:
                raise DiffersError.of(number, expected, name)
        raise DiffersError.of(len(expected), expected, name)

    def require_all(self) -> None:
        """Refuse a run that ended before the recording did.

        Raises:
            DiffersError: if an operation of the recording did not run.
        """
        for number in range(self._at, len(self._expected)):
            if self._expected[number] not in PASSING:
                raise DiffersError.of(number, self._expected, "nothing")

    def see(self, tensor: torch.Tensor, node: Node) -> None:
        """Take the statistics of a node's output, and wait for its gradient."""
        if tuple(tensor.shape) != node.shape or tensor.numel() == 0:
            return
        with np.errstate(all="ignore"):
            self.found[node.id] = site_of(
                tensor,
                unit_axis=node.unit_axis,
                batch_axis=node.batch_axis,
                is_view=node.op is Op.REARRANGE,
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
                square = mean_square(gradient)
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
