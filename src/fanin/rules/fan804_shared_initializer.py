"""FAN804 shared-initializer.

## What it finds
One Keras initializer given to several variables, which got the same numbers: the same
object, or two objects with the same integer seed.

## Why it hurts
Keras 3 draws from an initializer's own seed each time it is called, so each layer gets
the same weights, without a warning. The layers begin as copies of each other.

## When it is fine
Constant initializers (zeros, ones) may be shared.

## Example
    he = keras.initializers.HeNormal(seed=0)
    Dense(64, kernel_initializer=he), Dense(64, kernel_initializer=he)

## Use instead
    Dense(64, kernel_initializer="he_normal"), Dense(64, kernel_initializer="he_normal")

## Assumptions
None: the initializer's class and seed, and the numbers, are both compared. Variables of
other shapes that were drawn from the stream are FAN805's.

## Source
keras-team/keras-hub issue 352.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.fan803_cloned_weights import equal_arrays
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each stream that gave equal numbers twice."""
    tokens = {p.path: p.initializer for p in inspection.parameters}
    streams: dict[str, list[tuple[str, ...]]] = {}
    for same in equal_arrays(inspection.values):
        names = {tokens.get(path, "") for path in same}
        if len(names) == 1 and "" not in names:
            streams.setdefault(names.pop(), []).append(same)
    for stream, sets in streams.items():
        paths = tuple(path for same in sets for path in same)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(paths),
            message=f"{len(paths)} weights hold only {len(sets)} different "
            f"{'set' if len(sets) == 1 else 'sets'} of numbers: all were drawn by "
            f"{stream}, one object or two with one seed.",
            measured="one initializer and seed, the same numbers",
            expected="an initializer of its own for each layer",
            why="Layers that begin as copies do the same work until they part.",
            fix='Name the initializer instead, as in kernel_initializer="he_normal".',
            paths=paths,
            value=float(len(sets)),
            interval=(float(len(paths)), float(len(paths))),
            mends=tuple(path for same in sets for path in same[1:]),
        )


RULE = Rule(
    code="FAN804",
    name="shared-initializer",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    needs_run=False,
)
