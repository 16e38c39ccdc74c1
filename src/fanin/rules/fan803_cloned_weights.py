"""FAN803 cloned-weights.

## What it finds
Two weights in different places of the model that hold the same numbers and are not the
same array: a layer that was copied after it had been drawn.

## Why it hurts
The layers begin as one and part slowly; where their outputs are added they are one
layer twice. Depth that is copied is depth that was not drawn.

## When it is fine
Copies that are kept for a purpose: a target network, a moving average, a Siamese pair.
Frozen copies are passed over, and so are tables made by formula: decay rates, mixing
shares, gains, positions.

## Example
    layers = [copy.deepcopy(layer) for _ in range(6)]   # so does nn.TransformerEncoder

## Use instead
    layers = [make_layer() for _ in range(6)]
    # or draw them anew: fanin.init(model, seed=0)

## Assumptions
Arrays of two axes or more, at least 16 numbers, not constant, not a fixed pattern of
zeros and ones: chance makes two float32 arrays equal with probability 2⁻³⁸⁴.

## Source
pytorch/pytorch issue 72253 ("TransformerEncoder clones its layer").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.roles import RoleKind
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.sampled import sampled
from fanin.rules.values import Chosen
from fanin.rules.words import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fanin.rules.inspection import Inspection

LEAST_SIZE = 16
BY_FORMULA = {
    RoleKind.STATE_MATRIX,
    RoleKind.STEP_SIZE,
    RoleKind.SKIP,
    RoleKind.FACTOR,
    RoleKind.LAYER_SCALE,
    RoleKind.LOGIT_SCALE,
    RoleKind.POSITION_TABLE,
    RoleKind.POSITION_BIAS,
    RoleKind.NORM_GAIN,
    RoleKind.NORM_SHIFT,
}


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for all sets of equal weights."""
    tokens = {p.path: p.initializer for p in inspection.parameters}
    drawn = Chosen(inspection.values, weights_by_chance(inspection))
    sets = [s for s in equal_arrays(drawn) if not _share_initializer(s, tokens)]
    if not sets:
        return
    paths = tuple(path for same in sets for path in same)
    examples = [" = ".join(same[:3]) for same in sets]
    yield Finding(
        code=RULE.code,
        name=RULE.name,
        severity=RULE.severity,
        where=listing(examples, 2),
        message=f"{len(paths)} weights hold only {len(sets)} different "
        f"{'set' if len(sets) == 1 else 'sets'} of numbers.",
        measured="equal in every entry, and not the same array",
        expected="a draw of its own for each weight",
        why="Layers that begin as copies do the same work until they part.",
        fix="Build each layer anew instead of copying it, or fanin.init(model).",
        paths=paths,
        value=float(len(sets)),
        interval=(float(len(paths)), float(len(paths))),
        mends=tuple(path for same in sets for path in same[1:]),
    )


def weights_by_chance(inspection: Inspection) -> tuple[str, ...]:
    """Give the trained parameters that a model draws at random, where that is known.

    Tables made by formula (decay rates, mixing shares, positions) are the same in every
    layer on purpose. Without a run every parameter may be one that is drawn.
    """
    if inspection.measurement is None:
        return tuple(inspection.trainable)
    return tuple(
        path
        for path in inspection.trainable
        if inspection.roles[path].kind not in BY_FORMULA
    )


def equal_arrays(values: Mapping[str, np.ndarray]) -> list[tuple[str, ...]]:
    """Give the sets of paths whose drawn arrays are equal, in order of appearance.

    >>> drawn = np.arange(32.0).reshape(4, 8) ** 1.5
    >>> equal_arrays({"a": drawn, "b": drawn.copy(), "c": np.ones((4, 8))})
    [('a', 'b')]
    """
    alike: dict[tuple[tuple[int, ...], bytes], list[str]] = {}
    for path, value in values.items():
        n_axes = sum(length > 1 for length in value.shape)
        if n_axes >= 2 and value.size >= LEAST_SIZE:
            beginning = sampled(value, LEAST_SIZE).tobytes()
            alike.setdefault((value.shape, beginning), []).append(path)
    return [
        same
        for paths in alike.values()
        if len(paths) > 1 and is_drawn(values[paths[0]])
        for same in _in_every_entry(values, paths)
    ]


def _in_every_entry(
    values: Mapping[str, np.ndarray], paths: Sequence[str]
) -> list[tuple[str, ...]]:
    """Part arrays that begin alike into sets that are equal throughout."""
    sets: list[list[str]] = []
    for path in paths:
        for same in sets:
            if np.array_equal(values[same[0]], values[path]):
                same.append(path)
                break
        else:
            sets.append([path])
    return [tuple(same) for same in sets if len(same) > 1]


def is_drawn(value: np.ndarray) -> bool:
    """Say whether numbers look drawn: many different ones, not a few repeated.

    >>> is_drawn(np.eye(8)), is_drawn(np.arange(64.0).reshape(8, 8))
    (False, True)
    """
    some = sampled(value)
    return len(np.unique(some)) > some.size // 2


def _share_initializer(same: Sequence[str], tokens: Mapping[str, str]) -> bool:
    """Say whether one initializer object made them all: FAN804 speaks of it."""
    names = {tokens.get(path, "") for path in same}
    return len(names) == 1 and "" not in names


RULE = Rule(
    code="FAN803",
    name="cloned-weights",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN807",),
    needs_run=False,
)
