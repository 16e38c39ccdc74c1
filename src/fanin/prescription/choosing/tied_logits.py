"""The size of the logits of a table that is the head too, and factors behind a head.

The logits of a normalized vector x of d numbers are z_k = Σᵢ xᵢ·E_ki, of root mean
square a = s·√d for entries of std s. Over labels drawn uniformly the first loss is
above ln V by a²/2 and, since x is made of the row of its own token, whose logit is
ρ·√d·a, by up to ln(1 + (exp(ρ·√d·a) − 1)/V) − ρ·√d·a/V more. ρ is the share that the
row has of x: its correlation with it.
"""

from __future__ import annotations

from math import exp, isclose, log1p, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.walks import MOVING, is_bounded, is_cap

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node

LARGEST_RMS = 0.2
"""Of the logits that a tied table gives at first: a²/2 = 0.02 of loss, and few draws of
a batch's labels that miss ln V by a tenth."""
LARGEST_EXCESS = 0.05
"""Of the first loss over ln V that a tied table may cost: nats."""
N_HALVINGS = 50
NEAR = 1e-4


def excess(a: float, n_units: float, n_rows: float, share: float = 1.0) -> float:
    """Give the first loss over ln V of a tied table whose logits have rms ``a``: nats.

    Args:
        a: root mean square of the logits.
        n_units: d, of a row: a count.
        n_rows: V, of the table: a count.
        share: ρ, correlation of the head's input with its own token's row.

    >>> round(excess(0.3, 64, 100), 3)
    0.117
    """
    own = share * sqrt(n_units) * a
    return a**2 / 2 + log1p((exp(own) - 1.0) / n_rows) - own / n_rows


def tied_rms(n_units: float, n_rows: float, share: float = 1.0) -> float:
    """Give the root mean square of logits that costs 0.05 nats, 0.2 at most.

    >>> tied_rms(768, 50257, 0.5**0.5)
    0.2
    >>> round(tied_rms(4096, 32000, 0.6), 3)
    0.182
    """
    low, high = 0.0, LARGEST_RMS
    if excess(high, n_units, n_rows, share) <= LARGEST_EXCESS:
        return high
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        fits = excess(middle, n_units, n_rows, share) <= LARGEST_EXCESS
        low, high = (middle, high) if fits else (low, middle)
    return low


def is_constant_factor(flow: Flow, node: Node) -> bool:
    """Say whether a node multiplies one tensor by constants alone."""
    if node.op is not Op.MULTIPLY or node.scale is not None:
        return False
    return sum(flow.nodes[i].op is not Op.CONSTANT for i in node.inputs) == 1


def factor_of(flow: Flow, node: Node) -> float:
    """Give the number by which a node multiplies the one tensor it reads.

    1 where it does not, or where the numbers differ: a mask takes numbers out and does
    not scale those it leaves.
    """
    if is_affine(node):
        factor = node.details.get("factor", 1.0)
        return abs(float(factor)) if isinstance(factor, int | float) else 1.0
    if not is_constant_factor(flow, node):
        return 1.0
    product = 1.0
    for constant in (flow.nodes[i] for i in node.inputs):
        mean = constant.details.get("mean")
        square = constant.details.get("second_moment")
        if constant.op is Op.CONSTANT and isinstance(mean, float):
            is_one = isinstance(square, float) and isclose(mean**2, square)
            product *= abs(mean) if is_one else 1.0
    return product or 1.0


def factor_around_head(flow: Flow, path: str) -> float:
    """Give the constant factor around the head that a tied table is."""
    heads = [
        node
        for node in flow.graph.linears
        if node.weight is not None
        and not node.weight.roles.is_lookup
        and flow.graph.parameter(node.weight.path).path == path
    ]
    if not heads:
        return 1.0
    before, product = flow.before(heads[0]), output_factor(flow, heads[0])
    while before and (before[0].op in MOVING or is_affine(before[0])):
        product *= factor_of(flow, before[0])
        before = flow.before(before[0])
    return product


def output_factor(flow: Flow, head: Node) -> float:
    """Give the constant factor between a head and the output or softmax behind it.

    Softly capped logits, c·tanh(z/c), are not scaled: the two factors cancel.
    """
    product, current = 1.0, head
    while len(readers := flow.after(current.id)) == 1:
        current = readers[0]
        slope = _slope_of_odd(current)
        if slope is not None:
            product *= slope
        elif is_affine(current) or is_constant_factor(flow, current):
            product *= factor_of(flow, current)
        elif current.op not in MOVING:
            break
    return product


def _slope_of_odd(node: Node) -> float | None:
    """Give φ′(0) of a bounded function with φ(0) = 0, None of any other."""
    if node.function is None or not (is_bounded(node) or is_cap(node)):
        return None
    below, at, above = np.asarray(node.function(np.array([-NEAR, 0.0, NEAR])))
    return None if at else float(above - below) / (2 * NEAR)
