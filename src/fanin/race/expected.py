"""What theory says of a race's nets before their first update, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import TYPE_CHECKING

from fanin.activations import find_activation
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.race.cohorts import variances
from fanin.schemes import find_scheme
from fanin.theory.moments import Moments
from fanin.theory.prediction import predict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.cohort import StartProfile
    from fanin.graph.graph import Graph
    from fanin.theory.prediction import Prediction


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Root mean squares by layer, as in ``StartProfile``; NaN where no rule holds."""

    rms: tuple[float, ...]
    gradient_rms: tuple[float, ...]


def expected_start(
    scheme: str, activation: str, sizes: Sequence[int], measured: StartProfile
) -> Expected | None:
    """Predict activations from the inputs' scale, gradients from the output's.

    Args:
        scheme: its spec.
        activation: its name.
        sizes: units of the input, of each hidden layer and of the output.
        measured: gives the two ends: RMS of the input, and of the gradient at the
            output. All between is theory.

    Returns:
        None for a scheme whose weights are not random: a constant or an identity.
    """
    found = variances(find_scheme(scheme), sizes)
    if found is None:
        return None
    graph = _graph(sizes, activation)
    by_path = {f"{layer}.weight": value for layer, value in enumerate(found)}
    start = Moments(second_moment=float(measured.rms[0]) ** 2)
    prediction = predict(
        graph,
        by_path,
        inputs={0: start},
        at_outputs={graph.outputs[0]: float(measured.gradient_rms[-1]) ** 2},
    )
    linears = [node.id for node in graph.linears]
    values = [n.id for n in graph.nodes if n.op in {Op.INPUT, Op.ELEMENTWISE}]
    return Expected(
        rms=tuple(_rms(prediction, node) for node in [*values, linears[-1]]),
        gradient_rms=tuple(_root(prediction.gradients[node]) for node in linears),
    )


def _graph(sizes: Sequence[int], activation: str) -> Graph:
    """Sketch the dense net: input, then linear and activation in turn."""
    sketch = Sketch()
    node = sketch.input((64, sizes[0]))
    function = find_activation(activation).function
    for layer, n_units in enumerate(sizes[1:]):
        node = sketch.dense(node, n_units, path=str(layer))
        if layer < len(sizes) - 2:
            node = sketch.apply(node, function)
    return sketch.graph(node)


def _rms(prediction: Prediction, node: int) -> float:
    moments = prediction.moments[node]
    return nan if moments is None else moments.rms


def _root(square: float | None) -> float:
    return nan if square is None else sqrt(square)
