"""What a reader calls each node: by its own path, or by what it does after which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.activations import identify
from fanin.graph.graph import Op
from fanin.rules.expected_sizes import with_shared_functions
from fanin.rules.words import name_of

if TYPE_CHECKING:
    from fanin.graph import Graph, Node


def site_names(graph: Graph) -> dict[int, str]:
    """Give a name to every node, by its id.

    A function that a forward method calls is no part of the model and has no path: it
    is named after what it is and the layer that it follows.

    >>> import numpy as np
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((8, 4)), 3, path="fc")
    >>> y = sketch.apply(z, lambda x: np.maximum(x, 0.0))
    >>> list(site_names(sketch.graph(y)).values())
    ['input', 'fc', 'relu after fc']
    """
    names: dict[int, str] = {}
    layer: dict[int, str] = {}
    functions: dict[int, str] = {}
    for node in with_shared_functions(graph).nodes:
        layer[node.id] = next((layer[i] for i in node.inputs if layer.get(i)), "")
        if node.path or node.weight is not None:
            names[node.id] = layer[node.id] = name_of(node)
            continue
        before = layer[node.id]
        what = _what(node, functions)
        names[node.id] = f"{what} after {before}" if before else what
    return names


def _what(node: Node, functions: dict[int, str]) -> str:
    """Give the activation's name where it has one, else the operation's."""
    if node.op is not Op.ELEMENTWISE or node.function is None:
        return str(node.op.value)
    key = id(node.function)
    if key not in functions:
        found = identify(node.function)
        is_named = found.function is not node.function
        functions[key] = found.name if is_named else "activation"
    return functions[key]
