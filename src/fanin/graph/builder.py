"""From the primitives that a framework ran to a Graph.

A framework's recorder makes one GraphBuilder, announces the tensors that exist before
the model runs (``input``, ``parameter``, ``constant``), then calls one method for each
primitive in order of execution. Every method gives the id of the value that the
primitive gave; the recorder keeps its own map from tensors to ids. ``build`` turns the
list into nodes: it merges runs of pointwise primitives into one function, finds the
parameter in every contraction, attaches biases, recognizes normalization and softmax
written by hand, follows the batch axis and the unit axis, and drops what only moves
numbers. Frameworks describe; all that is understood is understood here, once.

    builder.place = Place(path="blocks.0.mlp", source="net.py:23")
    x = builder.input((32, 784))
    wt = builder.permute("aten.t", builder.parameter("fc.weight"), (1, 0))
    y = builder.contract("aten.mm", x, wt, "ab,bc->ac")
    z = builder.pointwise("aten.tanh", (y,), np.tanh)
    built = builder.build((z,))
    built.graph.nodes, built.sites       # which value each node's output is
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import InternalError
from fanin.graph.draft import Kind
from fanin.graph.draft_list import DraftList
from fanin.graph.graph import Graph
from fanin.graph.simplify import simplify
from fanin.graph.statistics import moments_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.graph.draft import PointwiseFunction
    from fanin.graph.fans import AxisRoles
    from fanin.graph.graph import Parameter
    from fanin.graph.windows import WindowAxis

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Built:
    """The graph, and for each node's id the id of the value that is its output."""

    graph: Graph
    sites: Mapping[int, int]


