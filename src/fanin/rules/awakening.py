"""The awakening closure: which parameters can ever move.

A zero tensor is no fault by itself: LoRA's B, ReZero's gates and zero heads are zero
on purpose. What counts is whether a gradient can reach it. Begin with the coordinates
whose gradient is not zero; move those by generic amounts; take the gradients again;
add what woke up; stop when nothing does. What never woke is stuck for ever.

Why that is sound: on each piece where the model is analytic, the gradient of a sleeping
tensor is an analytic function of the coordinates that are awake. If it is non-zero
anywhere there, it is non-zero almost everywhere; so a zero at a generic point is a zero
at all of them, and no optimizer that steps along gradients can leave. With ReLU the
pieces are the linear regions, and there the verdict speaks of the region that the
batch is in: units that are dead on this batch are told apart by `blockers`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from fanin.rules.noise import generic, nudged
from fanin.rules.sampled import is_zero, root_mean_square
from fanin.rules.values import Changed

Values = Mapping[str, np.ndarray]
Gradients = Callable[[Values], Mapping[str, "np.ndarray | None"]]

# Single zero tensors tried as the cause of a lock, each for one gradient.
MOST_SUSPECTS = 12


@dataclass(frozen=True, kw_only=True)
class Awakening:
    """When each trainable parameter first moves.

    rounds: path → the optimizer step at which it first moves, from 1.
    stuck: paths that never move. unreached: paths that the objective does not use.
    """

    rounds: Mapping[str, int]
    stuck: tuple[str, ...]
    unreached: tuple[str, ...]

    @property
    def late(self) -> dict[str, int]:
        """Give the parameters that miss the first step, with the step they join at."""
        return {path: step for path, step in self.rounds.items() if step > 1}


def awaken(
    gradients: Gradients,
    values: Values,
    trainable: Sequence[str],
    *,
    fillable: Collection[str] = (),
    seed: int = 0,
) -> Awakening:
    """Close the set of parameters that can move under the objective's gradients.

    A gradient that is not zero at any point that can be reached proves that it can
    move, so each round looks first where little is changed: only the ``fillable`` are
    moved. Where nothing new has a gradient there, all that is awake is moved.

    Args:
        gradients: values → gradient of each parameter, or where it is not 0; None
            where it is not used.
        values: by path, each in its parameter's shape; not changed.
        trainable: the paths that the optimizer would step.
        fillable: paths of arrays that are zero throughout and hold others still.
        seed: governs the generic steps, not the verdict.

    Returns:
        The step at which each first moves, and what never does. One call of
        ``gradients`` where everything moves at once, else one or two more a round.

    >>> def product(values):  # loss = a·b, both zero: each holds the other
    ...     return {"a": values["b"], "b": values["a"]}
    >>> awaken(product, {"a": np.zeros(1), "b": np.zeros(1)}, ["a", "b"]).stuck
    ('a', 'b')
    >>> awaken(product, {"a": np.zeros(1), "b": np.ones(1)}, ["a", "b"]).rounds
    {'a': 1, 'b': 2}
    """
    closure = _Closure(values=values, paths=tuple(trainable))
    unreached = closure.look(gradients(values), 1)
    for step in range(2, len(closure.paths) + 3):
        asleep = closure.asleep(unreached)
        if not asleep:
            break
        filled = {p: m for p, m in closure.masks.items() if p in fillable and m.any()}
        if filled:
            closure.look(gradients(closure.at(filled, seed)), step)
            if len(closure.asleep(unreached)) < len(asleep):
                continue
        moved = {p: m for p, m in closure.masks.items() if m.any()}
        before = closure.n_awake
        closure.look(gradients(closure.at(moved, seed)), step)
        if closure.n_awake == before:
            break
    return closure.result(unreached)


@dataclass(kw_only=True)
class _Closure:
    """What is awake so far.

    masks: by path, the coordinates that had a gradient; those of an array that is
    awake or asleep throughout take no memory.
    """

    values: Values
    paths: tuple[str, ...]
    masks: dict[str, np.ndarray] = field(init=False)
    rounds: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.masks = {
            path: np.broadcast_to(np.False_, self.values[path].shape)
            for path in self.paths
        }

    @property
    def n_awake(self) -> int:
        """How many coordinates are awake."""
        return sum(int(np.count_nonzero(mask)) for mask in self.masks.values())

    def look(
        self, gradients: Mapping[str, np.ndarray | None], step: int
    ) -> tuple[str, ...]:
        """Add what has a gradient; give the paths that have none at all."""
        for path, mask in self.masks.items():
            gradient = gradients.get(path)
            if gradient is None or mask.all():
                continue
            self.masks[path] = compact(mask | (gradient != 0))
            if self.masks[path].any():
                self.rounds.setdefault(path, step)
        return tuple(path for path in self.paths if gradients.get(path) is None)

    def asleep(self, unreached: Collection[str]) -> list[str]:
        """Give the paths of which nothing is awake."""
        return [p for p in self.paths if p not in self.rounds and p not in unreached]

    def at(self, masks: Mapping[str, np.ndarray], seed: int) -> Changed:
        """Give the point where the masked coordinates are moved generically."""
        return Changed(self.values, nudged(self.values, masks, seed))

    def result(self, unreached: tuple[str, ...]) -> Awakening:
        return Awakening(
            rounds={p: self.rounds[p] for p in self.paths if p in self.rounds},
            stuck=tuple(self.asleep(unreached)),
            unreached=unreached,
        )


def compact(mask: np.ndarray) -> np.ndarray:
    """Give the same mask, without memory of its own where it is one value throughout.

    >>> compact(np.array([True, True])).strides
    (0,)
    """
    if mask.all():
        return np.broadcast_to(np.True_, mask.shape)
    return mask if mask.any() else np.broadcast_to(np.False_, mask.shape)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Why a set of parameters is stuck.

    holders: path of a stuck parameter → the all-zero tensors each of which, filled
    with any other numbers, would let it move. together: all-zero tensors that free
    parameters only when all of them are filled. unexplained: stuck parameters that no
    zero tensor explains: dead units, saturation, or a gradient that rounds to zero.
    """

    holders: Mapping[str, tuple[str, ...]]
    together: tuple[str, ...]
    unexplained: tuple[str, ...]


