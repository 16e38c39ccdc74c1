"""Whether a graph leaves to its weights alone what a normalization would even out.

A weight W of m outputs and n inputs with independent normal entries keeps the squared
length of a vector on average only: ‖Wx‖² = σ²‖x‖²·χ²_m, which spreads over directions
x by 2/m relative to its square, and its singular values reach from near 0 to twice
their root mean square (Marchenko & Pastur 1967). A factor for the whole weight, as
calibration finds it, mends the average. An orthogonal W of that average keeps all
lengths where m ≥ n; where m < n, ‖Wx‖²/‖x‖² ∝ Beta(m/2, (n−m)/2) spreads by
2(n−m)/(m(n+2)), which is less. Behind a normalization the difference is gone: each
sample is brought to one length again. Without any, what a layer does to a direction is
multiplied by what the next one does: along the branches of a stream and, squared, in
products (Saxe et al. 2013; Hu, Xiao & Pennington 2020). Plain chains of layers have
their own rule (``isometry.py``), by how deep they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles.recurrence import recurrent_uses
from fanin.graph.roles.residual import joints
from fanin.graph.roles.walks import is_product

if TYPE_CHECKING:
    from fanin.graph.flow import Flow


def is_unnormalized(flow: Flow) -> bool:
    """Say whether a graph of residual streams or products normalizes nowhere.

    Not where a state is carried from step to step: the sums and products of recurrent
    cells are bounded by their gates, and their weights have laws of their own.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="0")
    >>> is_unnormalized(Flow(sketch.graph(x)))
    False
    >>> y = sketch.combine(Op.ADD, x, sketch.dense(x, 3, path="1"))
    >>> is_unnormalized(Flow(sketch.graph(y)))
    True
    """
    nodes = flow.graph.nodes
    if any(node.op is Op.NORMALIZE for node in nodes) or recurrent_uses(flow):
        return False
    has_streams = any(joint.shortcut is not None for joint in joints(flow))
    return has_streams or any(is_product(flow, node) for node in nodes)