class GraphBuilder(DraftList):
    """Collects primitives; see the module's docstring.

    place: where the next primitives run; set it whenever it changes.
    batch_size: samples of the batch; None where there is no batch. A recorder that
    learns it while the model runs sets it before ``build``.

    >>> import numpy as np
    >>> from fanin.graph import Parameter
    >>> weight = Parameter(path="w", shape=(8, 3), dtype="float32")
    >>> builder = GraphBuilder(framework="torch", parameters=(weight,), batch_size=5)
    >>> x = builder.input((5, 8))
    >>> y = builder.contract("mm", x, builder.parameter("w"), "ab,bc->ac")
    >>> z = builder.pointwise("tanh", (y,), np.tanh)
    >>> half = builder.pointwise("mul", (z, builder.constant(0.5)), np.multiply)
    >>> for node in builder.build((half,)).graph.nodes:
    ...     print(node.id, node.op, node.inputs, node.primitives, node.unit_axis)
    0 input () () 1
    1 linear (0,) ('mm',) 1
    2 elementwise (1,) ('tanh', 'mul') 1
    """

    def __init__(
        self,
        *,
        framework: str,
        parameters: Sequence[Parameter],
        batch_size: int | None,
        is_training: bool = True,
        is_measured: bool = False,
    ) -> None:
        super().__init__()
        self._framework = framework
        self._parameters = tuple(parameters)
        self._by_name = {n: p for p in parameters for n in (p.path, *p.aliases)}
        self.batch_size = batch_size
        self._is_training = is_training
        self._is_measured = is_measured
        self._known: dict[str, int] = {}

    # Values that exist before the model runs

    def input(
        self,
        shape: Shape,
        *,
        unit_axis: int | None = None,
        is_index: bool = False,
        numbers: np.ndarray | None = None,
    ) -> int:
        """Add a tensor of the batch; its samples lie along axis 0.

        unit_axis: where its features lie; None: as the first linear node reads it,
        else the last axis. is_index: whole numbers that are looked up. numbers: of any
        other, of which mean and mean square are kept.
        """
        settings: dict[str, Any] = {"unit_axis": unit_axis, "is_index": is_index}
        settings["moments"] = moments_of(numbers)
        return self.add(Kind.INPUT, shape, settings=settings)

    def parameter(self, path: str, value: np.ndarray | None = None) -> int:
        """Give the value id of a parameter: the same id for the same path or alias.

        value: its current numbers, wanted where it has few (a PReLU's slope): a
        pointwise function that reads it is evaluated with them.
        """
        held = self._by_name[path]
        if held.path not in self._known:
            made = self.add(Kind.PARAMETER, held.shape, name=held.path)
            self._known[held.path] = made
        draft_id = self._known[held.path]
        if value is not None:
            self.drafts[draft_id] = replace(self.drafts[draft_id], value=value)
        return draft_id

    def constant(self, value: float | np.ndarray | None, shape: Shape = ()) -> int:
        """Add a value that depends on neither batch nor parameters.

        value: a number (then the shape is ()), an array (its shape is taken), or None
        where only the shape is known.
        """
        array = None if value is None else np.asarray(value)
        shape = shape if array is None else array.shape
        return self.add(Kind.CONSTANT, shape, value=array)

    def random(self, name: str, shape: Shape) -> int:
        """Add numbers that the framework drew while the model ran (a dropout mask)."""
        return self.add(Kind.RANDOM, shape, name=name)

    # Primitives

    def pointwise(
        self,
        name: str,
        inputs: Sequence[int],
        function: PointwiseFunction,
        *,
        rule: str = "",
    ) -> int:
        """Add a primitive that works entry by entry, on operands that broadcast.

        inputs: ids of every operand, numbers included (as ``constant``).
        function: the primitive on float64 arrays, one an input, of any shapes that
        broadcast. rule: of ``draft.RULES``, where it is that of exactly two operands.
        """
        if rule == "divide" and self.drafts[inputs[1]].is_table:
            inverse = self.constant(1.0 / np.asarray(self.drafts[inputs[1]].value))
            inputs, function, rule = (inputs[0], inverse), np.multiply, "multiply"
        shape = np.broadcast_shapes(*(self.shape(i) for i in inputs))
        fields: dict[str, Any] = {"function": function, "rule": rule}
        if rule == "divide":  # by an activation it is a product with its inverse
            inverse = self.pointwise(name, inputs[1:], np.reciprocal)
            fields["settings"] = {"inverse": inverse}
        return self.add(Kind.POINTWISE, shape, inputs, name=name, **fields)

    def contract(self, name: str, left: int, right: int, subscripts: str) -> int:
        """Add a product summed over axes, as ``einsum`` writes it: "ab,bc->ac"."""
        terms, _, out = subscripts.partition("->")
        lengths: dict[str, int] = {}
        for letters, operand in zip(terms.split(","), (left, right), strict=True):
            lengths |= dict(zip(letters, self.shape(operand), strict=True))
        shape = tuple(lengths[letter] for letter in out)
        settings = {"subscripts": subscripts}
        inputs = (left, right)
        return self.add(Kind.CONTRACT, shape, inputs, name=name, settings=settings)

    def convolve(  # noqa: PLR0913 (a convolution has that many settings)
        self,
        name: str,
        source: int,
        weight: int,
        shape: Shape,
        *,
        roles: AxisRoles,
        channel_axis: int,
        windows: Sequence[WindowAxis],
    ) -> int:
        """Add a convolution of any rank, transposed or not, without its bias.

        roles: of the axes of ``weight`` as it is read here; where that is a view of a
        parameter, they are carried back to the parameter's own axes. channel_axis: of
        both the source and the output; samples lie along axis 0. windows: how it
        moves along each spatial axis.
        """
        settings = {
            "roles": roles,
            "channel_axis": channel_axis % len(shape),
            "windows": tuple(windows),
        }
        inputs = (source, weight)
        return self.add(Kind.CONVOLVE, shape, inputs, name=name, settings=settings)

    def lookup(
        self, name: str, table: int, indices: int, *, axis: int = 0, padding: int = -1
    ) -> int:
        """Add rows of a table, by index, indices' shape first; padding: no real row."""
        rows = self.shape(table)
        shape = (*self.shape(indices), *rows[:axis], *rows[axis + 1 :])
        settings = {"axis": axis, "padding": padding}
        inputs = (table, indices)
        return self.add(Kind.LOOKUP, shape, inputs, name=name, settings=settings)

    def reduce(
        self,
        name: str,
        source: int,
        axes: Sequence[int],
        *,
        kind: str,
        is_kept: bool = False,
    ) -> int:
        """Add a "mean", "sum", "max", "min" or "var" over axes (is_kept: length 1)."""
        old = self.shape(source)
        over = tuple(sorted(axis % len(old) for axis in axes))
        kept = [1 if i in over else n for i, n in enumerate(old)]
        shape = tuple(n for i, n in enumerate(kept) if is_kept or i not in over)
        settings = {"axes": over, "kind": kind, "is_kept": is_kept}
        return self.add(Kind.REDUCE, shape, (source,), name=name, settings=settings)

    def pool(
        self,
        name: str,
        source: int,
        shape: Shape,
        *,
        kind: str,
        windows: Sequence[WindowAxis],
    ) -> int:
        """Add pooling, "mean", "max" or "sum", over a window along each axis given."""
        settings = {"kind": kind, "windows": tuple(windows)}
        return self.add(Kind.POOL, shape, (source,), name=name, settings=settings)

    def normalize(
        self,
        name: str,
        source: int,
        *,
        details: Mapping[str, object],
        scale: int | None = None,
        bias: int | None = None,
    ) -> int:
        """Add a normalization that is one primitive.

        details: "kind", "eps", "axes", "is_identity" of docs/architecture.md; scale,
        bias: value ids of its gain and shift.
        """
        settings = {"details": dict(details), "scale": scale, "bias": bias}
        shape = self.shape(source)
        return self.add(Kind.NORMALIZE, shape, (source,), name=name, settings=settings)

    def softmax(self, name: str, source: int, axis: int) -> int:
        """Add a softmax or its logarithm over an axis."""
        shape = self.shape(source)
        settings = {"axis": axis % max(1, len(shape))}
        return self.add(Kind.SOFTMAX, shape, (source,), name=name, settings=settings)

    def noise(self, name: str, source: int, *, p: float) -> int:
        """Add dropout of a share ``p`` that is one primitive."""
        shape = self.shape(source)
        return self.add(Kind.NOISE, shape, (source,), name=name, settings={"p": p})

    def opaque(self, name: str, inputs: Sequence[int], shape: Shape) -> int:
        """Add a primitive that is none of the above."""
        return self.add(Kind.OPAQUE, shape, inputs, name=name)

    # The end

    def build(self, outputs: Sequence[int]) -> Built:
        """Simplify, and give the graph whose outputs are these values.

        Raises:
            InternalError: if an output is no value of this builder.
        """
        if any(not 0 <= value < len(self.drafts) for value in outputs):
            msg = f"The outputs {tuple(outputs)} are not all values of the builder."
            raise InternalError.of(msg)
        simplified = simplify(self.drafts, tuple(outputs), self.batch_size)
        graph = Graph(
            framework=self._framework,
            nodes=simplified.nodes,
            parameters=self._parameters,
            outputs=simplified.outputs,
            is_training=self._is_training,
            is_measured=self._is_measured,
        )
        return Built(graph=graph, sites=simplified.sites)
