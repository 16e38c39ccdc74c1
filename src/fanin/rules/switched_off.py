"""Layers that a bias holds off, and what stands still because of them.

A ReLU behind a bias of −100 is off for every sample. Everything before it then has no
gradient, nor has the layer after it, whose input is 0 and whose zero bias looks like
the lock. The lock is the bias of −100: with it set to 0, they move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.curve import is_rectifier
from fanin.rules.layers import layers
from fanin.rules.slopes import where_not_zero
from fanin.rules.values import Changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.rules.inspection import Inspection
    from fanin.rules.layers import Layer


def is_held_off(layer: Layer) -> bool:
    """Say whether all units of a ReLU layer are off, by numbers that are not all 0."""
    maxima = layer.site.unit_maxima
    return (
        len(maxima) > 0
        and layer.site.is_finite
        and layer.site.second_moment > 0.0
        and is_rectifier(layer.activation)
        and bool(np.all(maxima <= 0.0))
    )


def held_by_biases(inspection: Inspection, stuck: Sequence[str]) -> frozenset[str]:
    """Give the stuck parameters that move once the biases that hold layers off are 0.

    Args:
        inspection: of a model that has run.
        stuck: paths of parameters that never move as the model is.

    Returns:
        A part of ``stuck``; one gradient is computed, none where no layer is off.
    """
    if not stuck:
        return frozenset()
    shifts = {p for la in layers(inspection) if is_held_off(la) for p in la.shifts}
    zeros = {
        path: np.zeros_like(inspection.values[path])
        for path in shifts
        if path in inspection.values and np.any(inspection.values[path])
    }
    if not zeros:
        return frozenset()
    point = Changed(inspection.values, zeros)
    found = inspection.gradients(point, where_not_zero)
    moving = {
        path for path in stuck if (g := found.get(path)) is not None and np.any(g)
    }
    return frozenset(moving)
