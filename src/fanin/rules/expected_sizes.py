"""What theory expects of each site, with the weights as they were drawn."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.graph import Op
from fanin.theory.moments import Moments
from fanin.theory.prediction import predict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph import Graph, SiteStatistics
    from fanin.graph.graph import ScalarFunction
    from fanin.rules.inspection import Inspection
    from fanin.theory.prediction import Prediction

MOST_ENTRIES: Final = 4096
"""Of an array that are looked at: the std of so many is known to 1 %."""
MOST_FOR_MOMENTS: Final = 32768
STANDARD_ERRORS: Final = 5.0
WAY: Final = np.logspace(-3.0, 3.0, 121)
PROBE: Final = np.concatenate([-WAY[::-1], [0.0], WAY])
"""Where two functions are told apart: about 0, along the bend, and far out."""


def theory_of(
    inspection: Inspection, awake: Mapping[int, SiteStatistics]
) -> Prediction:
    """Propagate moments with the weights' own means and variances."""
    drawn = {
        path: evenly(np.asarray(value), MOST_FOR_MOMENTS)
        for path, value in inspection.values.items()
        if value.size
    }
    graph, sites = with_shared_functions(inspection.graph), inspection.sites
    inputs = {
        node.id: Moments(
            mean=sites[node.id].mean,
            second_moment=sites[node.id].second_moment,
            kurtosis=1.0,  # of this very batch, so it does not vary
        )
        for node in graph.nodes
        if node.op is Op.INPUT and node.id in sites and sites[node.id].is_finite
    }
    at_outputs = {
        node_id: awake[node_id].gradient_second_moment or 0.0
        for node_id in graph.outputs
        if node_id in awake
    }
    return predict(
        graph,
        {path: float(entries.var()) for path, entries in drawn.items()},
        means={path: _mean(entries) for path, entries in drawn.items()},
        inputs=inputs,
        at_outputs=at_outputs if any(at_outputs.values()) else None,
    )


def with_shared_functions(graph: Graph) -> Graph:
    """Give the graph with one function for all activations of equal values.

    Theory finds a function's pieces once for each function: a deep net of one
    activation has one, recorded as many.
    """
    known: dict[bytes, ScalarFunction] = {}
    nodes = []
    for node in graph.nodes:
        function = node.function
        if node.op is Op.ELEMENTWISE and function is not None:
            with np.errstate(all="ignore"):
                values = np.asarray(function(PROBE), dtype=np.float64)
            shared = known.setdefault(values.tobytes(), function)
            nodes.append(replace(node, function=shared))
        else:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


def _mean(entries: np.ndarray) -> float:
    """Give the mean, 0 where it is one by chance: a wide layer would add it up."""
    mean, error = float(entries.mean()), float(entries.std()) / sqrt(entries.size)
    return mean if abs(mean) > STANDARD_ERRORS * error else 0.0


def evenly(values: np.ndarray, most: int = MOST_ENTRIES) -> np.ndarray:
    """Give at most so many entries, evenly spaced over an array of any shape.

    The step shares no divisor with the last axis, so that all columns are met.

    >>> evenly(np.arange(12.0).reshape(3, 4), 6).tolist()
    [0.0, 3.0, 6.0, 9.0]
    """
    flat = values.reshape(-1)
    step = max(1, -(-flat.size // most))
    last = values.shape[-1] if values.ndim else 1
    while step > 1 and np.gcd(step, last) > 1:
        step += 1
    return flat[::step].astype(np.float64)