def blockers(
    gradients: Gradients,
    values: Values,
    stuck: Sequence[str],
    *,
    frozen: Sequence[str] = (),
    seed: int = 0,
) -> Lock:
    """Name the zero tensors that keep the stuck parameters still.

    Each all-zero tensor, stuck or frozen, is filled with generic numbers, alone; what
    then has a gradient was held by it. What is left is tried with all of them filled.

    >>> def chain(v):  # loss = a·b·c
    ...     return {"a": v["b"] * v["c"], "b": v["a"] * v["c"], "c": v["a"] * v["b"]}
    >>> zero, one = np.zeros(1), np.ones(1)
    >>> blockers(chain, {"a": zero, "b": zero, "c": one}, ["a", "b", "c"]).holders["a"]
    ('b',)
    >>> blockers(chain, {"a": zero, "b": zero, "c": zero}, ["a", "b", "c"]).together
    ('a', 'b', 'c')
    """
    zeros = [p for p in (*stuck, *frozen) if is_zero(values[p])]
    holders: dict[str, list[str]] = {}
    for suspect in _most_likely(zeros, values):
        woken = _wakes(gradients, values, [suspect], seed)
        for path in stuck:
            if path != suspect and path in woken:
                holders.setdefault(path, []).append(suspect)
    together: tuple[str, ...] = ()
    left = [p for p in stuck if p not in holders]
    if left and zeros:
        freed = _wakes(gradients, values, zeros, seed)
        if any(path in freed for path in left):
            together = tuple(zeros)
            left = [p for p in left if p not in freed]
    return Lock(
        holders={path: tuple(names) for path, names in holders.items()},
        together=together,
        unexplained=tuple(left),
    )


def _most_likely(zeros: Sequence[str], values: Values) -> list[str]:
    """Give the zero tensors to try alone: matrices first, then gains and biases."""
    ordered = sorted(zeros, key=lambda path: values[path].ndim < 2)
    return ordered[:MOST_SUSPECTS]


def _wakes(
    gradients: Gradients, values: Values, filled: Sequence[str], seed: int
) -> set[str]:
    """Give the paths with a non-zero gradient once these tensors are filled."""
    trial = {
        path: (0.5 * generic(path, values[path].shape, seed)).astype(values[path].dtype)
        for path in filled
    }
    found = gradients(Changed(values, trial))
    return {p for p, g in found.items() if g is not None and not is_zero(g)}


def amplified(
    values: Values, fans: Mapping[str, float] = MappingProxyType({})
) -> Changed:
    """Give the values with every small matrix brought up to ordinary size.

    Each array of two or more axes whose root mean square is under 1/√n_in is
    multiplied by one positive number, so that it is 1/√n_in. Zeros stay zero, so
    gradients that are zero because a factor is zero stay so; those that underflowed
    come back.

    Args:
        values: by path; not changed.
        fans: n_in of each weight; for the others, the entries over the longest axis.

    >>> float(amplified({"w": np.full((2, 4), 1e-9)}, {"w": 4.0})["w"][0, 0].round(12))
    0.5
    """
    scaled = Changed(values, {})
    for path, value in values.items():
        size = root_mean_square(value)
        n_in = fans.get(path, value.size / max(*value.shape, 1, 1))
        if value.ndim > 1 and 0.0 < size < n_in**-0.5:
            factor = n_in**-0.5 / size
            scaled.own[path] = (value * factor).astype(value.dtype)
    return scaled
