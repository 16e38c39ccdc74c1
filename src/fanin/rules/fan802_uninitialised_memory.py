"""FAN802 uninitialised-memory.

## What it finds
Weights that look like memory nobody wrote: a few entries ten thousand times larger than
the rest, or numbers below the smallest normal float.

## Why it hurts
What memory holds is left over from other programs. It changes from run to run and can
be NaN.

## When it is fine
Tables with designed outliers of this size are not known to exist; vectors are passed
over.

## Example
    self.table = nn.Parameter(torch.empty(64, 64))   # and no initializer

## Use instead
    self.table = nn.Parameter(torch.empty(64, 64).normal_(std=0.02))

## Assumptions
Arrays of two axes or more with at least 8 numbers. Memory that happens to hold zeros
is seen only as zeros.

## Source
For n normal numbers the largest is about √(2 ln n)/0.6745 times the median: under 10
for n up to 10⁹.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.rule import Evidence, Finding, Rule, Severity
from fanin.rules.sampled import is_finite, largest, sampled
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

LEAST_SIZE = 8
OUTLIER = 1e4
LEAST_MEDIAN = 1e-3
# Of numbers drawn with any std in use, one in 10³⁷ is subnormal.
SUBNORMAL_SHARE = 1e-3
SMALLEST_NORMAL = {"float64": 2.0**-1022, "float32": 2.0**-126, "bfloat16": 2.0**-126}


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for each array that looks unwritten."""
    for parameter in inspection.parameters:
        value = inspection.values.get(parameter.path)
        if value is None or value.ndim < 2 or value.size < LEAST_SIZE:
            continue
        signs = signs_of_garbage(value, parameter.dtype)
        if signs is not None:
            yield Finding(
                code=RULE.code,
                name=RULE.name,
                severity=RULE.severity,
                where=parameter.path,
                message="Its numbers look like memory that was never written.",
                measured=signs.text,
                expected="numbers of one size, as any law draws them",
                why="What memory holds is chance, changes from run to run, and can be "
                "NaN.",
                fix="Give it an initializer: fanin.init(model).",
                evidence=Evidence.MEASURED,
                paths=(parameter.path,),
                value=signs.value,
                interval=(0.0, signs.most),
            )


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What gives unwritten memory away, and the number beyond which it does.

    value: the largest number over the median, or the share of subnormal numbers.
    """

    text: str
    value: float
    most: float


def signs_of_garbage(value: np.ndarray, dtype: str) -> Signs | None:
    """Say what gives unwritten memory away; None if nothing does.

    >>> signs_of_garbage(np.array([[1.0, 2.0], [3.0, 1e18]]), "float32").text
    'the largest number is 1·10¹⁸, the median 2.5'
    >>> signs_of_garbage(np.array([[1.0, 2.0], [3.0, 4.0]]), "float32") is None
    True
    """
    if not is_finite(value):
        value = value[np.isfinite(value)]
    if not value.size:
        return None
    size = np.abs(sampled(value))
    median, greatest = float(np.median(size)), largest(value)
    ratio = greatest / max(median, LEAST_MEDIAN)
    if ratio > OUTLIER:
        text = f"the largest number is {number(greatest)}, the median {number(median)}"
        return Signs(text=text, value=ratio, most=OUTLIER)
    smallest = SMALLEST_NORMAL.get(dtype)
    if smallest is None:
        return None
    share = float(np.mean((size > 0.0) & (size < smallest)))
    if share > SUBNORMAL_SHARE:
        text = f"{share:.1%} of its numbers are below the smallest normal float"
        return Signs(text=text, value=share, most=SUBNORMAL_SHARE)
    return None


RULE = Rule(
    code="FAN802",
    name="uninitialised-memory",
    severity=Severity.ERROR,
    find=find,
    page=__doc__,
    hidden_by=("FAN801", "FAN807"),
    needs_run=False,
)
