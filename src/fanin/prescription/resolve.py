"""From a scheme and a weight's shape to the law that the sampler draws from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.sampler import Law
from fanin.sampler.law import MATRICES

if TYPE_CHECKING:
    from fanin.graph.fans import AxisRoles
    from fanin.schemes import Scheme


def resolve(scheme: Scheme, shape: tuple[int, ...], roles: AxisRoles) -> Law:
    """Give the law of a weight of that shape, with the scheme's own gain.

    Args:
        scheme: as found by `find_scheme`.
        shape: of the stored weight.
        roles: what each axis stands for.

    Raises:
        ArgumentError: if the roles do not name every axis once.

    >>> from fanin.graph.fans import AxisRoles
    >>> from fanin.schemes import find_scheme
    >>> dense = AxisRoles(outputs=(0,), inputs=(1,))
    >>> resolve(find_scheme("he_normal"), (10, 50), dense).std
    0.2
    """
    if scheme.law == "constant":
        return Law("constant", value=scheme.value)
    if scheme.law in MATRICES:
        return Law(scheme.law, gain=scheme.gain, roles=roles)
    return Law(scheme.law, std=float(scheme.std(scheme.fan_of(shape, roles))))
