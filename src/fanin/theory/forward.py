"""Moments carried forward through a Graph, node by node."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, prod, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.unit_spaces import parameter_path
from fanin.theory.given import Given, number, padding_share, size_of
from fanin.theory.moments import (
    LinearFacts,
    Moments,
    rule_of,
    through_concat,
    through_dropout,
    through_function,
    through_linear,
    through_product,
    through_sum,
)
from fanin.theory.pooling import (
    through_affine,
    through_max_pool,
    through_mean_pool,
    through_normalization,
    through_softmax,
    through_sum_pool,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.graph import Graph, Node

MEASURED = "not predicted: measure here"


class Forward:
    """One walk from the inputs to the outputs.

    ``moments`` holds what is predicted at each node, None where there is no rule;
    ``slopes`` E[φ′²] of each elementwise node; ``notes`` why something is None.
    """

    def __init__(self, graph: Graph, given: Given) -> None:
        self.graph = graph
        self.flow = Flow(graph)
        self.given = given
        self.moments: dict[int, Moments | None] = {}
        self.slopes: dict[int, float] = {}
        self.notes: dict[int, str] = {}
        self._roots: dict[int, frozenset[int]] = {}

    def run(self) -> None:
        """Visit all nodes, in order of execution."""
        for node in self.graph.nodes:
            self._roots[node.id] = self._roots_of(node)
            predicted = self._visit(node)
            self.moments[node.id] = self.given.known.get(node.id, predicted)

    def _roots_of(self, node: Node) -> frozenset[int]:
        """Give the nodes that this one is a function of, weights not crossed."""
        if node.op is Op.LINEAR or not node.inputs:
            return frozenset({node.id})
        return frozenset().union(*(self._roots[i] for i in node.inputs))

    def _visit(self, node: Node) -> Moments | None:
        handlers: dict[Op, Callable[[Node], Moments | None]] = {
            Op.INPUT: self._input,
            Op.CONSTANT: lambda n: self.given.inputs.get(n.id),
            Op.PARAMETER: self._parameter,
            Op.LINEAR: self._linear,
            Op.ELEMENTWISE: self._elementwise,
            Op.ADD: self._add,
            Op.MULTIPLY: self._multiply,
            Op.CONCAT: self._concat,
            Op.NORMALIZE: self._normalize,
            Op.SOFTMAX: self._softmax,
            Op.REDUCE: self._reduce,
            Op.REARRANGE: self._first,
            Op.NOISE: self._noise,
        }
        handler = handlers.get(node.op)
        if handler is None:
            self.notes[node.id] = f"{node.op}: no rule, {MEASURED}"
            return None
        try:
            predicted = handler(node)
        except OverflowError:
            predicted = Moments(second_moment=inf)
        if predicted is not None and not isfinite(predicted.second_moment):
            self.notes[node.id] = f"beyond the range of float64, {MEASURED}"
            return None
        return predicted

    def _first(self, node: Node) -> Moments | None:
        return self.moments[node.inputs[0]] if node.inputs else None

    def _all(self, node: Node) -> list[Moments] | None:
        """Give the operands' moments, or None if one is not known."""
        return self._known(node.inputs)

    def _known(self, ids: tuple[int, ...]) -> list[Moments] | None:
        found = [self.moments[i] for i in ids]
        known = [moments for moments in found if moments is not None]
        return known if len(known) == len(found) else None

    # One method an operation

    def _input(self, node: Node) -> Moments:
        return self.given.inputs.get(node.id, Moments())

    def _parameter(self, node: Node) -> Moments | None:
        path = parameter_path(self.graph, node)
        given = self.given
        if path is None or not (path in given.variances or path in given.means):
            self.notes[node.id] = f"{path}: neither mean nor variance is given"
            return None
        return given.of(path, mean=0.0)

    def _linear(self, node: Node) -> Moments | None:
        x, weight = self._first(node), node.weight
        if weight is None or weight.path not in self.given.variances:
            self.notes[node.id] = "the weight's variance is not given"
            return None
        entry = self.given.of(weight.path, mean=0.0)
        bias = self.given.of(node.bias, mean=0.0)
        if weight.roles.is_lookup:
            return through_sum([entry, bias])
        if x is None:
            return None
        shape = self.graph.parameter(weight.path).shape
        facts = LinearFacts(
            n_terms=weight.fan.n_in * (1.0 - padding_share(node)),
            n_units=float(prod(shape[i] for i in weight.roles.inputs)),
            variance=entry.variance,
            mean=entry.mean,
            bias_variance=bias.variance,
            bias_mean=bias.mean,
        )
        return through_linear(self._fixed_if_input(node, x), facts)

    def _fixed_if_input(self, node: Node, x: Moments) -> Moments:
        """A batch is given and not drawn: its width adds no fluctuation."""
        origin = self.flow.origin(node)
        is_input = origin is not None and origin.op is Op.INPUT
        return replace(x, kurtosis=1.0) if is_input else x

    def _elementwise(self, node: Node) -> Moments | None:
        x = self._first(node)
        if x is None or node.function is None:
            return None
        try:
            rule = rule_of(x, node.function)
        except ArgumentError:
            self.notes[node.id] = f"the function is not finite here, {MEASURED}"
            return None
        self.slopes[node.id] = rule.slope_second_moment
        return through_function(x, rule)

    def _add(self, node: Node) -> Moments | None:
        parts = self._all(node)
        if parts is None:
            return None
        total = through_sum(parts)
        if not self._is_dependent(node) or total.second_moment == 0.0:
            return total
        sizes = sorted(part.rms for part in parts)
        nearest = max(sizes[-1] - sum(sizes[:-1]), 0.0) ** 2
        return replace(
            total,
            low=min(total.low, nearest / total.second_moment),
            high=max(total.high, sum(sizes) ** 2 / total.second_moment),
        )

    def _multiply(self, node: Node) -> Moments | None:
        if node.scale is not None:
            sources = tuple(source.id for source in self.flow.before(node))
            factors = [self.given.of(node.scale, mean=1.0)]
        else:
            sources, factors = node.inputs, []
        parts = self._known(sources)
        if parts is None:
            return None
        product = through_product([*parts, *factors])
        if not self._is_dependent(node):
            return product
        most = sqrt(product.kurtosis)
        return replace(product, low=0.0, high=max(product.high, most))

    def _is_dependent(self, node: Node) -> bool:
        """Say whether two operands depend on one tensor, with no weight between."""
        seen: set[int] = set()
        for node_id in node.inputs:
            if seen & self._roots[node_id]:
                return True
            seen |= self._roots[node_id]
        return False

    def _concat(self, node: Node) -> Moments | None:
        parts = self._all(node)
        if parts is None:
            return None
        sizes = [size_of(self.flow.nodes[i]) for i in node.inputs]
        return through_concat(parts, sizes)

    def _normalize(self, node: Node) -> Moments:
        x = self._first(node)
        eps = number(node, "eps", 0.0)
        if node.details.get("is_identity") and x is not None:
            normed = replace(
                x,
                mean=x.mean / sqrt(1 + eps),
                second_moment=x.second_moment / (1 + eps),
            )
        elif x is None:
            normed = Moments()
        else:
            normed = through_normalization(x, str(node.details.get("kind")), eps)
        gain = self.given.of(node.scale, mean=1.0)
        return through_affine(normed, gain, self.given.of(node.bias, mean=0.0))

    def _softmax(self, node: Node) -> Moments | None:
        x = self._first(node)
        axis = int(number(node, "axis", -1))
        return None if x is None else through_softmax(x, node.shape[axis])

    def _reduce(self, node: Node) -> Moments | None:
        x = self._first(node)
        n_entries = int(number(node, "window", 0))
        if x is None or n_entries < 1:
            return None
        kind = node.details.get("kind")
        if kind == "mean":
            return through_mean_pool(x, n_entries)
        if kind == "sum":
            return through_sum_pool(x, n_entries)
        return self._maximum(node, n_entries) if kind == "max" else None

    def _maximum(self, node: Node, n_entries: int) -> Moments | None:
        """Look through the activation in front of a maximum to its Gaussian."""
        origin = self.flow.origin(node)
        if origin is not None and origin.op is Op.ELEMENTWISE and origin.function:
            before = self.moments[origin.inputs[0]]
            if before is not None:
                return through_max_pool(before, n_entries, origin.function)
        x = self._first(node)
        return None if x is None else through_max_pool(x, n_entries, np.asarray)

    def _noise(self, node: Node) -> Moments | None:
        x = self._first(node)
        if x is None or not self.graph.is_training:
            return x
        return through_dropout(x, number(node, "p", 0.0))
