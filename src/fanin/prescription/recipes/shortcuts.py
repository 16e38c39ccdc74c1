"""What multiplies a stream on its way to a sum: constants and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.graph.flow import is_affine
from fanin.graph.graph import Op
from fanin.graph.roles.walks import MOVING
from fanin.graph.unit_spaces import parameter_path

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Node
    from fanin.graph.roles.residual import Joint


def shortcut_factor(flow: Flow, joint: Joint) -> float | None:
    """Give the constant by which the stream is multiplied before a branch is added.

    1 where it is added as it is; None where a parameter or an activation multiplies it.

    >>> from fanin.graph.roles.setting import setting_of
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="stem")
    >>> twice = sketch.apply(x, lambda x: 2.0 * x)
    >>> y = sketch.combine(Op.ADD, twice, sketch.dense(x, 3, path="0"))
    >>> setting = setting_of(sketch.graph(y))
    >>> shortcut_factor(setting.flow, setting.joints[y])
    2.0
    """
    factor, current = (
        1.0,
        flow.nodes.get(-1 if joint.shortcut is None else joint.shortcut),
    )
    while current is not None and current.id != joint.fork:
        if current.op is Op.MULTIPLY:
            number = _constant_factor(flow, current)
            if number is None:
                return None
            factor *= number
        elif is_affine(current):
            scaling = current.details.get("factor")
            factor *= float(scaling) if isinstance(scaling, float | int) else 1.0
        elif current.op not in MOVING:
            break
        sources = flow.before(current)
        current = sources[0] if len(sources) == 1 else None
    return factor


def _constant_factor(flow: Flow, product: Node) -> float | None:
    """Give the one number that a product multiplies its only activation by."""
    constants = [flow.nodes[i] for i in product.inputs]
    constants = [node for node in constants if node.op is Op.CONSTANT]
    if product.scale is not None or len(constants) != len(product.inputs) - 1:
        return None
    factor = 1.0
    for node in constants:
        mean, square = node.details.get("mean"), node.details.get("second_moment")
        if not isinstance(mean, float) or not isinstance(square, float):
            return None
        if abs(mean**2 - square) > 1e-6 * square:
            return None
        factor *= mean
    return factor


def shortcut_parameters(flow: Flow, joint: Joint) -> tuple[str, ...]:
    """Give the parameters that multiply the stream before a branch is added: paths.

    >>> from fanin.graph.roles.setting import setting_of
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> x = sketch.dense(sketch.input((4, 2)), 3, path="stem")
    >>> factor = sketch.parameter("omega", (3,))
    >>> scaled = sketch.add_node(Op.MULTIPLY, (x, factor))
    >>> y = sketch.combine(Op.ADD, scaled, sketch.dense(x, 3, path="0"))
    >>> setting = setting_of(sketch.graph(y))
    >>> shortcut_parameters(setting.flow, setting.joints[y])
    ('omega',)
    """
    found: list[str] = []
    current = None if joint.shortcut is None else flow.nodes[joint.shortcut]
    while current is not None and current.id != joint.fork:
        sources = flow.before(current)
        if current.op is Op.MULTIPLY:
            held = (flow.nodes[i] for i in current.inputs)
            paths = [parameter_path(flow.graph, n) for n in held if _is_value(n)]
            named = [current.scale, *paths]
            found += [flow.graph.parameter(path).path for path in named if path]
        elif current.op not in MOVING and not is_affine(current):
            break
        current = sources[0] if len(sources) == 1 else None
    return tuple(found)


def _is_value(node: Node) -> bool:
    return node.op is Op.PARAMETER
