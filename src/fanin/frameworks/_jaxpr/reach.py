"""Which inputs of a program its first output depends on, by a way gradients can go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fanin.frameworks._jaxpr.steps import Program

CUTS: Final = frozenset({"stop_gradient"})
"""Primitives that let numbers through, and no gradient."""


def reached(program: Program) -> frozenset[int]:
    """Give the ids of the values that a gradient of the first output arrives at.

    JAX gives zeros for an input that the output does not depend on; this tells such
    an input from one whose gradient happens to be zero. A gradient passes through
    real numbers alone: what is only compared or counted is not reached.

    >>> import jax
    >>> from fanin.frameworks._jaxpr.unfold import program_of
    >>> f = lambda x, y: x * 0.0 + jax.lax.stop_gradient(y)
    >>> program = program_of(jax.make_jaxpr(f)(1.0, 1.0))
    >>> [value in reached(program) for value in program.inputs]
    [True, False]
    """
    live = {value for value in program.outputs[:1] if isinstance(value, int)}
    for step in reversed(program.steps):
        if step.primitive not in CUTS and live.intersection(step.outputs):
            live |= {
                source
                for source in step.inputs
                if isinstance(source, int) and is_real(program.dtypes[source])
            }
    return frozenset(live)


def is_real(dtype: str) -> bool:
    """Say whether a dtype, as JAX names it, is of real numbers.

    >>> is_real("bfloat16"), is_real("int32")
    (True, False)
    """
    return "float" in dtype
