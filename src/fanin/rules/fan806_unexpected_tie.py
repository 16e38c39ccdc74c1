"""FAN806 unexpected-tie.

## What it finds
One parameter that the model holds under two names or more, where it is not the table
of an embedding: a layer put into a list several times, a weight assigned to another.

## Why it hurts
The layers are one layer: they have the parameters of one and are trained as one. The
count of layers in the code is not the depth of what can be learned.

## When it is fine
Wherever it is meant: shared blocks, weight tying. Tables that the head or a second
stack reads as well are so often meant that they are not reported.

## Example
    layers = nn.ModuleList([nn.Linear(64, 64)] * 6)      # six names of one layer

## Use instead
    layers = nn.ModuleList([nn.Linear(64, 64) for _ in range(6)])

## Assumptions
None: names of one array, or of one memory.

## Source
Exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.roles import RoleKind
from fanin.rules.rule import Evidence, Finding, Rule, Severity
from fanin.rules.siblings import place
from fanin.rules.words import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fanin.graph import Parameter
    from fanin.rules.inspection import Inspection

TABLES = {
    RoleKind.EMBEDDING,
    RoleKind.TIED_EMBEDDING,
    RoleKind.POSITION_TABLE,
    RoleKind.POSITION_BIAS,
}


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each set of layers that are tied in the same way."""
    kinds = {} if inspection.measurement is None else inspection.roles
    tied: dict[tuple[str, ...], list[Parameter]] = {}
    for parameter in inspection.parameters:
        role = kinds.get(parameter.path)
        if parameter.aliases and (role is None or role.kind not in TABLES):
            names = (parameter.path, *parameter.aliases)
            tied.setdefault(_layers(names), []).append(parameter)
    for layers, parameters in tied.items():
        names = (parameters[0].path, *parameters[0].aliases)
        is_list = len({place(name) for name in names}) == 1
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(layers or names),
            message=f"These are {len(names)} names of one and the same "
            f"{'layer, put into a list several times' if is_list else 'parameter'}.",
            measured=f"{len(names)} names, one array",
            expected="an array of its own for each name, unless the tie is meant",
            why="What is tied is trained as one, and has the parameters of one.",
            fix="Build each layer anew, or leave it if the tie is meant.",
            evidence=Evidence.PROVED,
            paths=tuple(p.path for p in parameters),
            value=float(len(names)),
            interval=(1.0, 1.0),
            mends=(),
        )


def _layers(names: Sequence[str]) -> tuple[str, ...]:
    """Give the layers that hold these names: each name up to its last part.

    >>> _layers(["a.weight", "b.weight"])
    ('a', 'b')
    """
    cuts = (max(name.rfind("."), name.rfind("/")) for name in names)
    return tuple(
        name[: max(cut, 0)] or name for name, cut in zip(names, cuts, strict=True)
    )


RULE = Rule(
    code="FAN806",
    name="unexpected-tie",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
    needs_run=False,
)
