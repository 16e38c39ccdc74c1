"""Runs a program step by step, with a look at chosen values as they appear."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fanin.frameworks._jaxpr.steps import Constant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from fanin.frameworks._jaxpr.steps import Program, Source, Step


def interpret(
    program: Program,
    arguments: Sequence[Any],
    watch: Callable[[int, Any], Any],
    watched: Collection[int],
) -> list[Any]:
    """Run the program and give its outputs.

    Works on arrays and under any transformation of JAX, so that gradients can be taken
    through it. A value is let go of as soon as the last step that reads it has run.

    Args:
        program: the steps.
        arguments: one array for each of ``program.inputs``.
        watch: called with id and value of every watched value as it appears; what it
            returns goes on in the value's place. Values inside a function with a
            derivative of its own are shown, and what comes back for them is dropped.
        watched: ids to show.
    """
    return _Run(program, arguments, watch, frozenset(watched)).outputs()


class _Run:
    def __init__(
        self,
        program: Program,
        arguments: Sequence[Any],
        watch: Callable[[int, Any], Any],
        watched: frozenset[int],
    ) -> None:
        self.program = program
        self.watch = watch
        self.watched = watched
        self.values: dict[int, Any] = {}
        self.readers = Counter(
            source
            for step in program.steps
            for source in step.inputs
            if isinstance(source, int)
        )
        self.readers.update(o for o in program.outputs if isinstance(o, int))
        for value, argument in zip(program.inputs, arguments, strict=True):
            self.give(value, argument)

    def outputs(self) -> list[Any]:
        for step in self.program.steps:
            self.run(step)
        return [self.read(output) for output in self.program.outputs]

    def run(self, step: Step) -> None:
        arguments = [self.read(source) for source in step.inputs]
        self.look_inside(step, arguments)
        for value, result in zip(step.outputs, step.run(*arguments), strict=True):
            self.give(value, result)
        for source in step.inputs:
            if isinstance(source, int):
                self.let_go(source)

    def give(self, value: int, result: Any) -> None:
        if value in self.watched:
            result = self.watch(value, result)
        self.values[value] = result

    def read(self, source: Source) -> Any:
        return source.value if isinstance(source, Constant) else self.values[source]

    def let_go(self, value: int) -> None:
        self.readers[value] -= 1
        if self.readers[value] == 0:
            del self.values[value]

    def look_inside(self, step: Step, arguments: Sequence[Any]) -> None:
        """Run the inner steps apart where one of their own values is watched."""
        inner = {value for part in step.inner for value in part.outputs}
        if not (inner - set(step.outputs)) & self.watched:
            return
        known = {
            source: argument
            for source, argument in zip(step.inputs, arguments, strict=True)
            if isinstance(source, int)
        }
        for part in step.inner:
            given = [
                s.value if isinstance(s, Constant) else known.get(s)
                for s in part.inputs
            ]
            self.look_inside(part, given)
            for value, result in zip(part.outputs, part.run(*given), strict=True):
                known[value] = result
                if value in self.watched - set(step.outputs):
                    self.watch(value, result)
