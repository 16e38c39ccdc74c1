"""What this process holds of a parameter: a box of it, to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from fanin.graph.region import Region

Take = Callable[["np.ndarray"], "np.ndarray"]
"""Row-major indices within a box, 1-D → the numbers there, exactly."""


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A box of a parameter that lies in this process, on a device of it, or in a file.

    shape: of the whole parameter. region: where the box lies in it. dtype: in which the
    numbers are stored. take: gives some of them, in a NumPy dtype that holds them
    exactly (bfloat16 as float32 where NumPy has none); no copy of the box is made.

    >>> import numpy as np
    >>> from fanin.graph.region import Region
    >>> held = Holding(
    ...     shape=(2, 2),
    ...     region=Region.all((2, 2)),
    ...     dtype="float64",
    ...     take=np.eye(2).take,
    ... )
    >>> held.take(np.array([0, 1])).tolist()
    [1.0, 0.0]
    """

    shape: tuple[int, ...]
    region: Region
    dtype: str
    take: Take
