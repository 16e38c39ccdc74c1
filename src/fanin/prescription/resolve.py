"""Scheme + shape + roles → the sampler's law, all its numbers filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.sampler import Law

if TYPE_CHECKING:
    from fanin.graph.fans import AxisRoles
    from fanin.schemes import Scheme


def resolve(scheme: Scheme, shape: tuple[int, ...], roles: AxisRoles) -> Law:
    """Give the law of a weight under a scheme, with the scheme's own gain.

    Args:
        scheme: as found by `find_scheme`.
        shape: of the weight.
        roles: of its axes.

    >>> from fanin.graph.layouts import torch_linear
    >>> from fanin.schemes import find_scheme
    >>> resolve(find_scheme("lecun_normal"), (3, 16), torch_linear()).std
    0.25
    """
    if scheme.law == "constant":
        return Law("constant", value=scheme.value)
    if scheme.law in {"orthogonal", "identity"}:
        return Law(scheme.law, gain=scheme.gain, roles=roles)
    return Law(scheme.law, std=float(scheme.std(scheme.fan_of(shape, roles))))
