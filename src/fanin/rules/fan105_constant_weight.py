"""FAN105 constant-weight.

## What it finds
Weights of linear layers whose entries are all one and the same number, not zero (a
note); and look-up tables whose rows are all the same row of different numbers (a
warning).

## Why it hurts
A table of equal rows gives every word the same vector: the model cannot tell one word
from another, and its output does not depend on the input.

Where it makes the units of a hidden layer equal, FAN103 or FAN104 says so. What is left
here is harmless at first sight: an output layer, say. It is still rarely meant.

## When it is fine
Linear and logistic regression; averaging layers. Tables of ones are gains, and tables
of zeros start even: neither is meant.

## Example
    nn.init.constant_(model.head.weight, 0.1)

## Use instead
    nn.init.zeros_(model.head.weight)   # an even start, or draw it at random

## Assumptions
None.

## Source
Exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.sampled import is_constant, is_zero
from fanin.rules.trunk import is_lookup
from fanin.rules.words import number, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield notes on weights of one number, and warnings on tables of one row."""
    yield from _of_one_number(inspection)
    tables = (
        n.weight.path for n in inspection.graph.linears if n.weight and is_lookup(n)
    )
    for path in dict.fromkeys(tables):
        value = inspection.values.get(path)
        if value is None or path not in inspection.trainable:
            continue
        if is_one_row(value):
            yield _table(inspection, path, len(value))


def is_one_row(table: np.ndarray) -> bool:
    """Say whether all rows are one row, whose numbers differ.

    >>> is_one_row(np.array([[1.0, 2.0], [1.0, 2.0]]))
    True
    >>> is_one_row(np.ones((2, 2)))
    False
    """
    if table.ndim != 2 or min(table.shape) < 2 or np.ptp(table[0]) == 0.0:
        return False
    # Two rows tell nearly every table apart; all are read only where they are equal.
    return bool(np.array_equal(table[1], table[0]) and np.all(table == table[0]))


def _table(inspection: Inspection, path: str, n_rows: int) -> Finding:
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.WARNING,
        where=path,
        message=f"All {n_rows} rows of the table are the same.",
        measured="one row",
        expected=f"{n_rows} different rows",
        why="Every word gets the same vector: the output cannot depend on the input.",
        fix="Draw the table from a random law: fanin.init(model).",
        source=source_of(inspection.graph, path),
        paths=(path,),
        value=1.0,
        interval=(float(n_rows), float(n_rows)),
    )


def _of_one_number(inspection: Inspection) -> Iterator[Finding]:
    weights = dict.fromkeys(n.weight.path for n in inspection.graph.linears if n.weight)
    for path in weights:
        value = inspection.values.get(path)
        if value is None or path not in inspection.trainable:
            continue
        if min(value.shape, default=0) < 2 or not is_constant(value):
            continue
        if is_zero(value):
            continue
        constant = float(value.flat[0])
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=Severity.INFO,
            where=path,
            message=f"All {value.size} entries are {number(constant)}.",
            measured=f"one value, {number(constant)}",
            expected="different values, or zeros in an output layer",
            why="A constant layer adds its inputs up and keeps nothing else of them.",
            fix="Draw it from a random law: fanin.init(model).",
            source=source_of(inspection.graph, path),
            paths=(path,),
            value=1.0,
            interval=(2.0, float(value.size)),
        )


RULE = Rule(
    code="FAN105",
    name="constant-weight",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
    hidden_by=("FAN103", "FAN104"),
)
