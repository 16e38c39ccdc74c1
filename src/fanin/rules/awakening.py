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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from fanin.rules.noise import generic, nudged
from fanin.rules.virtual_steps import root_mean_square

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
    gradients: Gradients, values: Values, trainable: Sequence[str], *, seed: int = 0
) -> Awakening:
    """Close the set of parameters that can move under the objective's gradients.

    Args:
        gradients: values → gradient of each parameter; None where it is not used.
        values: by path, each in its parameter's shape; not changed.
        trainable: the paths that the optimizer would step.
        seed: governs the generic steps, not the verdict.

    Returns:
        The step at which each first moves, and what never does. One call of
        ``gradients`` where everything moves at once, else one more for each round.

    >>> def product(values):  # loss = a·b, both zero: each holds the other
    ...     return {"a": values["b"], "b": values["a"]}
    >>> awaken(product, {"a": np.zeros(1), "b": np.zeros(1)}, ["a", "b"]).stuck
    ('a', 'b')
    >>> awaken(product, {"a": np.zeros(1), "b": np.ones(1)}, ["a", "b"]).rounds
    {'a': 1, 'b': 2}
    """
    masks = {path: np.zeros(values[path].shape, dtype=bool) for path in trainable}
    rounds: dict[str, int] = {}
    unreached: tuple[str, ...] = ()
    now: Values = values
    for step in range(1, len(masks) + 3):
        current = gradients(now)
        if step == 1:
            unreached = tuple(p for p in masks if current.get(p) is None)
        has_grown = False
        for path, mask in masks.items():
            gradient = current.get(path)
            if gradient is None:
                continue
            woken = mask | (gradient != 0)
            has_grown = has_grown or bool(np.any(woken != mask))
            masks[path] = woken
            if path not in rounds and np.any(woken):
                rounds[path] = step
        asleep = [p for p in masks if p not in rounds and p not in unreached]
        if not has_grown or not asleep:
            break
        now = nudged(values, masks, seed + step)
    order = sorted(rounds, key=list(masks).index)
    return Awakening(
        rounds={path: rounds[path] for path in order},
        stuck=tuple(p for p in masks if p not in rounds and p not in unreached),
        unreached=unreached,
    )


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
    zeros = [p for p in (*stuck, *frozen) if not np.any(values[p])]
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
    trial = dict(values)
    for path in filled:
        value = values[path]
        trial[path] = (0.5 * generic(path, value.shape, seed)).astype(value.dtype)
    found = gradients(trial)
    return {
        p for p, gradient in found.items() if gradient is not None and np.any(gradient)
    }


def amplified(
    values: Values, fans: Mapping[str, float] = MappingProxyType({})
) -> dict[str, np.ndarray]:
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
    scaled = {}
    for path, value in values.items():
        size = root_mean_square(value)
        n_in = fans.get(path, value.size / max(*value.shape, 1, 1))
        is_small = value.ndim > 1 and 0.0 < size < n_in**-0.5
        factor = n_in**-0.5 / size if is_small else 1.0
        scaled[path] = (value * factor).astype(value.dtype)
    return scaled
