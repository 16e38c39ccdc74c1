"""FAN805 same-stream.

## What it finds
Weights of different shape, scale or law that begin with the same random numbers: the
generator was set back to one seed before each was drawn, one Keras initializer with an
integer seed made them, or one JAX key was used for several.

## Why it hurts
The layers are correlated, which no theory of initialization allows for: sums that
should average out add up.

## When it is fine
Never on purpose. Equal arrays are FAN803's.

## Example
    for layer in layers:
        torch.manual_seed(0)
        nn.init.normal_(layer.weight)

    first = jax.random.normal(key, (8, 16))
    second = jax.random.uniform(key, (16, 4))      # the key was not split

## Use instead
    torch.manual_seed(0)
    for layer in layers:
        nn.init.normal_(layer.weight)

## Assumptions
The first 16 numbers are compared, by which is larger: two independent draws have them
in one order, or in its reverse, with probability 2/16! = 10⁻¹³.

## Source
google/flax pull request 2665 (keys that were not split).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.fan803_cloned_weights import weights_by_chance
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.values import Chosen
from fanin.rules.words import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.rules.inspection import Inspection

N_COMPARED = 16


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each set of weights drawn from one stream."""
    values = Chosen(inspection.values, weights_by_chance(inspection))
    tokens = {p.path: p.initializer for p in inspection.parameters}
    for same in same_streams(values):
        name = tokens.get(same[0], "")
        is_named = bool(name) and all(tokens.get(path) == name for path in same)
        maker = f": all were drawn by {name}" if is_named else ""
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(same),
            message=f"{len(same)} weights begin with the same random numbers, up to a "
            f"factor or another law{maker}.",
            measured=f"the first {N_COMPARED} numbers are in the same order of size",
            expected="a stream of its own for each weight",
            why="Layers drawn from one stream are correlated.",
            fix="Set the seed once, before the first draw, or split the key for each "
            "layer: fanin.init(model, seed=0).",
            paths=same,
            value=1.0,
            interval=(float(len(same)), float(len(same))),
            mends=same[1:],
        )


def same_streams(values: Mapping[str, np.ndarray]) -> list[tuple[str, ...]]:
    """Give the sets of paths whose beginnings are alike and that are not equal arrays.

    Laws that are drawn from one uniform number each (uniform, normal by inversion, cut
    or not, as JAX draws) keep the order of the numbers, and so does any factor; a
    negative one turns it round.

    >>> drawn = np.array([[np.sin(3.0 * i * i) for i in range(20)]])
    >>> same_streams({"a": drawn, "b": -2.0 * drawn**3, "c": drawn[:, ::-1]})
    [('a', 'b')]
    """
    starts: dict[tuple[int, ...], list[str]] = {}
    for path, value in values.items():
        order = beginning(value)
        if order is not None:
            starts.setdefault(order, []).append(path)
    sets = [paths for paths in starts.values() if len(paths) > 1]
    return [tuple(p) for p in sets if not _are_copies(values, p)]


def beginning(value: np.ndarray) -> tuple[int, ...] | None:
    """Give the order of size of the first numbers, or None if they follow a pattern.

    A pattern: repeated numbers, or equal steps, as tables made by formula have. An
    order and its reverse count as one.

    >>> beginning(np.arange(32.0).reshape(4, 8)) is None
    True
    """
    if value.ndim < 2 or value.size < N_COMPARED:
        return None
    start = np.asarray(value.flat[:N_COMPARED], dtype=np.float64)
    if not np.all(np.isfinite(start)):
        return None
    steps = np.diff(start)
    is_pattern = len(np.unique(start)) < N_COMPARED or np.all(steps > 0)
    if is_pattern or np.all(steps < 0):
        return None
    order = tuple(int(i) for i in np.argsort(start))
    return min(order, order[::-1])


def _are_copies(values: Mapping[str, np.ndarray], paths: list[str]) -> bool:
    first = values[paths[0]]
    return all(np.array_equal(values[path], first) for path in paths)


RULE = Rule(
    code="FAN805",
    name="same-stream",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN803", "FAN804", "FAN807", "FAN810"),
    needs_run=False,
)
