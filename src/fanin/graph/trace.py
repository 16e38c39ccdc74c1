"""A Trace: what the first steps of training did, parameter by parameter.

A framework's ``watching.py`` sees the steps and hands on a `StepRow` each; a `Trace`
holds all of them in arrays, so that its size does not depend on the model's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


class Moved(NamedTuple):
    """What one step did to one parameter; root mean squares.

    gradient: as the optimizer reads it (unscaled); NaN if there is none. weight: before
    the step. update: of the change. lost: share of the entries with a gradient that
    the step left as they were, bit for bit; NaN where it is not known.
    """

    gradient: float
    weight: float
    update: float
    lost: float


class Signal(NamedTuple):
    """The output of one module in the forward pass of one step.

    rms: over all numbers. spread: root of the mean, over positions, of the variance
    over samples; NaN for a batch of one.
    """

    rms: float
    spread: float


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """One optimizer step, as a framework saw it.

    loss: mean of the values told since the last step, NaN if none was. rate: largest
    learning rate, NaN if not known. moved: by path, of what the optimizer steps.
    signals: by path of a module, in order of running.
    """

    loss: float = np.nan
    rate: float = np.nan
    moved: Mapping[str, Moved] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Rows of a weight that were equal at the start, and what became of them.

    n_units: rows in all. n_equal: of them, equal to another at the start. n_left: of
    them, moved by the steps and still equal to another.
    """

    n_units: int
    n_equal: int
    n_left: int


Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """The steps that were watched: arrays of (step, parameter) or (step, site).

    paths: of the trainable parameters. sites: of modules, in order of running.
    gradient, weight, update, lost: (steps, paths), see `Moved`. rms, spread: (steps,
    sites), see `Signal`. loss, rate: (steps,). NaN where nothing was seen, infinity
    where a number was not finite. shapes: by path. unstepped: paths in no group of the
    optimizer, where it is known. twins: by path. head: paths of the last layer with
    weights, and of tables that are looked up, in which equal rows are no fault.
    family, eps: of the optimizer.
    remarks: what a reader should know of how the trace was taken.

    >>> trace_of([], paths=("w",)).n_steps
    0
    """

    paths: tuple[str, ...]
    sites: tuple[str, ...]
    gradient: Array
    weight: Array
    update: Array
    lost: Array
    rms: Array
    spread: Array
    loss: Array
    rate: Array
    shapes: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    unstepped: tuple[str, ...] = ()
    twins: Mapping[str, Twins] = field(default_factory=lambda: MappingProxyType({}))
    head: frozenset[str] = frozenset()
    family: str = "unknown"
    eps: float = 0.0
    remarks: tuple[str, ...] = ()

    @property
    def n_steps(self) -> int:
        """Give the count of optimizer steps."""
        return len(self.loss)

    @property
    def ratio(self) -> Array:
        """Give log₁₀(RMS of the update ÷ RMS of the weight), (steps, paths).

        −3 is a common rate of change for weights that are neither small nor zero. −inf:
        not moved; NaN: not stepped, or a weight of zeros.

        >>> row = StepRow(moved={"w": Moved(1.0, 2.0, 0.002, 0.0)})
        >>> trace_of([row], paths=("w",)).ratio.tolist()
        [[-3.0]]
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log10(self.update / self.weight)
        return np.where(self.weight == 0.0, np.nan, ratio)


def trace_of(rows: list[StepRow], *, paths: tuple[str, ...]) -> Trace:
    """Lay rows out in arrays; sites come in the order in which they first ran."""
    sites = tuple(dict.fromkeys(site for row in rows for site in row.signals))
    moved = _table([row.moved for row in rows], paths, len(Moved._fields))
    signals = _table([row.signals for row in rows], sites, len(Signal._fields))
    return Trace(
        paths=paths,
        sites=sites,
        gradient=moved[:, :, 0],
        weight=moved[:, :, 1],
        update=moved[:, :, 2],
        lost=moved[:, :, 3],
        rms=signals[:, :, 0],
        spread=signals[:, :, 1],
        loss=np.array([row.loss for row in rows], dtype=np.float64),
        rate=np.array([row.rate for row in rows], dtype=np.float64),
    )


def _table(
    rows: list[Mapping[str, Moved]] | list[Mapping[str, Signal]],
    names: tuple[str, ...],
    n_fields: int,
) -> Array:
    """Give (rows, names, fields) in float64; NaN where a row lacks a name."""
    columns = {name: column for column, name in enumerate(names)}
    table = np.full((len(rows), len(names), n_fields), np.nan)
    for number, row in enumerate(rows):
        for name, values in row.items():
            if name in columns:
                table[number, columns[name]] = values
    return table
