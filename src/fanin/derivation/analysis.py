"""All that is known of one start: its pattern, when it wakes, and a run beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from fanin.derivation.arithmetic import (
    Arithmetic,
    Sample,
    arithmetic,
    descend,
    forward,
    gradients,
    outputs,
)
from fanin.derivation.invariant import Invariant, first_moves, refine, unit_entries
from fanin.derivation.records import Movement, UnitTies
from fanin.derivation.samples import TRIES, numeric_batch, numeric_start
from fanin.derivation.trace import Trace, traced
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sympy import Expr

    from fanin.derivation.net import Net
    from fanin.derivation.notation import Entry
    from fanin.derivation.start import Start

# Sums that cancel in exact numbers (a softmax's errors add up to 0) leave some 1e-17 in
# floats; the smallest true first step met in the cases is above 1e-9.
ROUNDING = 1e-14


@dataclass(frozen=True)
class Analysis:
    """One net, one start; everything else is computed from them when asked for.

    net: its activation holds φ′(0) as a number where φ has a kink. shown: the same net
    with φ′(0) as the symbol s, for the formulas on the page. rate: η of the run.
    masks: dropout factors, shown on the page; the pattern and the run are without.
    """

    net: Net
    shown: Net
    start: Start
    rate: float = 0.1
    n_steps: int = 10
    masks: Mapping[tuple[int, int], Expr] = field(
        default_factory=lambda: MappingProxyType({})
    )

    @cached_property
    def pattern(self) -> Invariant:
        """Give what is frozen and what is tied for ever."""
        return refine(self.net, self.start)

    @cached_property
    def moves(self) -> Mapping[Entry, int | None]:
        """Give the first step of each entry, None for never."""
        return first_moves(self.net, self.start, self.pattern)

    @cached_property
    def trace(self) -> Trace:
        """Give the pass at the start, with φ′(0) as a symbol."""
        return traced(self.shown, self.start, self.masks)

    @cached_property
    def numbers(self) -> Arithmetic:
        """Give the floats that the run is made in."""
        return arithmetic(self.net.activation)

    @cached_property
    def salt(self) -> int:
        """Give the first set of samples whose run wakes all that can wake.

        A ReLU unit can be dead on one set of samples and alive on another, so that a
        statement of existence is shown by the set that shows it.
        """
        fallback: int | None = None
        for salt in range(TRIES):
            awake = self._awake(salt)
            if awake >= set(self.net.entries):
                return salt
            if fallback is None and {e.tensor for e in awake} >= set(self.net.tensors):
                fallback = salt
        return fallback or 0

    @cached_property
    def batch(self) -> tuple[Sample, ...]:
        """Give the samples of the run."""
        return numeric_batch(self.net, self.numbers, salt=self.salt)

    @cached_property
    def states(self) -> Sequence[Mapping[Entry, Expr]]:
        """Give the parameters at the start and after each step of the run.

        Raises:
            ArgumentError: if they do not stay finite.
        """
        return self._descend(self.salt, max(self.n_steps, self.last_wake))

    @cached_property
    def last_wake(self) -> int:
        """Give the step at which the last array wakes; the run is at least as long."""
        return max((step or 0 for step in self.moves.values()), default=0)

    def step_of(self, tensor: str) -> int | None:
        """Give the first step at which some entry of an array moves."""
        steps = [self.moves[e] for e in self.net.of(tensor)]
        known = [step for step in steps if step is not None]
        return min(known) if known else None

    def movement(self, tensor: str) -> Movement:
        """Give when an array moves, by proof and in the run."""
        entries = self.net.of(tensor)
        first = self.states[0]
        changes = [max(abs(s[e] - first[e]) for e in entries) for s in self.states]
        seen = [step for step, change in enumerate(changes) if change > ROUNDING]
        return Movement(
            tensor=tensor,
            step=self.step_of(tensor),
            largest_change=max(changes),
            first_seen=seen[0] if seen else None,
        )

    def ties(self, layer: int) -> UnitTies:
        """Give which units of a hidden layer are tied, by proof and in the run."""
        blocks = self.pattern.twins(layer)
        inside = [
            self.gap(layer, block[0], unit) for block in blocks for unit in block[1:]
        ]
        heads = [block[0] for block in blocks]
        across = [self.gap(layer, j, k) for j in heads for k in heads if j < k]
        return UnitTies(
            layer=layer,
            blocks=blocks,
            spread=max(inside, default=0.0),
            apart=min(across, default=None),
        )

    def gap(self, layer: int, one: int, other: int) -> float:
        """Give the largest difference between two units over the run."""
        mine, theirs = unit_entries(self.net, layer, one, other)
        pairs = list(zip(mine, theirs, strict=True))
        return float(max(abs(s[p] - s[q]) for s in self.states for p, q in pairs))

    def losses(self) -> tuple[float, ...]:
        """Give the batch's loss before each step and after the last."""
        return tuple(self.loss_at(state, self.batch) for state in self.states)

    def loss_at(self, state: Mapping[Entry, Expr], batch: Sequence[Sample]) -> float:
        """Give the mean loss at some parameters."""
        total = 0.0
        for inputs, targets in batch:
            z, _ = forward(self.net, self.numbers, state, inputs)
            last = self.net.n_layers
            logits = [z[last, k] for k in self.net.units(last)]
            y_hat = outputs(self.net, self.numbers, logits)
            total += float(self.net.loss.value(y_hat, targets))
        return total / len(batch)

    def gradients_at(
        self, state: Mapping[Entry, Expr], batch: Sequence[Sample] | None = None
    ) -> dict[Entry, Expr]:
        """Give the gradient of the batch's loss in floats."""
        return gradients(self.net, self.numbers, state, batch or self.batch)

    def with_slope(self, value: Expr) -> Analysis:
        """Give the same start with another φ′(0)."""
        activation = self.shown.activation.with_slope(value)
        return replace(self, net=self.net.with_activation(activation))

    def _awake(self, salt: int) -> set[Entry]:
        """Give the entries of which a run on these samples shows what is proved."""
        try:
            states = self._descend(salt, self.last_wake)
        except ArgumentError:
            return set()
        first, last = states[0], states[-1]
        return {
            entry
            for entry, step in self.moves.items()
            if step is None or abs(last[entry] - first[entry]) > ROUNDING
        }

    def _descend(self, salt: int, n_steps: int) -> Sequence[Mapping[Entry, Expr]]:
        begin = numeric_start(self.net, self.start, self.numbers, salt)
        batch = numeric_batch(self.net, self.numbers, salt=salt)
        try:
            states = descend(
                self.net, self.numbers, begin, batch, rate=self.rate, n_steps=n_steps
            )
        except OverflowError:
            states = []
        if not states or not all(map(math.isfinite, states[-1].values())):
            expected = (
                f"a learning rate at which {n_steps} steps from this start stay finite"
            )
            raise _too_fast(self.rate, expected)
        return states


def _too_fast(rate: float, expected: str) -> ArgumentError:
    return ArgumentError.of("rate", rate, expected)
