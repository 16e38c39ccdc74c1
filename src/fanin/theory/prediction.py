"""A prediction: moments forward and gradients backward at every node of a Graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError
from fanin.theory.backward import backward
from fanin.theory.forward import Forward
from fanin.theory.given import Given

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph
    from fanin.theory.moments import Moments


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What theory says of every node.

    moments: by node id, None where an operation has no rule and must be measured.
    gradients: E[δ²] of dL/d(output) by node id, relative to 1 at the outputs (or to
    what was given); 0 where none arrives, None where there is no rule.
    notes: by node id, why something is None. assumptions: by node id, what its rule
    takes for granted beyond wide layers and random weights, in short phrases.
    """

    moments: Mapping[int, Moments | None]
    gradients: Mapping[int, float | None]
    notes: Mapping[int, str] = field(default_factory=dict)
    assumptions: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def interval(self, node_id: int) -> tuple[float, float] | None:
        """Give the second moment's interval for one draw of the weights, or None.

        Three standard deviations of its logarithm, for the widths of the layers and
        the size of the batch.
        """
        moments = self.moments[node_id]
        return None if moments is None else moments.interval()


def predict(
    graph: Graph,
    variances: Mapping[str, float],
    *,
    means: Mapping[str, float] | None = None,
    inputs: Mapping[int, Moments] | None = None,
    known: Mapping[int, Moments] | None = None,
    at_outputs: Mapping[int, float] | None = None,
) -> Prediction:
    """Propagate moments through a Graph, forward and backward.

    Args:
        graph: as recorded.
        variances: of each weight's entries by path; biases default to 0.
        means: of each parameter's entries by path; biases 0 and gains 1 by default.
        inputs: moments of INPUT nodes by id; mean 0, second moment 1 by default.
        known: moments that replace the prediction at a node.
        at_outputs: E[δ²] of the gradient at each output; 1 by default.

    Raises:
        ArgumentError: if a variance is negative or not finite.

    He's variance keeps the second moment of pre-activations at 1 through ReLU:

    >>> import numpy as np
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.dense(sketch.input((8, 50)), 50, path="0")
    >>> z = sketch.dense(sketch.apply(z, lambda x: np.maximum(x, 0)), 50, path="1")
    >>> found = predict(sketch.graph(z), {"0.weight": 1 / 50, "1.weight": 2 / 50})
    >>> round(found.moments[z].second_moment, 12)
    1.0
    """
    for path, variance in variances.items():
        if not 0.0 <= variance < float("inf"):
            expected = f"a finite variance ≥ 0 for {path!r}"
            raise ArgumentError.of(
                argument="variances", received=variance, expected=expected
            )
    given = Given(
        variances=variances,
        means=means or {},
        inputs=inputs or {},
        known=known or {},
    )
    forward = Forward(graph, given)
    forward.run()
    outputs = at_outputs or dict.fromkeys(graph.outputs, 1.0)
    return Prediction(
        moments=forward.moments,
        gradients=backward(forward, outputs),
        notes=forward.notes,
        assumptions=forward.assumptions,
    )
