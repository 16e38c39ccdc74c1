"""The walk through a Graph that follows every unit: what writes it, what reads it.

Each tensor's unit axis is a row of segments, each a space of units laid out with a
start and steps. Most operations hand their segments on; sums and products unite the
spaces of their operands; a linear node reads the old and opens a new one.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.roles.residual import joints
from fanin.graph.unit_claims import Claims
from fanin.graph.unit_cuts import part_lengths, taken, unit_range
from fanin.graph.unit_spaces import (
    Segment,
    Space,
    is_before_positions,
    key,
    length_of,
    parameter_path,
    starts,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.graph import Graph, Node
    from fanin.graph.unit_spaces import Layout


class Walk:
    """Visits every node once, in order of execution."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.spaces: list[Space] = []
        self.layouts: dict[int, Layout] = {}
        self._parents: list[int] = []
        self._claims = Claims()
        self._flow = Flow(graph)
        self._joined = frozenset(
            joint.node for joint in joints(self._flow) if joint.shortcut is not None
        )

    def visit_all(self) -> None:
        """Follow the units from the inputs to the outputs."""
        for node in self.graph.nodes:
            layout = self._visit(node)
            self.layouts[node.id] = layout
            for segment in layout:
                self.spaces[segment.space].nodes.append(node.id)
        for node_id in self.graph.outputs:
            for segment in self.layouts[node_id]:
                self.spaces[segment.space].is_outer = True

    def root(self, space: int) -> int:
        """Give the space that stands for all those united with this one."""
        while self._parents[space] != space:
            space = self._parents[space]
        return space

    def _visit(self, node: Node) -> Layout:
        handlers: dict[Op, Callable[[Node], Layout]] = {
            Op.INPUT: self._outer,
            Op.CONSTANT: self._constant,
            Op.PARAMETER: self._table,
            Op.LINEAR: self._linear,
            Op.ADD: self._join,
            Op.MULTIPLY: self._join,
            Op.CONCAT: self._concat,
            Op.NORMALIZE: self._normalize,
            Op.REARRANGE: self._rearrange,
            Op.NOISE: self._noise,
            Op.CONTRACT: self._closed_off,
            Op.OPAQUE: self._closed_off,
        }
        return handlers.get(node.op, self._pass)(node)

    # Opening and uniting spaces

    def _open(self, node: Node, *, name: str = "", reason: str = "") -> Layout:
        """Begin a space on the node's unit axis, or one for each part it is cut to."""
        if node.unit_axis is None:
            return ()
        lengths: tuple[int, ...] = (node.shape[node.unit_axis],)
        if node.op is Op.LINEAR:
            lengths = part_lengths(self._flow, node, self._joined)
        layout = []
        for start, size in zip(starts(list(lengths)), lengths, strict=True):
            layout.append(Segment(space=len(self.spaces), size=size, start=start))
            self._parents.append(len(self.spaces))
            self.spaces.append(Space(name=name or f"node {node.id}", size=size))
        if reason:
            self._spoil(tuple(layout), reason)
        return tuple(layout)

    def _unite(self, first: int, second: int) -> None:
        low, high = sorted((self.root(first), self.root(second)))
        self._parents[high] = low

    def _spoil(self, layout: Layout, reason: str) -> None:
        """Note that something not understood reads these units."""
        for segment in layout:
            self.spaces[segment.space].reasons.append(reason)

    def _claim(self, kind: str, path: str, axis: int, segment: Segment) -> None:
        """Give a segment its slice of a parameter; two claims on it are one group."""
        own = self.spaces[segment.space]
        own.slices.append((kind, path, axis, segment.place))
        for other in self._claims.add(self.graph.parameter(path).path, axis, segment):
            if key(other) == key(segment):
                self._unite(other.space, segment.space)
            else:
                self._spoil((other, segment), f"{path} is cut in more than one way")

    def _pass(self, node: Node) -> Layout:
        """Hand on the layout of the first input, if the unit axis is still there."""
        if not node.inputs:
            return self._open(node, reason=where(node, "gives values of its own"))
        layout = self.layouts[node.inputs[0]]
        if node.unit_axis is None or node.shape[node.unit_axis] != length_of(layout):
            self._spoil(layout, where(node, "mixes or drops units"))
            return self._open(node, reason=where(node, "mixes or drops units"))
        return layout

    # One method an operation

    def _outer(self, node: Node) -> Layout:
        layout = self._open(node, name="input")
        for segment in layout:
            self.spaces[segment.space].is_outer = True
        return layout

    def _constant(self, node: Node) -> Layout:
        """A constant is no unit; one that differs between units tells them apart."""
        if node.unit_axis is None or node.shape[node.unit_axis] == 1:
            return ()
        return self._open(node, reason=where(node, "is a table of constants"))

    def _table(self, node: Node) -> Layout:
        """A parameter that is added or multiplied: a slice if units index an axis."""
        path = parameter_path(self.graph, node)
        if path is None or node.unit_axis is None or node.shape[node.unit_axis] == 1:
            return ()
        layout = self._open(node, name=path)
        axis = node.unit_axis
        self._own("shared", path, self.graph.parameter(path).shape, layout, axis=axis)
        return layout

    def _linear(self, node: Node) -> Layout:
        weight = node.weight
        source = self.layouts[node.inputs[0]] if node.inputs else ()
        if weight is None:
            return self._closed_off(node)
        if weight.roles.groups > 1:
            return self._grouped(node, source)
        shape = self.graph.parameter(weight.path).shape
        if not weight.roles.is_lookup:
            self._read(node, source, shape)
        layout = self._open(node, name=node.path or weight.path.rpartition(".")[0])
        if len(weight.roles.outputs) == 1:
            axis = weight.roles.outputs[0]
            self._own("incoming", weight.path, shape, layout, axis=axis)
        else:
            self._spoil(layout, where(node, "has several axes of outputs"))
        if node.bias is not None:
            bias_shape = self.graph.parameter(node.bias).shape
            self._own("incoming", node.bias, bias_shape, layout)
        return layout

    def _read(self, node: Node, source: Layout, shape: tuple[int, ...]) -> None:
        """Add the outgoing slices of the units that a linear node reads."""
        if node.weight is None:
            return
        axes = node.weight.roles.inputs
        if len(axes) != 1 or shape[axes[0]] != length_of(source):
            self._spoil(source, where(node, "reads the units in another order"))
            return
        for segment in source:
            self._claim("outgoing", node.weight.path, axes[0], segment)

    def _grouped(self, node: Node, source: Layout) -> Layout:
        """A depthwise kernel belongs to its unit; other groups are not followed."""
        weight = node.weight
        n_units = None if node.unit_axis is None else node.shape[node.unit_axis]
        if weight is not None and length_of(source) == weight.roles.groups == n_units:
            shape = self.graph.parameter(weight.path).shape
            axes = (*weight.roles.inputs, *weight.roles.outputs)
            axis = next((i for i in axes if shape[i] == n_units), None)
            self._own("shared", weight.path, shape, source, axis=axis)
            if node.bias is not None:
                self._own("shared", node.bias, (n_units,), source)
            return source
        reason = where(node, "is grouped: units change places only within a group")
        self._spoil(source, reason)
        return self._open(node, name=node.path, reason=reason)

    def _own(
        self,
        kind: str,
        path: str,
        shape: tuple[int, ...],
        layout: Layout,
        *,
        axis: int | None = None,
    ) -> None:
        """Give each segment its slice of a parameter, on the axis of that length."""
        total = length_of(layout)
        if axis is None or axis >= len(shape) or shape[axis] != total:
            axis = next((i for i, n in enumerate(shape) if n == total), None)
        if axis is None:
            if prod(shape) > 1:
                self._spoil(layout, f"{path} has no axis of {total} units")
            return
        for segment in layout:
            self._claim(kind, path, axis, segment)

    def _join(self, node: Node) -> Layout:
        """Unite the operands unit by unit; one unit for all is left out."""
        operands = [self.layouts[i] for i in node.inputs]
        operands = [layout for layout in operands if length_of(layout) > 1] or [
            layout for layout in operands if layout
        ]
        if node.unit_axis is None or not operands:
            return self._closed_off(node)
        first = operands[0]
        shapes = {tuple(key(segment) for segment in layout) for layout in operands}
        if len(shapes) > 1 or length_of(first) != node.shape[node.unit_axis]:
            return self._closed_off(node)
        for layout in operands[1:]:
            for mine, other in zip(first, layout, strict=True):
                self._unite(mine.space, other.space)
        if node.scale is not None:
            shape = self.graph.parameter(node.scale).shape
            self._own("shared", node.scale, shape, first)
        return first

    def _concat(self, node: Node) -> Layout:
        """Lay segments side by side, or unite them where another axis grew."""
        operands = [self.layouts[i] for i in node.inputs]
        lengths = [length_of(layout) for layout in operands]
        if node.unit_axis is None or sum(lengths) != node.shape[node.unit_axis]:
            return self._join(node)
        moved: list[Segment] = []
        for start, layout in zip(starts(lengths), operands, strict=True):
            moved += [replace(s, start=s.start + start) for s in layout]
        return tuple(moved)

    def _normalize(self, node: Node) -> Layout:
        layout = self._pass(node)
        if node.details.get("kind") == "group":
            self._spoil(layout, where(node, "normalizes units group by group"))
        for path in (node.scale, node.bias):
            if path is not None:
                self._own("shared", path, self.graph.parameter(path).shape, layout)
        return layout

    def _noise(self, node: Node) -> Layout:
        layout = self._pass(node)
        p = node.details.get("p", 0.5)
        if self.graph.is_training and p != 0.0:
            for segment in layout:
                self.spaces[segment.space].has_noise = True
        return layout

    def _rearrange(self, node: Node) -> Layout:
        """Follow the units into a flattened axis; ``repeat`` positions each."""
        source = self.graph.node(node.inputs[0])
        part = unit_range(source, node)
        if part is not None:
            return taken(self.layouts[source.id], *part) or self._pass(node)
        repeat = node.details.get("repeat", 1)
        if not isinstance(repeat, int) or repeat == 1:
            return self._pass(node)
        layout = self.layouts[source.id]
        is_first = is_before_positions(source)
        if is_first is None or any(segment.repeat > 1 for segment in layout):
            return self._closed_off(node)
        if length_of(layout) * repeat != node.shape[node.unit_axis or 0]:
            return self._closed_off(node)
        if is_first:
            return tuple(
                replace(s, repeat=repeat, start=s.start * repeat, unit_step=repeat)
                for s in layout
            )
        total = length_of(layout)
        return tuple(replace(s, repeat=repeat, repeat_step=total) for s in layout)

    def _closed_off(self, node: Node) -> Layout:
        """Mark what goes in, and what comes out, as not followed."""
        reason = where(node, "is not followed unit by unit")
        for node_id in node.inputs:
            self._spoil(self.layouts[node_id], reason)
        return self._open(node, name=node.path, reason=reason)
