"""Loops and branches of a jaxpr, laid open for reading.

A short scan is unrolled: every round stands in line. A longer one, and a ``while``,
runs as a whole; the first rounds are laid open, and the rest is like the last of them.
Of a ``cond`` every branch is laid open, and what they give is joined.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import jax

from fanin.frameworks._jaxpr.steps import Constant, Source, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.frameworks._jaxpr.unfold import Unfolding

    Opened = tuple[list[Step], tuple[Source, ...]]

LONGEST_UNROLLED: Final = 64
"""Rounds up to which a scan is unrolled."""

ROUNDS_SHOWN: Final = 2
"""Of a longer one: the first reads the initial carry, the second what a round gave."""


def is_unrolled(eqn: Any) -> bool:
    """Say whether an equation is a scan that is short enough to be unrolled."""
    is_scan = eqn.primitive.name == "scan"
    return is_scan and int(eqn.params["length"]) <= LONGEST_UNROLLED


def unrolled(unfolding: Unfolding, eqn: Any, inputs: Sequence[Source]) -> Opened:
    """Unroll a scan: consts, carry and slices in; carry and stacked slices out."""
    steps, carry, slices = _rounds(unfolding, eqn, inputs, eqn.params["length"])
    if eqn.params["reverse"]:
        slices.reverse()
    avals = [var.aval for var in eqn.outvars[len(carry) :]]
    pairs = zip(zip(*slices, strict=True), avals, strict=True)
    stacked = [_stacked(unfolding, tuple(parts), aval, steps) for parts, aval in pairs]
    return steps, (*carry, *stacked)


def shown(unfolding: Unfolding, eqn: Any, inputs: Sequence[Source]) -> Opened:
    """Lay the first rounds of a long scan open; its slices are those of the last."""
    steps, carry, slices = _rounds(unfolding, eqn, inputs, ROUNDS_SHOWN)
    avals = [var.aval for var in eqn.outvars[len(carry) :]]
    pairs = zip(slices[-1], avals, strict=True)
    repeated = [_repeated(unfolding, part, aval, steps) for part, aval in pairs]
    return steps, (*carry, *repeated)


def one_round(unfolding: Unfolding, eqn: Any, inputs: Sequence[Source]) -> Opened:
    """Lay one round of a ``while`` open."""
    skipped, n_consts = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    consts = inputs[skipped : skipped + n_consts]
    carry = inputs[skipped + n_consts :]
    return unfolding.call(eqn.params["body_jaxpr"], (*consts, *carry))


def branches(unfolding: Unfolding, eqn: Any, inputs: Sequence[Source]) -> Opened:
    """Lay every branch of a ``cond`` open, one behind the other, and join their ends.

    Branches that are written alike are one.
    """
    which, *given = inputs
    distinct = {str(branch): branch for branch in eqn.params["branches"]}
    if len(distinct) == 1 and not any(b.consts for b in eqn.params["branches"]):
        return unfolding.call(eqn.params["branches"][0], given)
    steps: list[Step] = []
    ends: list[tuple[Source, ...]] = []
    for branch in eqn.params["branches"]:
        made, outputs = unfolding.call(branch, given)
        steps += made
        ends.append(outputs)
    joined = []
    for cases, var in zip(zip(*ends, strict=True), eqn.outvars, strict=True):
        value = unfolding.new(var.aval)
        inputs_of_join = (which, *cases)
        steps.append(unfolding.synthetic("join", inputs_of_join, (value,), _chosen))
        joined.append(value)
    return steps, tuple(joined)


LAID_OPEN: Final[Mapping[str, Callable[[Unfolding, Any, Sequence[Source]], Opened]]] = {
    "cond": branches,
    "scan": shown,
    "while": one_round,
}
"""Primitives that run as a whole, and how their inner programs are laid open."""


def _rounds(
    unfolding: Unfolding, eqn: Any, inputs: Sequence[Source], n_rounds: int
) -> tuple[list[Step], tuple[Source, ...], list[tuple[Source, ...]]]:
    """Lay rounds of a scan open; give the carry behind them, and each one's slices."""
    params = eqn.params
    n_consts, n_carry = params["num_consts"], params["num_carry"]
    consts = inputs[:n_consts]
    carry = tuple(inputs[n_consts : n_consts + n_carry])
    sequences = inputs[n_consts + n_carry :]
    steps: list[Step] = []
    slices: list[tuple[Source, ...]] = []
    last = params["length"] - 1
    for index in range(n_rounds):
        place = last - index if params["reverse"] else index
        taken = [_sliced(unfolding, s, place, steps) for s in sequences]
        made, outputs = unfolding.call(params["jaxpr"], (*consts, *carry, *taken))
        steps += made
        carry = outputs[:n_carry]
        slices.append(outputs[n_carry:])
    return steps, carry, slices


def _sliced(
    unfolding: Unfolding, sequence: Source, index: int, steps: list[Step]
) -> Source:
    if isinstance(sequence, Constant):
        return Constant(value=sequence.value[index])
    shape, dtype = unfolding.shapes[sequence][1:], unfolding.dtypes[sequence]
    value = unfolding.number(shape, dtype)
    step = unfolding.synthetic("slice", (sequence,), (value,), lambda x: [x[index]])
    steps.append(replace(step, params={"round": index}))
    return value


def _stacked(
    unfolding: Unfolding, parts: tuple[Source, ...], aval: Any, steps: list[Step]
) -> Source:
    value = unfolding.new(aval)

    def run(*values: Any) -> list[Any]:
        return [jax.numpy.stack(values)]

    steps.append(unfolding.synthetic("stack", parts, (value,), run))
    return value


def _repeated(
    unfolding: Unfolding, part: Source, aval: Any, steps: list[Step]
) -> Source:
    value = unfolding.new(aval)
    n_rounds = int(aval.shape[0])

    def run(given: Any) -> list[Any]:
        return [jax.numpy.broadcast_to(given, (n_rounds, *given.shape))]

    steps.append(unfolding.synthetic("rounds", (part,), (value,), run))
    return value


def _chosen(which: Any, *cases: Any) -> list[Any]:
    index = jax.numpy.clip(which, 0, len(cases) - 1)
    return [jax.lax.select_n(index, *cases)]
