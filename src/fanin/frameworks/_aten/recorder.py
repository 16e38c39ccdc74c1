"""Writes every ATen operation of a run into a GraphBuilder.

A ``TorchDispatchMode`` sees each operation after autograd and before the kernel: Python
control flow, functional calls and modules of any kind have gone by then. The recorder
keeps a map from tensors to the builder's values. Operations that work in place give
their tensor a new value; tensors over the same memory are told of it.

    recorder = Recorder(builder)
    for path, tensor in ...: recorder.announce(tensor, builder.parameter(path))
    with recorder:
        output = run()
    built = builder.build([recorder.value_of(output)])
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fanin.frameworks._aten import (
    layers,
    placing,
    pointwise,
    pooling,
    selecting,
    shaping,
    summing,
)
from fanin.frameworks._aten.arrays import Arrays
from fanin.frameworks._aten.call import Call, is_counted
from fanin.frameworks._aten.known import MOST_KNOWN, Known
from fanin.frameworks._aten.ledger import Ledger
from fanin.frameworks._aten.mode import Mode
from fanin.frameworks._aten.product import Product
from fanin.frameworks._aten.stillness import Stillness, is_whole
from fanin.graph.degree import USES, DegreesOf
from fanin.graph.draft import Kind, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from fanin.frameworks._aten.translate import Translator
    from fanin.graph.builder import GraphBuilder
    from fanin.graph.degree import Degrees
    from fanin.graph.draft import Draft

MOST_SHOWN: Final = 4096
"""Entries up to which a parameter's numbers are shown to the builder."""

TRANSLATORS: Mapping[str, Translator] = {
    **pointwise.TRANSLATORS,
    **shaping.TRANSLATORS,
    **pooling.TRANSLATORS,
    **summing.TRANSLATORS,
    **layers.TRANSLATORS,
    **selecting.TRANSLATORS,
    **placing.TRANSLATORS,
}

READS_ITS_INPUT: Final = frozenset(
    {"bernoulli", "multinomial", "native_dropout", "poisson", "rrelu_with_noise"}
)
"""Random operations whose result depends on a tensor's numbers, not its shape alone."""


