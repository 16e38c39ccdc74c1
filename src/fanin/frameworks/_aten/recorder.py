"""Writes every ATen operation of a run into a GraphBuilder.

A ``TorchDispatchMode`` sees each operation after autograd and before the kernel: Python
control flow, functional calls and modules of any kind have gone by then. The recorder
keeps a map from tensors to the builder's values. Operations that work in place give
their tensor a new value; tensors over the same memory are told of it.

    recorder = Recorder(builder)
    for path, tensor in ...: recorder.announce(tensor, builder.parameter(path), path)
    with recorder:
        output = run()
    built = builder.build([recorder.value_of(output)])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fanin.frameworks._aten import layers, pointwise, shaping, summing
from fanin.frameworks._aten.call import Call, is_counted
from fanin.frameworks._aten.memory import overlaps, same_numbers, storage_of
from fanin.graph.draft import Kind, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.frameworks._aten.translate import Translator
    from fanin.graph.builder import GraphBuilder

MOST_SHOWN: Final = 4096
"""Entries up to which a constant's numbers are shown to the builder."""

TRANSLATORS: Mapping[str, Translator] = {
    **pointwise.TRANSLATORS,
    **shaping.TRANSLATORS,
    **summing.TRANSLATORS,
    **layers.TRANSLATORS,
}

