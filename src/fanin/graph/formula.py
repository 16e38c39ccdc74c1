"""How an entry of a parameter is computed from its place, in whole numbers.

docs/sampler.md says why: whole numbers, their conversion to float32 and one product are
the same on every device and under every compiler. What a device computes by a formula
has the bits that a host draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from fanin.graph.fans import AxisRoles


@dataclass(frozen=True, kw_only=True)
class Change:
    """Units that are multiplied by a factor or set to a value.

    Those units ``u`` with ``start ≤ u mod period < start + size``. value: set where it
    is not None.
    """

    start: int
    size: int
    period: int
    factor: float
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Formula:
    """What the entries of a parameter depend on.

    shape, dtype: of the parameter: float32, float16 or bfloat16. block: shape of one
    block; the parameter is so many blocks along ``axis``, block k with key k, and then
    along each axis in ``mirrored`` minus itself. keys: 64 bits each.
    is_uniform: uniform, else normal. first, left: the smallest magnitude of a cut law,
    and how many are left from there. limit: the largest height. factor: by which units
    are multiplied; 0 for a constant. value: of a constant.
    tables: base and slope of the normal law, uint32.
    changes: of units, last of all; roles: of the axes that say which entry is whose.
    """

    shape: tuple[int, ...]
    dtype: str
    block: tuple[int, ...]
    axis: int
    mirrored: tuple[int, ...]
    keys: tuple[int, ...]
    is_uniform: bool
    first: int
    left: int
    limit: int
    factor: float
    value: float
    tables: tuple[np.ndarray, np.ndarray]
    changes: tuple[Change, ...]
    roles: AxisRoles | None
