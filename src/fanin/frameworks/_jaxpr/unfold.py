"""From a jaxpr to steps: every program within it is laid open in its place."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from jax.extend.core import Literal

from fanin.frameworks._jaxpr import loops
from fanin.frameworks._jaxpr.equation import runner, source_line
from fanin.frameworks._jaxpr.steps import Constant, Program, Source, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

OPENED: Final = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "checkpoint": "jaxpr",
    "remat": "jaxpr",
    "remat2": "jaxpr",
}
"""Primitives that only call a program, and the parameter that holds it."""

KEPT_WHOLE: Final = {
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
}
"""Primitives with a derivative of their own, and the parameter with the program."""


def program_of(closed: Any) -> Program:
    """Lay a ``ClosedJaxpr`` (from ``jax.make_jaxpr``) out as steps.

    >>> import jax
    >>> closed = jax.make_jaxpr(lambda x: jax.nn.relu(x + 1.0))(0.5)
    >>> [step.primitive for step in program_of(closed).readable()]
    ['add', 'max']
    """
    return Unfolding().program(closed)


class Unfolding:
    """Numbers the values and collects the steps of one program."""

    def __init__(self) -> None:
        self.ids = count()
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.dtypes: dict[int, str] = {}
        self.whole: Any = None
        self.around: list[tuple[str, str | None]] = [("", None)]

    def program(self, closed: Any) -> Program:
        self.whole = closed.jaxpr
        inputs = tuple(self.new(var.aval) for var in closed.jaxpr.invars)
        steps, outputs = self.unfold(closed.jaxpr, closed.consts, inputs)
        return Program(
            steps=tuple(steps),
            inputs=inputs,
            outputs=outputs,
            shapes=self.shapes,
            dtypes=self.dtypes,
        )

    def new(self, aval: Any) -> int:
        """Number a value of JAX's abstract kind."""
        shape = tuple(int(n) for n in getattr(aval, "shape", ()))
        return self.number(shape, str(getattr(aval, "dtype", "opaque")))

    def number(self, shape: tuple[int, ...], dtype: str) -> int:
        """Number a value of that shape."""
        value = next(self.ids)
        self.shapes[value] = shape
        self.dtypes[value] = dtype
        return value

    def unfold(
        self, jaxpr: Any, consts: Sequence[Any], inputs: Sequence[Source]
    ) -> tuple[list[Step], tuple[Source, ...]]:
        """Give the steps of a program called on these inputs, and its outputs."""
        known: dict[Any, Source] = dict(zip(jaxpr.invars, inputs, strict=True))
        fixed = (Constant(value=value) for value in consts)
        known |= dict(zip(jaxpr.constvars, fixed, strict=True))

        def source(atom: Any) -> Source:
            if isinstance(atom, Literal):
                return Constant(value=atom.val)
            return known[atom]

        steps: list[Step] = []
        for eqn in jaxpr.eqns:
            made, outputs = self.equation(eqn, tuple(map(source, eqn.invars)))
            steps += made
            known |= dict(zip(eqn.outvars, outputs, strict=True))
        return steps, tuple(map(source, jaxpr.outvars))

    def equation(
        self, eqn: Any, inputs: tuple[Source, ...]
    ) -> tuple[list[Step], tuple[Source, ...]]:
        name = eqn.primitive.name
        if name in OPENED:
            with self.within(eqn):
                return self.call(eqn.params[OPENED[name]], inputs)
        if loops.is_unrolled(eqn):
            with self.within(eqn):
                return loops.unrolled(self, eqn, inputs)
        outputs = tuple(self.new(var.aval) for var in eqn.outvars)
        with self.within(eqn):
            inner = self.inside(eqn, inputs, outputs)
        return [self.step(eqn, inputs, outputs, inner)], outputs

    def call(
        self, inner: Any, inputs: Sequence[Source]
    ) -> tuple[list[Step], tuple[Source, ...]]:
        jaxpr = getattr(inner, "jaxpr", inner)
        return self.unfold(jaxpr, getattr(inner, "consts", ()), inputs)

    def inside(
        self, eqn: Any, inputs: tuple[Source, ...], outputs: tuple[int, ...]
    ) -> tuple[Step, ...]:
        """Give the steps inside a step that runs whole, ending in its output ids."""
        name = eqn.primitive.name
        if name in KEPT_WHOLE:
            steps, ends = self.call(eqn.params[KEPT_WHOLE[name]], inputs)
        elif name in loops.LAID_OPEN:
            steps, ends = loops.LAID_OPEN[name](self, eqn, inputs)
        else:
            return ()
        made = {value for step in steps for value in step.outputs}
        same = {
            end: output
            for end, output in zip(ends, outputs, strict=True)
            if isinstance(end, int) and end in made
        }
        renamed = [_renamed(step, same) for step in steps]
        copies = [
            self.synthetic("copy", (end,), (output,), lambda x: [x])
            for end, output in zip(ends, outputs, strict=True)
            if not isinstance(end, int) or same.get(end) != output
        ]
        return (*renamed, *copies)

    def step(
        self,
        eqn: Any,
        inputs: tuple[Source, ...],
        outputs: tuple[int, ...],
        inner: tuple[Step, ...],
    ) -> Step:
        return Step(
            primitive=eqn.primitive.name,
            inputs=inputs,
            outputs=outputs,
            shapes=tuple(self.shapes[value] for value in outputs),
            dtypes=tuple(self.dtypes[value] for value in outputs),
            run=runner(eqn, self.whole),
            params=eqn.params,
            inner=inner,
            scope=self.scope(eqn),
            source=source_line(eqn) or self.around[-1][1],
        )

    def scope(self, eqn: Any) -> str:
        """Give the whole scope: an inner program knows its own part alone."""
        outer, own = self.around[-1][0], str(eqn.source_info.name_stack)
        return "/".join(part for part in (outer, own) if part)

    @contextmanager
    def within(self, eqn: Any) -> Iterator[None]:
        """Let inner steps take scope and source from the equation around them."""
        source = source_line(eqn) or self.around[-1][1]
        self.around.append((self.scope(eqn), source))
        yield
        self.around.pop()

    def synthetic(
        self,
        primitive: str,
        inputs: tuple[Source, ...],
        outputs: tuple[int, ...],
        run: Callable[..., Sequence[Any]],
    ) -> Step:
        return Step(
            primitive=primitive,
            inputs=inputs,
            outputs=outputs,
            shapes=tuple(self.shapes[value] for value in outputs),
            dtypes=tuple(self.dtypes[value] for value in outputs),
            run=run,
            scope=self.around[-1][0],
            source=self.around[-1][1],
        )


def _renamed(step: Step, same: Mapping[int, int]) -> Step:
    """Give the step with other ids for some values."""

    def rename(source: Source) -> Source:
        return same.get(source, source) if isinstance(source, int) else source

    return replace(
        step,
        inputs=tuple(map(rename, step.inputs)),
        outputs=tuple(same.get(value, value) for value in step.outputs),
        inner=tuple(_renamed(inner, same) for inner in step.inner),
    )
