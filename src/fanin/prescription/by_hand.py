"""Tell a head bias that someone has set on purpose from one that a framework drew.

A prior is often written into the last bias when the model is built (−4.6 in every unit
of a detector, for objects in 1 % of the places). It must not be overwritten; what
another initialization or training left there should be. The first stands beside a
weight that is still as the framework drew it; the second does not.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.graph.fans import Fan
    from fanin.graph.graph import Parameter
    from fanin.prescription.desk import Desk

N_DEVIATIONS = 5.0
"""A std counts as the default's within so many standard errors."""
CLOSE = 1e-3
"""Room for rounding, relative."""
TRUNCATION = 2.0 / 0.87962566
"""Where a normal cut at ±2 of its parent's std ends, in units of its own std."""
TRANSFORMERS_STD = 0.02
"""Of all weights in the models of the transformers library, unless set otherwise."""


def set_by_hand(desk: Desk, bias: Parameter) -> bool:
    """Say whether the present values of a head's bias were set on purpose.

    No framework's default gives them: they are beyond 1/√n_in (PyTorch and Equinox draw
    within it, Keras and Flax set 0), or all the same and not 0.
    """
    node = desk.roles[bias.path].node
    weight = None if node is None else desk.flow.nodes[node].weight
    if weight is None:
        return False
    numbers = desk.evidence.values.get(bias.path)
    weights = desk.evidence.values.get(desk.graph.parameter(weight.path).path)
    if numbers is None or weights is None or not is_fresh(weights, weight.fan):
        return False
    largest = float(np.max(np.abs(numbers), initial=0.0))
    is_flat = numbers.size > 1 and np.ptp(numbers) == 0.0 and largest > 0.0
    is_beyond = largest > (1.0 + CLOSE) / sqrt(weight.fan.n_in)
    return bool(np.isfinite(numbers).all() and (is_flat or is_beyond))


def is_fresh(weights: np.ndarray, fan: Fan[float]) -> bool:
    """Say whether a weight could be as its framework drew it.

    Its std must be the default's within the sampling error, and no entry beyond the
    default's bound: U(±1/√n_in) in PyTorch and Equinox, Glorot's uniform in Keras,
    LeCun's truncated normal in Flax, N(0, 0.02²) in transformers.

    >>> from fanin.graph.fans import Fan
    >>> from fanin.sampler import Law, draw
    >>> drawn = draw("w", (10, 64), Law("uniform", bound=0.125), seed=0)
    >>> is_fresh(drawn, Fan(n_in=64.0, n_out=10.0))
    True
    >>> is_fresh(1.5 * drawn, Fan(n_in=64.0, n_out=10.0))
    False
    """
    entries = np.asarray(weights, dtype=np.float64)
    if entries.size == 0 or not np.isfinite(entries).all():
        return False
    std, largest = float(np.sqrt(np.mean(entries**2))), float(np.abs(entries).max())
    uniform, glorot = 1.0 / sqrt(fan.n_in), sqrt(6.0 / (fan.n_in + fan.n_out))
    defaults = (
        (uniform / sqrt(3.0), uniform),
        (glorot / sqrt(3.0), glorot),
        (uniform, TRUNCATION * uniform),
        (TRANSFORMERS_STD, inf),
    )
    error = N_DEVIATIONS / sqrt(2.0 * entries.size)
    return any(
        abs(std / known - 1.0) <= error and largest <= bound * (1.0 + CLOSE)
        for known, bound in defaults
    )
