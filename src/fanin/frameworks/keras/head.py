"""Whether a model's output is shares, which went through a softmax or a sigmoid.

Keras's habit is a softmax in the last layer, and a loss that expects it; fanin's
cross-entropies take logits. Which of the two a model gives is read off its last layer,
or, where that does not say, off what ran.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np

from fanin.graph import Op

if TYPE_CHECKING:
    from fanin.graph import Graph

SQUASHING: Final = ("softmax", "sigmoid", "hard_sigmoid")
"""Names of the activations that give shares."""

GRID: Final = np.linspace(-20.0, 20.0, 401)


def last_layer_says(model: Any) -> bool | None:
    """Say whether the last layer gives shares; None where it cannot be told.

    >>> model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    >>> last_layer_says(model)
    True
    """
    if not isinstance(model, keras.Sequential) and not _is_functional(model):
        return None
    last = model.layers[-1] if model.layers else None
    if isinstance(last, keras.Model):
        return last_layer_says(last)
    if isinstance(last, keras.layers.Softmax):
        return True
    activation = getattr(last, "activation", None)
    name = getattr(activation, "__name__", "")
    if name in SQUASHING:
        return True
    return False if name == "linear" else None


def graph_says(graph: Graph) -> bool:
    """Say whether the first output is a softmax or a function with values in [0, 1].

    The logarithm of a softmax counts as logits: a cross-entropy of it is the same.
    """
    last = graph.node(graph.outputs[0])
    if last.op is Op.SOFTMAX:
        end = last.primitives[-1] if last.primitives else ""
        return not ("log" in end or end.endswith("sub"))
    if last.op is not Op.ELEMENTWISE or last.function is None:
        return False
    values = last.function(GRID)
    return bool(values.min() >= 0.0 and values.max() <= 1.0 and np.ptp(values) > 0.5)


def _is_functional(model: Any) -> bool:
    return (
        isinstance(model, keras.Model)
        and len(getattr(model, "outputs", None) or ()) == 1
    )
