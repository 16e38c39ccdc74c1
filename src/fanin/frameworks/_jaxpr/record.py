"""From a JAX program and the meaning of its inputs to a Graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from fanin.frameworks._jaxpr import contracting, selecting, shaping, summing
from fanin.frameworks._jaxpr.entrywise import pointwise
from fanin.frameworks._jaxpr.recorder import Recorder
from fanin.frameworks._jaxpr.sharded import whole_of
from fanin.frameworks.program import Recorded
from fanin.graph.builder import GraphBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fanin.frameworks._jaxpr.steps import Program
    from fanin.graph import Parameter

MOST_SHOWN = 4096
"""Entries up to which a parameter's numbers are shown to the builder (a slope)."""


@dataclass(frozen=True, kw_only=True)
class Argument:
    """What one input of the program is.

    path: of a parameter, "" for a tensor of the batch. value: its numbers, or its
    shape alone. is_stored: neither parameter nor batch, but kept by the model.
    """

    path: str = ""
    value: Any
    is_stored: bool = False


def record(  # noqa: PLR0913 (a recording has that many circumstances)
    program: Program,
    arguments: Sequence[Argument],
    parameters: Sequence[Parameter],
    *,
    framework: str,
    path_of: Callable[[str], str],
    is_training: bool = True,
    is_measured: bool = False,
) -> Recorded:
    """Write down what a program does.

    Args:
        program: the steps, from `unfold.program_of`.
        arguments: what each of its inputs is.
        parameters: all of the model's, used or not.
        framework: the graph's ``framework``.
        path_of: from JAX's name scopes ("net/fc") to the path of a module.
        is_training: the mode that the program was traced in.
        is_measured: whether the program runs on real numbers behind this.
    """
    builder = GraphBuilder(
        framework=framework,
        parameters=parameters,
        batch_size=batch_size(arguments),
        is_training=is_training,
        is_measured=is_measured,
    )
    translators = {
        **contracting.TRANSLATORS,
        **selecting.TRANSLATORS,
        **shaping.TRANSLATORS,
        **summing.TRANSLATORS,
    }
    recorder = Recorder(builder, translators, pointwise, path_of, program.dtypes)
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
        if argument.path or argument.is_stored:
            continue
        if len(argument.value.shape) > 0:
            return int(argument.value.shape[0])
    return None


def _announce(recorder: Recorder, value: int, argument: Argument) -> None:
    builder = recorder.builder
    shape = tuple(int(n) for n in argument.value.shape)
    if argument.path:
        draft = builder.parameter(argument.path, _shown(argument.value))
        recorder.views[draft] = argument.path
    elif argument.is_stored:
        draft = builder.constant(None, shape)
    else:
        is_index = argument.value.dtype.kind in "iu"
        numbers = None if is_index else _numbers(argument.value)
        draft = builder.input(shape, is_index=is_index, numbers=numbers)
    recorder.drafts[value] = draft
    recorder.values.setdefault(draft, value)


def _numbers(value: Any) -> np.ndarray | None:
    """Give the numbers of a tensor of the batch, none of a shape, of keys, of flags."""
    is_real = jax.numpy.issubdtype(value.dtype, jax.numpy.floating)
    if isinstance(value, jax.ShapeDtypeStruct) or not is_real:
        return None
    return whole_of(value).astype(np.float64)


def _shown(value: Any) -> np.ndarray | None:
    """Give the numbers of a small parameter that has some."""
    if isinstance(value, jax.ShapeDtypeStruct) or value.size > MOST_SHOWN:
        return None
    return whole_of(value).astype(np.float64)
