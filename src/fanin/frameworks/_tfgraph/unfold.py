"""From a TensorFlow graph to steps: every graph within it is laid open in its place.

What neither the arguments nor a draw decides is worked out on the way: shapes, axes,
the number of rounds that a loop makes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from math import prod
from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from fanin.frameworks._tfgraph.control import CALLS, CHOICES, LOOPS, inner_graph
from fanin.frameworks._tfgraph.control import runner as control_runner
from fanin.frameworks._tfgraph.dilated import with_dilated
from fanin.frameworks._tfgraph.operation import attributes_of, runner
from fanin.frameworks._tfgraph.steps import (
    Constant,
    Program,
    Source,
    Step,
    values_in,
)
from fanin.frameworks._tfgraph.trace import constant_of
from fanin.graph.draft import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.frameworks._tfgraph.trace import Traced

LONGEST_LOOP: Final = 64
"""Rounds up to which a loop is unrolled; a longer one is a single opaque step."""

MOST_FOLDED: Final = 1 << 20
"""Entries up to which a value that no argument decides is worked out."""

WITHOUT_VALUE: Final = frozenset({"NoOp", "Assert", "AssignVariableOp"})


def program_of(traced: Traced) -> Program:
    """Lay a traced graph out as steps."""
    unfolding = Unfolding(traced)
    inputs = tuple(unfolding.new(tensor) for tensor in traced.inputs)
    steps, outputs = unfolding.unfold(
        traced.graph, traced.inputs, inputs, traced.outputs
    )
    return Program(
        steps=tuple(with_dilated(_needed(steps, outputs))),
        inputs=inputs,
        outputs=outputs,
        dtypes=unfolding.dtypes,
        has_own_derivatives=unfolding.has_own_derivatives,
    )


def _needed(steps: Sequence[Step], outputs: Sequence[Source]) -> list[Step]:
    """Leave out what no output depends on: TensorFlow would not run it either."""
    wanted = values_in(outputs)
    needed: list[Step] = []
    for step in reversed(steps):
        if wanted.intersection(step.outputs):
            wanted |= values_in(step.inputs)
            needed.append(step)
    return needed[::-1]


def draws(kind: str) -> bool:
    """Say whether an operation of that kind draws random numbers.

    >>> draws("StatelessRandomUniformV2"), draws("MatMul")
    (True, False)
    """
    is_drawn = "Random" in kind or "TruncatedNormal" in kind or "Multinomial" in kind
    return is_drawn and not kind.startswith("StatelessRandomGet")


class Unfolding:
    """Numbers the values and collects the steps of one program."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.ids = count()
        self.dtypes: dict[int, str] = {}
        self.has_own_derivatives = False
        self.around = Place()

    def new(self, tensor: Any) -> int:
        value = next(self.ids)
        self.dtypes[value] = str(tensor.dtype.name)
        return value

    def unfold(
        self,
        graph: Any,
        placeholders: Sequence[Any],
        given: Sequence[Source],
        ends: Sequence[Any],
    ) -> tuple[list[Step], tuple[Source, ...]]:
        """Give the steps of a graph called on these inputs, and its outputs."""
        known: dict[str, Source] = {
            tensor.name: source
            for tensor, source in zip(placeholders, given, strict=True)
        }
        if graph is self.traced.graph:
            captures = self.traced.captures.items()
            known |= {name: Constant(value=tensor) for name, tensor in captures}
        steps: list[Step] = []
        for operation in graph.get_operations():
            names = [tensor.name for tensor in operation.outputs]
            if all(name in known for name in names):
                continue
            inputs = tuple(known[tensor.name] for tensor in operation.inputs)
            made, outputs = self.operation(operation, inputs)
            steps += made
            known |= dict(zip(names, outputs, strict=True))
        return steps, tuple(known[end.name] for end in ends)

    def operation(
        self, operation: Any, inputs: tuple[Source, ...]
    ) -> tuple[list[Step], Sequence[Source]]:
        if operation.type in WITHOUT_VALUE:
            return [], ()
        if operation.type == "Const":
            value = tf.constant(constant_of(operation))
            return [], (Constant(value=value),)
        opened = self.opened(operation, inputs)
        return opened or self.plain(operation, inputs)

    def opened(
        self, operation: Any, inputs: tuple[Source, ...]
    ) -> tuple[list[Step], Sequence[Source]] | None:
        """Lay the graphs that an operation holds open; None if there are none."""
        outer = self.around
        self.around = self.place(operation)
        try:
            if operation.type in CALLS:
                return self.call(operation, "f", inputs)
            if operation.type in LOOPS:
                return self.loop(operation, inputs)
            if operation.type in CHOICES and isinstance(inputs[0], Constant):
                is_taken = bool(tf.cast(inputs[0].value, tf.bool))
                branch = "then_branch" if is_taken else "else_branch"
                return self.call(operation, branch, inputs[1:])
        finally:
            self.around = outer
        return None

    def call(
        self, operation: Any, name: str, inputs: Sequence[Source]
    ) -> tuple[list[Step], tuple[Source, ...]]:
        graph = inner_graph(operation, name)
        return self.unfold(graph, graph.inputs, inputs, graph.outputs)

    def loop(
        self, operation: Any, inputs: tuple[Source, ...]
    ) -> tuple[list[Step], tuple[Source, ...]] | None:
        """Unroll a loop whose condition is known before every round."""
        steps: list[Step] = []
        for _ in range(LONGEST_LOOP + 1):
            _, (goes_on,) = self.call(operation, "cond", inputs)
            if not isinstance(goes_on, Constant):
                return None
            if not bool(goes_on.value):
                return steps, inputs
            made, inputs = self.call(operation, "body", inputs)
            steps += made
        return None

    def plain(
        self, operation: Any, inputs: tuple[Source, ...]
    ) -> tuple[list[Step], Sequence[Source]]:
        """Give one step, or what it gives where no argument decides that."""
        self.has_own_derivatives |= _has_own_derivative(operation)
        step = Step(
            kind=operation.type,
            inputs=inputs,
            outputs=tuple(self.new(tensor) for tensor in operation.outputs),
            shapes=tuple(_shape(tensor) for tensor in operation.outputs),
            dtypes=tuple(str(tensor.dtype.name) for tensor in operation.outputs),
            run=self.runner(operation),
            attributes=attributes_of(operation),
            place=self.place(operation),
        )
        folded = _folded(step)
        return ([step], step.outputs) if folded is None else ([], folded)

    def runner(self, operation: Any) -> Any:
        if operation.type in CALLS | LOOPS | CHOICES:
            return control_runner(operation)
        return runner(operation)

    def place(self, operation: Any) -> Place:
        key = (id(operation.graph), operation.name)
        found = self.traced.places.get(key, Place())
        return replace(
            found,
            path=found.path or self.around.path,
            source=found.source or self.around.source,
        )


def _folded(step: Step) -> tuple[Constant, ...] | None:
    """Work out a step that neither an argument nor a draw decides."""
    if draws(step.kind):
        return None
    sources = [source for source in step.inputs if isinstance(source, Constant)]
    is_small = all(_entries(shape) <= MOST_FOLDED for shape in step.shapes)
    if len(sources) < len(step.inputs) or not is_small:
        return None
    made = step.run(*(source.value for source in sources))
    return tuple(Constant(value=tensor) for tensor in made)


def _entries(shape: Sequence[int | None]) -> int:
    return prod(1 if length is None else length for length in shape)


def _shape(tensor: Any) -> tuple[int, ...]:
    """Give the lengths; one that the trace does not know is None."""
    return tuple(tensor.shape) if tensor.shape.rank is not None else ()


def _has_own_derivative(operation: Any) -> bool:
    return "_gradient_op_type" in operation.node_def.attr
