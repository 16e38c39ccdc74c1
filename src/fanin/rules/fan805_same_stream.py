"""FAN805 same-stream.

## What it finds
Weights of different shape or scale that begin with the same random numbers, up to a
factor: the generator was set back to one seed before each was drawn.

## Why it hurts
The layers are correlated, which no theory of initialization allows for: sums that
should average out add up.

## When it is fine
Never on purpose. Equal arrays are FAN803's.

## Example
    for layer in layers:
        torch.manual_seed(0)
        nn.init.normal_(layer.weight)

## Use instead
    torch.manual_seed(0)
    for layer in layers:
        nn.init.normal_(layer.weight)

## Assumptions
The first 16 numbers are compared; two independent draws agree so well in direction with
a probability under 10⁻⁶⁰.

## Source
google/flax pull request 2665 (keys that were not split).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.rules.inspection import Inspection

N_COMPARED = 16
# Squared sine of the angle between two beginnings: rounding in float32 is 1e-13.
SAME_DIRECTION = 1e-8


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each set of weights drawn from one stream."""
    trainable = set(inspection.trainable)
    values = {p: v for p, v in inspection.values.items() if p in trainable}
    for same in same_streams(values):
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(same),
            message=f"{len(same)} weights begin with the same random numbers, up to a "
            "factor.",
            measured=f"the first {N_COMPARED} numbers point the same way",
            expected="a stream of its own for each weight",
            why="Layers drawn from one stream are correlated.",
            fix="Set the seed once, before the first draw: fanin.init(model, seed=0).",
            paths=same,
        )


def same_streams(values: Mapping[str, np.ndarray]) -> list[tuple[str, ...]]:
    """Give the sets of paths whose beginnings are proportional and not equal arrays.

    >>> drawn = np.array([[np.sin(3.0 * i * i) for i in range(20)]])
    >>> same_streams({"a": drawn, "b": 2.0 * drawn, "c": drawn[:, ::-1]})
    [('a', 'b')]
    """
    starts: list[tuple[np.ndarray, list[str]]] = []
    for path, value in values.items():
        start = beginning(value)
        if start is None:
            continue
        for known, paths in starts:
            if 1.0 - float(known @ start) ** 2 < SAME_DIRECTION:
                paths.append(path)
                break
        else:
            starts.append((start, [path]))
    sets = [paths for _, paths in starts if len(paths) > 1]
    return [tuple(p) for p in sets if not _are_copies(values, p)]


def beginning(value: np.ndarray) -> np.ndarray | None:
    """Give the first numbers as a unit vector, or None if they follow a pattern.

    A pattern: repeated numbers, or equal steps, as tables made by formula have.
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
    length = float(np.linalg.norm(start))
    return start / length if np.isfinite(length) and length > 0.0 else None


def _are_copies(values: Mapping[str, np.ndarray], paths: list[str]) -> bool:
    first = values[paths[0]]
    return all(np.array_equal(values[path], first) for path in paths)


RULE = Rule(
    code="FAN805",
    name="same-stream",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN803", "FAN804"),
    needs_run=False,
)
