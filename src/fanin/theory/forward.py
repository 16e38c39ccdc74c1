"""Moments carried forward through a Graph, node by node."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.graph import Op
from fanin.graph.unit_spaces import parameter_path
from fanin.theory import forward_pairs as with_pairs
from fanin.theory.forward_facts import (
    comes_from_softmax,
    gain_of,
    group_facts,
    linear_facts,
    of_norm,
    table_entry,
)
from fanin.theory.forward_walk import Walk
from fanin.theory.gaussian import gaussian_rule
from fanin.theory.given import number, size_of
from fanin.theory.layout import fresh_pairs, rearranged
from fanin.theory.lookup import lookup
from fanin.theory.moments import (
    Moments,
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

    from fanin.graph.graph import Node

MEASURED = "not predicted: measure here"


class Forward(Walk):
    """The walk with a rule for each operation; a subclass may change some."""

    def _visit(self, node: Node) -> Moments | None:
        handlers: dict[Op, Callable[[Node], Moments | None]] = {
            Op.INPUT: self._input,
            Op.CONSTANT: self._constant,
            Op.PARAMETER: self._parameter,
            Op.LINEAR: self._linear,
            Op.CONTRACT: self._contract,
            Op.ELEMENTWISE: self._elementwise,
            Op.ADD: self._add,
            Op.MULTIPLY: self._multiply,
            Op.CONCAT: self._concat,
            Op.NORMALIZE: self._normalize,
            Op.SOFTMAX: self._softmax,
            Op.REDUCE: self._reduce,
            Op.REARRANGE: self._rearrange,
            Op.NOISE: self._noise,
        }
        handler = handlers.get(node.op)
        if handler is None:
            self.notes[node.id] = f"{node.op}: no rule, {MEASURED}"
            return None
        try:
            with np.errstate(all="ignore"):
                predicted = handler(node)
        except OverflowError:
            predicted = Moments(second_moment=inf)
        if predicted is not None and not isfinite(predicted.second_moment):
            self.notes[node.id] = f"beyond the range of float64, {MEASURED}"
            return None
        return predicted

    # One method an operation

    def _input(self, node: Node) -> Moments:
        given = self.given.inputs.get(node.id, Moments())
        if given.pairs is not None:
            return given
        return replace(given, pairs=fresh_pairs(node, given))

    def _constant(self, node: Node) -> Moments | None:
        given = self.given.inputs.get(node.id)
        if given is None and "second_moment" in node.details:
            mean, q = number(node, "mean", 0.0), number(node, "second_moment", 0.0)
            given = Moments(mean=mean, second_moment=q, kurtosis=1.0)
        if given is None:
            self.notes[node.id] = f"a table of unknown numbers, {MEASURED}"
            return None
        return with_pairs.shared(given, node)

    def _parameter(self, node: Node) -> Moments | None:
        path = parameter_path(self.graph, node)
        given = self.given
        if path is None or not (path in given.variances or path in given.means):
            self.notes[node.id] = f"{path}: neither mean nor variance is given"
            return None
        return with_pairs.shared(given.of(path, mean=0.0), node)

    def _linear(self, node: Node) -> Moments | None:
        x, facts = self._first(node), linear_facts(self.graph, self.given, node)
        if facts is None or node.weight is None:
            self.notes[node.id] = "the weight's variance is not given"
            return None
        if node.weight.roles.is_lookup:
            return self._lookup(node, x)
        if x is None:
            return None
        plain = through_linear(self._fixed_if_input(node, x), facts)
        found = with_pairs.linear(x, node, facts, plain)
        return self._if_shared(node, found)

    def _if_shared(self, node: Node, found: Moments) -> Moments:
        """Widen a head that shares the table whose rows its input was made of.

        An output that names a row of the input meets that very row: at most n·q/V more.
        """
        path = "" if node.weight is None else node.weight.path
        if node.weight is None or path not in self.tables:
            return found
        self.assume(node, "the weight is the input's table too")
        more = 1.0 + node.weight.fan.n_in / max(node.weight.fan.n_out, 1.0)
        return replace(found, high=found.high * more)

    def _lookup(self, node: Node, x: Moments | None) -> Moments:
        entry = table_entry(self.given, node)
        if node.weight is not None:
            self.tables.add(node.weight.path)
        found = lookup(entry, x, self.flow, node, self.graph)
        bias = self.given.of(node.bias, mean=0.0)
        return found if node.bias is None else through_sum([found, bias])

    def _fixed_if_input(self, node: Node, x: Moments) -> Moments:
        """A batch is given and not drawn: its width adds no fluctuation."""
        origin = self.flow.origin(node)
        is_input = origin is not None and origin.op is Op.INPUT
        return replace(x, kurtosis=1.0) if is_input else x

    def _contract(self, node: Node) -> Moments | None:
        parts = self._all(node)
        if parts is None or len(parts) != 2:
            return None
        are_shares = [comes_from_softmax(self.flow, i) for i in node.inputs]
        found, phrase = with_pairs.contract(node, self.flow, parts, are_shares)
        self.assume(node, phrase)
        return found

    def _elementwise(self, node: Node) -> Moments | None:
        x = self._first(node)
        if x is None or node.function is None:
            return None
        factor = number(node, "factor", 0.0)
        if node.details.get("is_affine") and node.details.get("offset") == 0.0:
            self.slopes[node.id] = factor**2
            moved = with_pairs.scaled(x, factor**2)
            return replace(moved, mean=x.mean * factor)
        try:
            rule = gaussian_rule(node.function, mean=x.mean, variance=x.variance)
            self.slopes[node.id] = rule.slope_second_moment
            found = through_function(x, rule)
            return with_pairs.function(x, node.function, found)
        except ArgumentError:
            self.notes[node.id] = f"the function is not finite here, {MEASURED}"
            return None

    def _add(self, node: Node) -> Moments | None:
        parts = self._all(node)
        if parts is None:
            return None
        whole = self._as_one_function(node, np.add)
        if whole is not None:
            return whole
        total = with_pairs.sums(parts, through_sum(parts))
        if not self._is_dependent(node) or total.second_moment == 0.0:
            return total
        self.assume(node, "operands depend on one tensor")
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
        whole = None if factors else self._as_one_function(node, np.multiply)
        if whole is not None:
            return whole
        product = through_product([*parts, *factors])
        product = with_pairs.products(parts, factors, product)
        if not self._is_dependent(node):
            return product
        self.assume(node, "operands depend on one tensor")
        most = sqrt(max(product.kurtosis, 1.0))
        return replace(product, low=0.0, high=max(product.high, most))

    def _concat(self, node: Node) -> Moments | None:
        parts = self._all(node)
        if parts is None:
            return None
        sizes = [size_of(self.flow.nodes[i]) for i in node.inputs]
        return with_pairs.concat(node, parts, sizes, through_concat(parts, sizes))

    def _normalize(self, node: Node) -> Moments:
        x = self._first(node)
        eps = number(node, "eps", 0.0)
        if node.details.get("is_identity") and x is not None:
            normed = with_pairs.scaled(x, 1 / (1 + eps))
        elif x is None:
            normed = with_pairs.unknown(node)
        else:
            plain = through_normalization(x, str(node.details.get("kind")), eps)
            normed, phrase = with_pairs.normalize(x, node, group_facts(node), plain)
            self.assume(node, phrase)
        normed = with_pairs.scaled(normed, of_norm(node, x))
        gain = gain_of(self.given, node)
        shift = self.given.of(node.bias, mean=0.0)
        return with_pairs.affine(normed, gain, shift, through_affine)

    def _softmax(self, node: Node) -> Moments | None:
        x = self._first(node)
        n_keys = node.shape[int(number(node, "axis", -1))]
        if x is None:
            return None
        self.assume(node, "logits taken as Gaussian")
        return with_pairs.softmax(x, node, n_keys, through_softmax)

    def _reduce(self, node: Node) -> Moments | None:
        x = self._first(node)
        n_entries = int(number(node, "window", 0))
        if x is None or n_entries < 1:
            return None
        kind = node.details.get("kind")
        if kind == "max":
            return self._maximum(node, n_entries)
        rules = {"mean": through_mean_pool, "sum": through_sum_pool}
        rule = rules.get(str(kind))
        if rule is None:
            return None
        return with_pairs.mean(x, node, n_entries, rule(x, n_entries))

    def _maximum(self, node: Node, n_entries: int) -> Moments | None:
        """Look through the activation in front of a maximum to its Gaussian."""
        origin = self.flow.origin(node)
        if origin is not None and origin.op is Op.ELEMENTWISE and origin.function:
            before = self.moments[origin.inputs[0]]
            function = origin.function
        else:
            before, function = self._first(node), np.asarray
        if before is None:
            return None
        plain = through_max_pool(before, n_entries, function)
        return with_pairs.maximum(before, node, function, plain)

    def _rearrange(self, node: Node) -> Moments | None:
        x = self._first(node)
        if x is None or x.pairs is None:
            return x
        if node.details.get("kind") == "rotation":
            return with_pairs.scaled(x, number(node, "factor", 1.0) ** 2)
        source = self.flow.nodes[node.inputs[0]]
        return with_pairs.replaced(x, rearranged(x, x.pairs, node, source))

    def _noise(self, node: Node) -> Moments | None:
        x = self._first(node)
        if x is None or not self.graph.is_training:
            return x
        p = number(node, "p", 0.0)
        return with_pairs.noise(x, p, through_dropout(x, p))
