"""The row of a table that stands for no token: 0, and it stays so, for it never trains.

`torch.nn.Embedding(padding_idx=…)` sets it to 0 and gives it no gradient; an
initialization that fills the whole table leaves it at random numbers for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.structured.misfit import Misfit
from fanin.rules.virtual_steps import root_mean_square
from fanin.rules.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection


def misfits(inspection: Inspection) -> Iterator[Misfit]:
    """Yield each table whose padding row is not 0."""
    rows = {
        node.weight.path: row
        for node in inspection.graph.linears
        if node.weight is not None
        and isinstance(row := node.details.get("padding_row"), int)
    }
    for path, row in rows.items():
        value = inspection.values.get(path)
        if value is None or value.ndim != 2 or row >= len(value):
            continue
        size = root_mean_square(value[row])
        if size > 0.0:
            yield Misfit(
                paths=(path,),
                message=f"Row {row} stands for no token and is not 0.",
                measured=f"root mean square {number(size)} in row {row}",
                expected="0",
                why="The row gets no gradient: what padding adds now it adds for ever.",
                fix=f"Set row {row} to 0 after filling the table.",
                value=size,
                interval=(0.0, 0.0),
                is_note=True,
                is_mended=False,
            )
