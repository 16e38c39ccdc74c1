"""What a parameter must look like because of what it is for: one file a role.

A file is a demand: ``misfits(inspection)`` yields the parameters that do not meet it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.rules.structured import (
    decay,
    forget_gate,
    norm_gain,
    padding_row,
    step_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fanin.rules.inspection import Inspection
    from fanin.rules.structured.misfit import Misfit

DEMANDS: Final[tuple[Callable[[Inspection], Iterator[Misfit]], ...]] = (
    step_size.misfits,
    decay.misfits,
    forget_gate.misfits,
    norm_gain.misfits,
    padding_row.misfits,
)
