"""A run of pointwise primitives as one function of one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.draft import PointwiseFunction


@dataclass(frozen=True, kw_only=True)
class Step:
    """One primitive of a run: the value it gives, its function, and what it reads.

    operands: ids of values of the run (its root among them), or numbers.
    """

    value: int
    name: str
    function: PointwiseFunction
    operands: tuple[int | np.float64, ...]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The very primitives that ran, each once, on float64 arrays of any shape.

    root: id of the value that the run begins with; tables: ids of parameters whose
    numbers it holds (a PReLU's slope).
    """

    root: int
    steps: tuple[Step, ...]
    tables: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the primitives, in order."""
        return tuple(step.name for step in self.steps)

    @property
    def __name__(self) -> str:
        """A name for the run, as functions have one: its primitives in a row.

        >>> steps = [
        ...     Step(value=1, name="aten.abs", function=np.abs, operands=(0,)),
        ...     Step(value=2, name="aten.sqrt", function=np.sqrt, operands=(1,)),
        ... ]
        >>> Replay(root=0, steps=tuple(steps)).__name__
        'abs → sqrt'
        """
        return " → ".join(name.rpartition(".")[2] for name in self.names)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Evaluate, entry by entry.

        >>> square = Step(value=1, name="mul", function=np.multiply, operands=(0, 0))
        >>> Replay(root=0, steps=(square,))(np.array([3.0]))
        array([9.])
        """
        known: dict[int, np.ndarray] = {self.root: np.asarray(values, np.float64)}
        with np.errstate(all="ignore"):
            for step in self.steps:
                read = [
                    known[o] if isinstance(o, int) else np.asarray(o, np.float64)
                    for o in step.operands
                ]
                known[step.value] = np.asarray(step.function(*read))
        result = np.asarray(known[self.steps[-1].value], np.float64)
        return np.array(np.broadcast_to(result, np.shape(values)))


class SharedRuns:
    """Runs that compute the same, each as one object: what is found of it is kept.

    The blocks of a net repeat their activations; moments, gains and kinks are looked up
    by the object.

    >>> def doubled(value):
    ...     step = Step(
    ...         value=value + 1, name="add", function=np.add, operands=(value,) * 2
    ...     )
    ...     return Replay(root=value, steps=(step,))
    >>> shared = SharedRuns()
    >>> shared.of(doubled(0)) is shared.of(doubled(7))
    True
    """

    def __init__(self) -> None:
        self._known: dict[object, list[Replay]] = {}

    def of(self, run: Replay) -> Replay:
        """Give the first run that is equal but for the ids of its values."""
        likely = self._known.setdefault(_outline(run), [])
        functions = [step.function for step in run.steps]
        for other in likely:
            if functions == [step.function for step in other.steps]:
                return other
        likely.append(run)
        return run


def _outline(run: Replay) -> object:
    """Give all of a run but its functions, its values numbered in their order."""
    order = {run.root: 0} | {step.value: n for n, step in enumerate(run.steps, 1)}
    read = [
        tuple(order[o] if isinstance(o, int) else repr(o) for o in step.operands)
        for step in run.steps
    ]
    return run.tables, run.names, tuple(read)


def joined(parts: list[Replay], step: Step, tables: tuple[int, ...]) -> Replay:
    """Add a step to the runs that it reads, which all begin with one root."""
    before = {s.value: s for part in parts for s in part.steps}
    steps = tuple(before[value] for value in sorted(before))
    held = dict.fromkeys(t for part in parts for t in part.tables)
    return Replay(
        root=parts[0].root,
        steps=(*steps, step),
        tables=tuple(dict.fromkeys((*held, *tables))),
    )