class Recorder(Mode):
    """Records what runs while it is entered.

    Args:
        builder: gets the primitives.
        place: tells where in the user's code the run is, for each operation.
        leaf: gives the value of a tensor that was not announced and that no operation
            made; by default it is a constant.
        change: is handed each output of a contraction with parameters, and gives what
            runs on.

    Attributes:
        calls: for each value that an operation gave, the number of that operation in
            order of execution, and which of its outputs it is.
        n_calls: operations so far. names: of all of them.
    """

    def __init__(
        self,
        builder: GraphBuilder,
        *,
        place: Callable[[], Place] = Place,
        leaf: Callable[[torch.Tensor], int] | None = None,
        change: Callable[[Product], torch.Tensor] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.builder = builder
        self.place = place
        self.known = Known()
        self._arrays = Arrays()
        self._ledger = Ledger(builder, leaf or self._constant)
        self._stillness = Stillness(builder)
        self.change = change
        self._degrees = DegreesOf(builder.drafts)
        self.calls: dict[int, tuple[int, int]] = {}
        self.names: list[str] = []

    @property
    def n_calls(self) -> int:
        """How many operations ran so far: a count."""
        return len(self.names)

    # Tensors and values

    @property
    def leaf(self) -> Callable[[torch.Tensor], int]:
        """What gives the value of a tensor of which nothing is known."""
        return self._ledger.leaf

    @leaf.setter
    def leaf(self, leaf: Callable[[torch.Tensor], int]) -> None:
        self._ledger.leaf = leaf

    def announce(
        self,
        tensor: torch.Tensor,
        value: int,
        numbers: torch.Tensor | None = None,
    ) -> None:
        """Say which value a tensor is.

        numbers: of a meta tensor, where they are known.
        """
        self._ledger.announce(tensor, value)
        if numbers is not None:
            self.known.tell(tensor, numbers)

    def value_of(self, tensor: torch.Tensor) -> int:
        """Give the value that a tensor is."""
        return self._ledger.value_of(tensor)

    def is_still(self, value: int) -> bool:
        """Say whether a value depends on neither batch nor parameters."""
        return self._stillness.is_still(value)

    def numbers(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """Give a tensor's numbers where they are known, on the meta device too."""
        return self.known.numbers(tensor)

    def _constant(self, tensor: torch.Tensor) -> int:
        """Add a value that depends on nothing, with its numbers where known."""
        numbers = self.known.numbers(tensor)
        is_shown = tensor.numel() <= MOST_KNOWN and not tensor.is_complex()
        if numbers is None or not is_shown:
            return self.builder.constant(None, tuple(tensor.shape))
        return self.builder.constant(self._arrays.of(numbers))

    # Operations

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        del types
        keywords = kwargs or {}
        given = self.known.run(func, args, keywords)
        call = Call.of(func, args, keywords, given)
        number = self.n_calls
        if is_counted(call):
            self.names.append(call.full_name)
        if not call.outputs:
            return given
        if call.name in shaping.VIEWS and self._ledger.is_unsettled(call.tensors[0]):
            self._view_later(call)
            return given
        self.builder.place = self.place()
        values = self._translated(call)
        for place, value in enumerate(values if is_counted(call) else ()):
            self.calls.setdefault(value, (number, place))
        changed = self._changed(call, values[0])
        if changed is not None:
            given = changed
            call = Call.of(func, args, keywords, given)
        self._take_note(call, values)
        return given

    def _view_later(self, call: Call) -> None:
        """Translate a view of a tensor that is being filled when someone reads it."""
        translate = TRANSLATORS[call.name]
        for place, output in enumerate(call.outputs):
            later = partial(self._view_now, translate, call, place)
            self._ledger.announce_later(output, later)

    def _view_now(self, translate: Translator, call: Call, place: int) -> int:
        value = self._ledger.part_of(call.tensors[0], call.outputs[place])
        return translate(self, call)[place] if value is None else value

    def _translated(self, call: Call) -> list[int]:
        """Give a value for each output; what no translator speaks of is opaque."""
        read = [self.value_of(tensor) for tensor in call.read]
        is_pointwise = pointwise.is_pointwise(call)
        if self._is_folded(call, read, is_pointwise=is_pointwise):
            return [self._constant(output) for output in call.outputs]
        translate = TRANSLATORS.get(call.name)
        if translate is None and is_pointwise:
            translate = pointwise.translate
        values = list(translate(self, call)) if translate else []
        for output in call.outputs[len(values) :]:
            values.append(self._unknown(call, output))
        self._stillness.note(call, read, values)
        if "empty" in call.name:
            self._ledger.blanks.update(values)
        return values

    def _is_folded(
        self, call: Call, read: Sequence[int], *, is_pointwise: bool
    ) -> bool:
        """Say whether the outputs are constants, to be written down as such."""
        if not read or call.is_random:
            return False
        if self._stillness.counts(call, read, is_pointwise=is_pointwise):
            return True
        is_known = all(
            output.numel() <= MOST_KNOWN and self.known.numbers(output) is not None
            for output in call.outputs
        )
        is_spread = call.name == "expand" or call.name.startswith(
            ("empty", "new_empty")
        )
        is_kept = is_spread or call.name in _SAME
        return is_known and not is_kept and all(map(self.is_still, read))

    def _unknown(self, call: Call, output: torch.Tensor) -> int:
        shape = tuple(output.shape)
        is_random = call.is_random
        if is_random and (call.written or call.name not in READS_ITS_INPUT):
            return self.builder.random(call.full_name, shape)
        inputs = [self.value_of(tensor) for tensor in call.tensors]
        kinds = {self.builder.drafts[value].kind for value in inputs}
        if is_random and kinds <= {Kind.CONSTANT}:  # a mask of one rate
            return self.builder.random(call.full_name, shape)
        if not inputs:
            return self._made(call, output)
        if is_whole(output):  # an index or a count, whatever it was found from
            return self.builder.constant(None, shape)
        return self.builder.opaque(call.full_name, inputs, shape)

    def _made(self, call: Call, output: torch.Tensor) -> int:
        """A tensor made of numbers alone (zeros, arange)."""
        if "empty" in call.name:
            return self.builder.constant(None, tuple(output.shape))
        return self._constant(output)

    def _changed(self, call: Call, value: int) -> torch.Tensor | None:
        """Let the first output of a contraction with a parameter be changed."""
        if self.change is None or call.written or call.name not in summing.TRANSLATORS:
            return None
        draft, degrees = self._weight_in(value)
        if draft is None or degrees is None:
            return None
        product = Product(
            degrees=degrees,
            output=call.outputs[0],
            bias=summing.bias_of(call),
            unit_axis=1 if draft.kind is Kind.CONVOLVE else -1,
        )
        return self.change(product)

    def _weight_in(self, value: int) -> tuple[Draft | None, Degrees | None]:
        """Give a product and the parameters in it; a sum may have followed."""
        draft = self.builder.drafts[value]
        while draft.kind is Kind.POINTWISE:
            draft = self.builder.drafts[draft.inputs[0]]
        if draft.kind not in USES:
            return None, None
        degrees = self._degrees.weight_in(draft)
        first = self.builder.drafts[draft.inputs[0]]
        if not degrees and first.kind is Kind.CONTRACT and first.name == draft.name:
            degrees = self._degrees.weight_in(first)
        return draft, degrees

    def _take_note(self, call: Call, values: Sequence[int]) -> None:
        for tensor, value in zip(call.written, values, strict=False):
            self._ledger.overwrite(tensor, value, call.full_name)
        for output, value in zip(call.outputs, values, strict=False):
            if not any(output is tensor for tensor in call.written):
                self.announce(output, value)


_SAME: Final = frozenset({"alias", "detach", "lift", "lift_fresh"})
