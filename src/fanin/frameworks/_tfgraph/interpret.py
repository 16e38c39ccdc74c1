"""Runs a program step by step, with a look at chosen values as they appear."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fanin.frameworks._tfgraph.steps import Constant, values_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.frameworks._tfgraph.steps import Program, Source


def interpret(
    program: Program, arguments: Sequence[Any], watch: Callable[[int, Any], Any]
) -> list[Any]:
    """Run the program on eager tensors and give its outputs.

    A value is let go of as soon as the last step that reads it has run.

    Args:
        program: the steps.
        arguments: one tensor for each of ``program.inputs``.
        watch: called with id and tensor of every value as it appears; what it
            returns goes on in the value's place.
    """
    readers = Counter(s for step in program.steps for s in values_in(step.inputs))
    readers.update(values_in(program.outputs))
    values: dict[int, Any] = {}

    def read(source: Source) -> Any:
        return source.value if isinstance(source, Constant) else values[source]

    for value, argument in zip(program.inputs, arguments, strict=True):
        values[value] = watch(value, argument)
    for step in program.steps:
        made = step.run(*map(read, step.inputs))
        for value, tensor in zip(step.outputs, made, strict=True):
            values[value] = watch(value, tensor)
        for value in values_in(step.inputs):
            readers[value] -= 1
            if readers[value] == 0:
                del values[value]
    return [read(output) for output in program.outputs]
