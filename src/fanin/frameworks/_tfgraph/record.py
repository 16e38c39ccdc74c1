"""From a TensorFlow program and the meaning of its inputs to a Graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.frameworks._tfgraph import (
    choosing,
    lists,
    resizing,
    shaping,
    slicing,
    summing,
    windowed,
)
from fanin.frameworks._tfgraph.interpret import interpret
from fanin.frameworks._tfgraph.recorder import Recorder
from fanin.frameworks.program import Recorded
from fanin.graph.builder import GraphBuilder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.frameworks._tfgraph.steps import Program
    from fanin.graph import Parameter

MOST_SHOWN = 4096
"""Entries up to which a parameter's numbers are shown to the builder (a slope)."""

TRANSLATORS = {
    **choosing.TRANSLATORS,
    **resizing.TRANSLATORS,
    **lists.TRANSLATORS,
    **shaping.TRANSLATORS,
    **slicing.TRANSLATORS,
    **summing.TRANSLATORS,
    **windowed.TRANSLATORS,
}


@dataclass(frozen=True, kw_only=True)
class Argument:
    """What one input of the program is.

    path: of a parameter, "" for a tensor of the batch. value: its eager tensor.
    """

    path: str = ""
    value: Any


def record(
    program: Program,
    arguments: Sequence[Argument],
    parameters: Sequence[Parameter],
    *,
    framework: str,
    is_measured: bool = False,
) -> Recorded:
    """Write down what a program does.

    Args:
        program: the steps, from `unfold.program_of`.
        arguments: what each of its inputs is.
        parameters: all of the model's, used or not.
        framework: the graph's ``framework``.
        is_measured: whether the program runs on real numbers behind this.
    """
    builder = GraphBuilder(
        framework=framework,
        parameters=parameters,
        batch_size=batch_size(arguments),
        is_measured=is_measured,
    )
    program = _with_known_shapes(program, arguments)
    recorder = Recorder(builder, TRANSLATORS, program.dtypes)
    for value, argument in zip(program.inputs, arguments, strict=True):
        _announce(recorder, value, argument)
    for step in program.steps:
        recorder.take(step)
    ends = tuple(recorder.draft(output) for output in program.outputs)
    built = builder.build(ends)
    return Recorded.of(built, recorder.values, recorder.linears)


def batch_size(arguments: Sequence[Argument]) -> int | None:
    """Give the length of the first axis of the batch's first tensor, if it has one."""
    for argument in arguments:
        if not argument.path and argument.value.shape.rank:
            return int(argument.value.shape[0])
    return None


def _announce(recorder: Recorder, value: int, argument: Argument) -> None:
    builder = recorder.builder
    shape = tuple(int(n) for n in argument.value.shape)
    if argument.path:
        shown = None
        if np.prod(shape) <= MOST_SHOWN:
            shown = np.asarray(argument.value.numpy(), dtype=np.float64)
        draft = builder.parameter(argument.path, shown)
        recorder.views[draft] = argument.path
    else:
        dtype = argument.value.dtype
        numbers = None
        if dtype.is_floating:
            numbers = np.asarray(argument.value.numpy(), dtype=np.float64)
        is_index = bool(dtype.is_integer)
        draft = builder.input(shape, is_index=is_index, numbers=numbers)
    recorder.drafts[value] = draft
    recorder.values.setdefault(draft, value)


def _with_known_shapes(program: Program, arguments: Sequence[Argument]) -> Program:
    """Fill in the lengths that depend on numbers, from one run on the real ones."""
    if all(None not in shape for step in program.steps for shape in step.shapes):
        return program
    shapes: dict[int, tuple[int, ...]] = {}

    def note(value: int, tensor: Any) -> Any:
        shapes[value] = tuple(int(n) for n in tensor.shape)
        return tensor

    interpret(program, [argument.value for argument in arguments], note)
    steps = tuple(
        replace(step, shapes=tuple(shapes[value] for value in step.outputs))
        for step in program.steps
    )
    return replace(program, steps=steps)