READS_ITS_INPUT: Final = frozenset(
    {"bernoulli", "multinomial", "native_dropout", "poisson", "rrelu_with_noise"}
)
"""Random operations whose result depends on a tensor's numbers, not its shape alone."""


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records what runs while it is entered.

    Args:
        builder: gets the primitives.
        place: tells where in the user's code the run is, for each operation.
        leaf: gives the value of a tensor that was not announced and that no operation
            made; by default it is a constant.
        change: is handed each output of a parameter's contraction, with the path of
            the parameter and the bias that is in it, and gives what runs on.

    Attributes:
        calls: for each value that an operation gave, the number of that operation in
            order of execution, and which of its outputs it is.
        n_calls: operations so far. names: of all of them.
        views: for each value that is a parameter, moved or cut: the parameter's path.
    """

    def __init__(
        self,
        builder: GraphBuilder,
        *,
        place: Callable[[], Place] = Place,
        leaf: Callable[[torch.Tensor], int] | None = None,
        change: Callable[[str, torch.Tensor, torch.Tensor | None], torch.Tensor]
        | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.builder = builder
        self.place = place
        self.leaf = leaf or self._constant
        self.change = change
        self.calls: dict[int, tuple[int, int]] = {}
        self.views: dict[int, str] = {}
        self.names: list[str] = []
        self._values: dict[int, tuple[torch.Tensor, int]] = {}
        self._by_storage: dict[int, list[int]] = {}

    @property
    def n_calls(self) -> int:
        """How many operations ran so far: a count."""
        return len(self.names)

    # Tensors and values

    def announce(self, tensor: torch.Tensor, value: int, path: str = "") -> None:
        """Say which value a tensor is; ``path`` if it is a parameter."""
        if id(tensor) not in self._values:
            self._by_storage.setdefault(storage_of(tensor), []).append(id(tensor))
        self._values[id(tensor)] = (tensor, value)
        if path:
            self.views[value] = path

    def value_of(self, tensor: torch.Tensor) -> int:
        """Give the value that a tensor is."""
        if id(tensor) in self._values:
            return self._values[id(tensor)][1]
        value = self._alias_of(tensor)
        if value is None:
            value = self.leaf(tensor)
        self.announce(tensor, value)
        return value

    def _alias_of(self, tensor: torch.Tensor) -> int | None:
        """Find a known tensor that is the same numbers under another Python object."""
        for key in self._by_storage.get(storage_of(tensor), ()):
            known, value = self._values[key]
            if same_numbers(known, tensor):
                return value
        return None

    def _constant(self, tensor: torch.Tensor) -> int:
        shape = tuple(tensor.shape)
        if tensor.is_meta or tensor.numel() > MOST_SHOWN or tensor.is_complex():
            return self.builder.constant(None, shape)
        numbers = tensor.detach().cpu()
        if numbers.is_floating_point():
            numbers = numbers.double()
        return self.builder.constant(numbers.numpy().copy())

    # Operations

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        given = func(*args, **(kwargs or {}))
        call = Call.of(func, args, kwargs or {}, given)
        number = self.n_calls
        if is_counted(call):
            self.names.append(call.full_name)
        if not call.outputs:
            return given
        self.builder.place = self.place()
        values = self._translated(call)
        for place, value in enumerate(values if is_counted(call) else ()):
            self.calls.setdefault(value, (number, place))
        changed = self._changed(call, values[0])
        if changed is not None:
            given = changed
            call = Call.of(func, args, kwargs or {}, given)
        self._take_note(call, values)
        return given

    def _translated(self, call: Call) -> list[int]:
        """Give a value for each output; what no translator speaks of is opaque."""
        translate = TRANSLATORS.get(call.name)
        if translate is None and pointwise.is_pointwise(call):
            translate = pointwise.translate
        values = list(translate(self, call)) if translate else []
        for output in call.outputs[len(values) :]:
            values.append(self._unknown(call, tuple(output.shape)))
        return values

    def _unknown(self, call: Call, shape: tuple[int, ...]) -> int:
        is_random = call.has_tag(torch.Tag.nondeterministic_seeded)
        if is_random and (call.written or call.name not in READS_ITS_INPUT):
            return self.builder.random(call.full_name, shape)
        inputs = [self.value_of(tensor) for tensor in call.tensors]
        kinds = {self.builder.drafts[value].kind for value in inputs}
        if is_random and kinds <= {Kind.CONSTANT}:  # a mask of one rate
            return self.builder.random(call.full_name, shape)
        if not inputs:
            return self._made(call, shape)
        return self.builder.opaque(call.full_name, inputs, shape)

    def _made(self, call: Call, shape: tuple[int, ...]) -> int:
        """A tensor made of numbers alone (zeros, arange): its numbers, made again."""
        output = call.outputs[0]
        is_empty = "empty" in call.name
        if is_empty or output.numel() > MOST_SHOWN or output.is_complex():
            return self.builder.constant(None, shape)
        if not output.is_meta:
            return self._constant(output)
        arguments = {
            name: torch.device("cpu") if name == "device" else value
            for name, value in call.arguments.items()
        }
        return self._constant(call.func(**arguments))

    def _changed(self, call: Call, value: int) -> torch.Tensor | None:
        """Let the first output of a contraction with a parameter be changed."""
        if self.change is None or call.written or call.name not in summing.TRANSLATORS:
            return None
        path = self._weight_path(value)
        if path is None:
            return None
        return self.change(path, call.outputs[0], summing.bias_of(call))

    def _weight_path(self, value: int) -> str | None:
        """Give the parameter that a product was made with; a sum may have followed."""
        draft = self.builder.drafts[value]
        while draft.kind is Kind.POINTWISE:
            draft = self.builder.drafts[draft.inputs[0]]
        if draft.kind not in {Kind.CONTRACT, Kind.CONVOLVE, Kind.LOOKUP}:
            return None
        paths = [self.views[i] for i in draft.inputs if i in self.views]
        first = self.builder.drafts[draft.inputs[0]]
        if not paths and first.kind is Kind.CONTRACT and first.name == draft.name:
            paths = [self.views[i] for i in first.inputs if i in self.views]
        return paths[0] if len(paths) == 1 else None

    def _take_note(self, call: Call, values: Sequence[int]) -> None:
        if call.written:
            for tensor, value in zip(call.written, values, strict=False):
                self._overwrite(tensor, value, call.full_name)
        for output, value in zip(call.outputs, values, strict=False):
            if not any(output is tensor for tensor in call.written):
                self.announce(output, value)
        self._follow_views(call, values)

    def _follow_views(self, call: Call, values: Sequence[int]) -> None:
        if call.name in shaping.VIEWS:
            path = self.views.get(self.value_of(call.tensors[0]))
            if path is not None:
                self.views.update(dict.fromkeys(values, path))

    def _overwrite(self, tensor: torch.Tensor, value: int, name: str) -> None:
        """Give a tensor a new value, and tell the tensors that share its memory."""
        for key in tuple(self._by_storage.get(storage_of(tensor), ())):
            other, old = self._values[key]
            if other is tensor:
                continue
            if same_numbers(other, tensor):
                self.announce(other, value)
            elif overlaps(other, tensor):
                shape = tuple(other.shape)
                mixed = self.builder.opaque(name, [old, value], shape)
                self.announce(other, mixed)
        self.announce(tensor, value)
