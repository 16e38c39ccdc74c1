"""FAN101 never-moves.

## What it finds
Parameters whose gradient is zero now and stays zero at every step, because a tensor of
zeros multiplies it. The zero tensors are named.

## Why it hurts
By the chain rule a weight's gradient is a product: what enters its layer, times what
comes back from the layers after it. With all weights zero and an activation with
φ(0) = 0 (ReLU, tanh), what enters the last layer is 0, so its gradient is 0; and what
comes back through its zero weights is 0, so the gradients before it are 0. Each lock
holds the other, for ever. The output bias alone learns: the model becomes a constant.

## When it is fine
Never for the parameters that this rule names. One zero layer with random ones around
it is fine and not named: LoRA's B, ReZero's gates, a zero head, the last gain of a
residual branch wake at the second step (FAN102).

## Example
    for p in model.parameters():
        torch.nn.init.zeros_(p)

## Use instead
    fanin.init(model, seed=0)

## Assumptions
Steps follow gradients (any optimizer), and weight decay pulls to zero. The verdict is
a proof where the activations are smooth; with ReLU it holds as long as the zeros do,
which they do for ever.

## Source
Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors"
(1986), for the chain rule; the closure is described in `fanin.rules.awakening`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Evidence, Finding, Rule, Severity
from fanin.rules.words import count, listing, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fanin.rules.awakening import Lock
    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each set of parameters that the same zeros hold."""
    if not inspection.stuck:
        return
    order = [p.path for p in inspection.parameters]
    for held in locked_sets(inspection.lock, order):
        holders = _holders(inspection, held)
        keys = keys_to(inspection.lock, held, holders)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(held),
            message=f"{count(len(held), 'parameter')} can never move: "
            f"{lock_in_words(holders, held, keys)}.",
            measured="the gradient is exactly 0, at the start and wherever the other "
            "parameters can go",
            expected="a gradient other than 0 at some step",
            why="By the chain rule each gradient is a product, and a factor of these "
            "is zero for ever.",
            fix=f"Draw {listing(keys)} from a random law: fanin.init(model). Zeros may "
            "stay in one of two layers that follow each other, not in both.",
            source=source_of(inspection.graph, held[0]),
            evidence=Evidence.PROVED,
            paths=held,
            value=float(len(held)),
            interval=(0.0, 0.0),
            mends=keys,
        )


def locked_sets(lock: Lock, order: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Join stuck parameters that name one another's zeros into sets, each in order.

    >>> from fanin.rules.awakening import Lock
    >>> lock = Lock(holders={"a": ("b",), "b": ("a",)}, together=(), unexplained=())
    >>> locked_sets(lock, ["b", "a"])
    (('b', 'a'),)
    """
    sets: list[list[str]] = []
    links = [[path, *holders] for path, holders in lock.holders.items()]
    if lock.together:
        links.append(list(lock.together))
    for link in links:
        touching = [s for s in sets if set(s) & set(link)]
        joined = list(dict.fromkeys([*(p for s in touching for p in s), *link]))
        sets = [s for s in sets if s not in touching] + [joined]
    return tuple(tuple(sorted(s, key=order.index)) for s in sets)


def _holders(inspection: Inspection, held: tuple[str, ...]) -> tuple[str, ...]:
    """Give the zero tensors to blame: matrices if there are any."""
    lock = inspection.lock
    named = {h for path in held for h in lock.holders.get(path, ())}
    named |= set(lock.together) & set(held)
    matrices = [p for p in held if p in named and inspection.values[p].ndim > 1]
    return tuple(matrices or [p for p in held if p in named])


def keys_to(lock: Lock, held: Sequence[str], holders: Sequence[str]) -> tuple[str, ...]:
    """Give the fewest zero tensors whose draw frees a set, the most freeing first.

    Of two that free as much it is the one that runs first: a zero that ends a branch,
    as LoRA's B, may stay. What only moves when all are drawn needs all.

    >>> from fanin.rules.awakening import Lock
    >>> both = Lock(holders={"A": ("B",), "B": ("A",)}, together=(), unexplained=())
    >>> keys_to(both, ["A", "B"], ["A", "B"])
    ('A',)
    """
    if set(lock.together) & set(held):
        return tuple(holders)
    frees = {
        key: {key, *(path for path in held if key in lock.holders.get(path, ()))}
        for key in holders
    }
    left, keys = set(held), []
    while left and frees:
        key = max(frees, key=lambda each: len(frees[each] & left))
        if not frees[key] & left:
            break
        keys.append(key)
        left -= frees.pop(key)
    return tuple(keys)


def lock_in_words(
    holders: Sequence[str], held: Sequence[str], keys: Sequence[str]
) -> str:
    """Say which zeros hold which, and what frees them.

    >>> lock_in_words(["A", "B"], ["A", "B"], ["A"])
    'B is zero because A is zero, and the other way round; drawing A frees both'
    """
    others = [path for path in held if path not in holders]
    if len(holders) == 1:
        what = f"holds {listing(others)} still" if others else "holds itself still"
        return f"{holders[0]} is all zero and stays so, which {what}"
    if len(keys) > 1 or not keys:
        return f"{listing(holders)} are all zero, and each holds the other still"
    rest = [path for path in holders if path != keys[0]]
    verb = "is" if len(rest) == 1 else "are"
    freed = "both" if len(held) == 2 else f"all {len(held)}"
    return (
        f"{listing(rest)} {verb} zero because {keys[0]} is zero, and the other way "
        f"round; drawing {keys[0]} frees {freed}"
    )


RULE = Rule(
    code="FAN101",
    name="never-moves",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN801", "FAN802", "FAN807"),
    needs_closure=True,
)
