"""FAN005 frozen-among-trained.

## What it finds
A layer that is frozen while the sister layers around it train: the same place of a
repeated block, the same class, the same shapes.

## Why it hurts
What is frozen at its random start stays random. One layer of a stack that never learns
costs accuracy, and no curve says why.

## When it is fine
Wherever it is meant. The usual ways of freezing are silent: the whole of a backbone,
its first layers, everything but adapters or a head, biases or tables that stand alone.

## Example
    for i, layer in enumerate(model.layers):
        layer.requires_grad_(i != 3)         # meant to be: i > 3

## Use instead
    model.layers.requires_grad_(True)

## Assumptions
Sisters have the same path up to its numbers and the same shapes. Only frozen layers
with a trained sister before them, and fewer than their trained sisters, are reported.
JAX has no mark for what is frozen there, so that the rule rests.

## Source
Exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.siblings import module_of, place
from fanin.rules.words import count, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fanin.graph import Parameter
    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each place where a layer is frozen among sisters."""
    for layers in sister_layers(inspection.parameters):
        frozen = frozen_among(layers)
        if not frozen:
            continue
        paths = tuple(p.path for layer in frozen for p in layer)
        names = [module_of(layer[0].path) for layer in frozen]
        n_trained = len(layers) - len(frozen)
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=RULE.severity,
            where=listing(names),
            message=f"{'It is' if len(names) == 1 else 'They are'} frozen, and "
            f"{count(n_trained, 'sister layer')} of the same shape "
            f"{'trains' if n_trained == 1 else 'train'}.",
            measured=f"{len(frozen)} of {len(layers)} layers frozen",
            expected="all of them trained, or the first ones frozen",
            why="What is frozen at a random start stays random.",
            fix="Let it train, or leave it if this is meant.",
            paths=paths,
            value=float(len(frozen)),
            interval=(0.0, 0.0),
            mends=(),
        )


Layer = tuple["Parameter", ...]


def sister_layers(parameters: Sequence[Parameter]) -> list[list[Layer]]:
    """Give the sets of two or more layers of the same place and the same shapes."""
    held: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        held.setdefault(module_of(parameter.path), []).append(parameter)
    found: dict[tuple[str, tuple[object, ...]], list[Layer]] = {}
    for name, own in held.items():
        shapes = tuple((place(p.path), p.shape, p.owner) for p in own)
        found.setdefault((place(name), shapes), []).append(tuple(own))
    return [layers for layers in found.values() if len(layers) > 1]


def frozen_among(layers: Sequence[Layer]) -> list[Layer]:
    """Give the wholly frozen layers that come after a trained one and are the fewer."""
    frozen = [layer for layer in layers if not any(p.is_trainable for p in layer)]
    if 2 * len(frozen) >= len(layers):
        return []
    first_trained = next(i for i, layer in enumerate(layers) if layer not in frozen)
    return [layer for layer in layers[first_trained:] if layer in frozen]


RULE = Rule(
    code="FAN005",
    name="frozen-among-trained",
    severity=Severity.INFO,
    find=find,
    page=__doc__,
    needs_run=False,
)
