"""The ledger of a watched loop: rows as they come, and where numbers broke first."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isinf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.trace import StepRow


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A number that is NaN or infinite.

    step: from 0. what: "output", "loss", "weight", "gradient" or "update".
    """

    step: int
    what: str
    path: str


@dataclass(kw_only=True)
class Ledger:
    """Rows of a loop, so many at most. broken: what the first bad row shows."""

    most: int
    rows: list[StepRow] = field(default_factory=list)
    broken: tuple[Broken, ...] = ()

    def add(self, row: StepRow) -> bool:
        """Keep a row; say whether there is room for another.

        >>> from fanin.graph.trace import Moved, StepRow
        >>> ledger = Ledger(most=2)
        >>> bad = Moved(gradient=float("inf"), weight=1.0, update=0.1, lost=0.0)
        >>> ledger.add(StepRow(moved={"w": bad})), ledger.broken
        (True, (Broken(step=0, what='gradient', path='w'),))
        """
        if len(self.rows) < self.most:
            if not self.broken:
                self.broken = tuple(broken_in(row, len(self.rows)))
            self.rows.append(row)
        return len(self.rows) < self.most


def broken_in(row: StepRow, step: int) -> Iterator[Broken]:
    """Yield what is not finite, in the order in which a step makes it."""
    for path, signal in row.signals.items():
        if isinf(signal.rms):
            yield Broken(step=step, what="output", path=path)
    if isinf(row.loss):
        yield Broken(step=step, what="loss", path="the loss")
    for what, numbers in (
        ("weight", {p: m.weight for p, m in row.moved.items()}),
        ("gradient", {p: m.gradient for p, m in row.moved.items()}),
        ("update", {p: m.update for p, m in row.moved.items()}),
    ):
        for path, number in numbers.items():
            if isinf(number):
                yield Broken(step=step, what=what, path=path)
