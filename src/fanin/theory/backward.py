"""Gradient second moments carried back through a Graph.

E[δ²] of dL/d(output), relative to that at the outputs. The gradient is taken as
independent of the activations (the gradient-independence assumption of mean field
theory: Schoenholz et al. 2017), and gradients that meet at a fork as uncorrelated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.theory.given import number, padding_share, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.graph.graph import Node
    from fanin.theory.forward import Forward

Factor = float | None


def backward(
    forward: Forward, at_outputs: Mapping[int, float]
) -> dict[int, float | None]:
    """Give E[δ²] at every node: 0 where no gradient comes, None where no rule is.

    Args:
        forward: a walk that has run.
        at_outputs: E[δ²] of the gradient that arrives at each output node.
    """
    graph = forward.graph
    arrived: dict[int, float | None] = {node.id: 0.0 for node in graph.nodes}
    arrived.update(at_outputs)
    for node in reversed(graph.nodes):
        gradient = arrived[node.id]
        for source in dict.fromkeys(node.inputs):
            factor = _factor(forward, node, source) if gradient != 0.0 else 0.0
            before = arrived[source]
            if before is None or gradient is None or factor is None:
                arrived[source] = None
            else:
                arrived[source] = before + gradient * factor
    return arrived


def _factor(forward: Forward, node: Node, source: int) -> Factor:
    """Give E[δ_in²]/E[δ_out²] of one operation towards one of its inputs."""
    handlers: dict[Op, Callable[[Forward, Node, int], Factor]] = {
        Op.LINEAR: _linear,
        Op.ELEMENTWISE: lambda f, n, _: f.slopes.get(n.id),
        Op.ADD: lambda _, n, s: float(n.inputs.count(s) ** 2),
        Op.MULTIPLY: _multiply,
        Op.CONCAT: lambda *_: 1.0,
        Op.REARRANGE: lambda *_: 1.0,
        Op.NORMALIZE: _normalize,
        Op.SOFTMAX: _softmax,
        Op.REDUCE: _reduce,
        Op.NOISE: _noise,
    }
    handler = handlers.get(node.op)
    return None if handler is None else handler(forward, node, source)


def _linear(forward: Forward, node: Node, _: int) -> Factor:
    """fan_out·E[w²]: one input entry collects from fan_out outputs."""
    weight = node.weight
    if weight is None or weight.path not in forward.given.variances:
        return None
    if weight.roles.is_lookup:
        return 0.0
    entry = forward.given.of(weight.path, mean=0.0)
    return weight.fan.n_out * (1.0 - padding_share(node)) * entry.second_moment


def _multiply(forward: Forward, node: Node, source: int) -> Factor:
    """E[b²] for the other factors b."""
    factor = forward.given.of(node.scale, mean=1.0).second_moment
    for other in node.inputs:
        moments = forward.moments[other]
        if other == source or (
            node.scale and forward.flow.nodes[other].op is Op.PARAMETER
        ):
            continue
        if moments is None:
            return None
        factor *= moments.second_moment
    return factor


def _normalize(forward: Forward, node: Node, source: int) -> Factor:
    """E[gain²]/(v + eps): the two directions that it projects out are left aside.

    Batch normalization divides by the variance over the batch, from which the part
    that all samples share is gone; v here holds that part. Behind ReLU the true factor
    is π/(π − 1) larger (Yang et al. 2019): growth through such layers is understated.
    """
    gain = forward.given.of(node.scale, mean=1.0).second_moment
    eps = number(node, "eps", 0.0)
    if node.details.get("is_identity"):
        return gain / (1.0 + eps)
    x = forward.moments[source]
    if x is None:
        return None
    spread = x.second_moment if node.details.get("kind") == "rms" else x.variance
    return gain / (spread + eps) if spread + eps > 0 else None


def _softmax(forward: Forward, node: Node, _: int) -> Factor:
    """E[α²], from the diagonal α − α² of the Jacobian, for many small α."""
    moments = forward.moments[node.id]
    return None if moments is None else moments.second_moment


def _reduce(forward: Forward, node: Node, source: int) -> Factor:
    """Give 1/(k·r), k/r, 1/r: k entries a window, r = inputs/outputs."""
    window = number(node, "window", 0.0)
    if window < 1.0:
        return None
    ratio = size_of(forward.flow.nodes[source]) / size_of(node)
    by_kind = {"mean": 1 / (window * ratio), "sum": window / ratio, "max": 1 / ratio}
    return by_kind.get(str(node.details.get("kind")))


def _noise(forward: Forward, node: Node, _: int) -> Factor:
    kept = 1.0 - number(node, "p", 0.0)
    if not forward.graph.is_training:
        return 1.0
    return 1.0 / kept if kept > 0 else 0.0
