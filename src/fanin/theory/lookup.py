"""Rows of a table that indices pick: of a batch, of a fixed range, of a bag."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.theory.layout import n_samples_of, n_units_of, positions_of
from fanin.theory.linear import looked_up, table_of
from fanin.theory.windows_pooled import mean_pooled, window_means

if TYPE_CHECKING:
    from fanin.graph.flow import Flow
    from fanin.graph.graph import Graph, Node
    from fanin.theory.moments import Moments


def lookup(
    entry: Moments, x: Moments | None, flow: Flow, node: Node, graph: Graph
) -> Moments:
    """Give rows of a table: of indices in a batch, or of a fixed range of them."""
    source = flow.nodes[node.inputs[0]]
    n_units = float(n_units_of(node))
    if x is not None and x.pairs is not None and x.pairs.n_units == 0.0:
        equal = x.pairs
        found = looked_up(entry, equal.products, equal.n_samples, n_units)
        rows = replace(entry, pairs=replace(found, lengths=equal.lengths))
    elif source.op is Op.INPUT:
        n_rows = _rows(graph, node)
        lengths = tuple(n for i, n in enumerate(source.shape) if i != source.batch_axis)
        samples = n_samples_of(source)
        pairs = table_of(entry, lengths, n_units, n_samples=samples, n_rows=n_rows)
        rows = replace(entry, pairs=pairs)
    else:
        rows = _fixed_rows(entry, x, node)
    return _bagged(rows, node, source)


def _rows(graph: Graph, node: Node) -> int:
    """Give how many rows the table has: a count."""
    if node.weight is None:
        return 1
    shape = graph.parameter(node.weight.path).shape
    return prod(shape[i] for i in node.weight.roles.inputs)


def _fixed_rows(entry: Moments, x: Moments | None, node: Node) -> Moments:
    """Give the rows at fixed indices: all different, or all one."""
    n_units = float(n_units_of(node))
    pairs = table_of(entry, positions_of(node), n_units)
    if x is not None and x.variance == 0.0:
        ones = np.ones_like(pairs.products)
        found = looked_up(entry, ones, pairs.n_samples, n_units)
        pairs = replace(found, lengths=pairs.lengths)
    return replace(entry, pairs=replace(pairs, n_samples=n_samples_of(node)))


def _bagged(rows: Moments, node: Node, source: Node) -> Moments:
    """Average the rows of one bag, where fewer come out than are looked up."""
    n_out, pairs = prod(node.shape) / n_units_of(node), rows.pairs
    if pairs is None or n_out >= prod(source.shape) or not pairs.lengths:
        return rows
    means = window_means(pairs, None, (), prod(pairs.lengths))
    return mean_pooled(rows, pairs, means, 1.0)
