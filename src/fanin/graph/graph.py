"""The Graph: what ran, as frozen data with no framework in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from fanin.errors import InternalError

if TYPE_CHECKING:
    import numpy as np

    from fanin.graph.fans import AxisRoles, Fan

ScalarFunction = Callable[["np.ndarray"], "np.ndarray"]


class Op(StrEnum):
    """The vocabulary: what a node does to the statistics that flow through it."""

    INPUT = "input"
    """A tensor of the batch."""
    CONSTANT = "constant"
    """A tensor that depends on neither batch nor parameters (a mask, a table), or by
    way of whole numbers alone (an expert's index): no signal flows through it."""
    PARAMETER = "parameter"
    """A parameter used as a value of its own (a positional table, a gate)."""
    LINEAR = "linear"
    """Any contraction with a parameter: matmul, conv, transposed conv, lookup."""
    CONTRACT = "contract"
    """A contraction of two activations, as in attention."""
    ELEMENTWISE = "elementwise"
    """One scalar function of one tensor, however many primitives it took."""
    ADD = "add"
    """A sum of activations, as where a residual branch joins its stream."""
    MULTIPLY = "multiply"
    """A product of activations, as in a gate."""
    CONCAT = "concat"
    NORMALIZE = "normalize"
    SOFTMAX = "softmax"
    REDUCE = "reduce"
    """A mean, sum or maximum over axes or windows: pooling."""
    REARRANGE = "rearrange"
    """The same numbers in another order or shape."""
    NOISE = "noise"
    """Dropout and its kin."""
    OPAQUE = "opaque"
    """A primitive that fanin does not know: measured there, never predicted."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One stored array of the model.

    path: its dotted name, the first of its names; aliases: its other names (tied
    weights). dtype: as NumPy spells it ("float32", "bfloat16"). storage: "ready",
    "meta" (no memory) or "lazy" (no shape yet; shape is then ()).

    >>> Parameter(path="0.weight", shape=(3, 2), dtype="float32").size
    6
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    is_trainable: bool = True
    aliases: tuple[str, ...] = ()
    storage: str = "ready"
    owner: str = ""
    """Class of the layer that holds it ("Linear", "BatchNorm2d"), where known."""
    initializer: str = ""
    """The stream of random numbers that it was drawn from, where known: parameters
    with one name here were drawn from one stream ("HeNormal(seed=42)")."""

    @property
    def size(self) -> int:
        """How many numbers it holds: a count."""
        size = 1
        for length in self.shape:
            size *= length
        return size


@dataclass(frozen=True, kw_only=True)
class Weight:
    """A parameter in its use as the weight of one linear node."""

    path: str
    roles: AxisRoles
    fan: Fan[float]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operation that ran, and the tensor it gave.

    id: position in order of execution; inputs: ids of the nodes it read, in order.
    shape: of its output. unit_axis: the axis of its output that indexes units
    (channels, features), or None. batch_axis: the axis that indexes samples, or None.
    path: dotted name of the module that ran it ("" for the model itself).
    source: "file.py:23", the line of the user's code that ran it, where known.

    weight, bias: of LINEAR nodes; bias also names the shift of a NORMALIZE node.
    scale: path of the gain of a NORMALIZE node, or of the parameter by which an
    elementwise MULTIPLY scales its only activation (LayerScale, ReZero).
    function: of ELEMENTWISE nodes: the very run of primitives, evaluated on float64
    NumPy arrays of any shape. details: numbers of the operation ("p" of NOISE, "eps",
    "axes" and "is_batch" of NORMALIZE, "kind" and "window" of REDUCE, "padding" of a
    convolution), documented in docs/architecture.md.
    """

    id: int
    op: Op
    inputs: tuple[int, ...] = ()
    shape: tuple[int, ...]
    primitives: tuple[str, ...] = ()
    path: str = ""
    source: str | None = None
    unit_axis: int | None = None
    batch_axis: int | None = None
    weight: Weight | None = None
    bias: str | None = None
    scale: str | None = None
    function: ScalarFunction | None = None
    details: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Nodes in order of execution, the parameters, and which nodes are the outputs.

    framework: "torch" or "keras"; is_training: the mode it was recorded in;
    is_measured: True when it ran on real tensors, False on shapes only (meta).
    """

    framework: str
    nodes: tuple[Node, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[int, ...]
    is_training: bool = True
    is_measured: bool = False

    def node(self, node_id: int) -> Node:
        """Give the node of that id.

        Raises:
            InternalError: if there is none.
        """
        found = self._by_id.get(node_id)
        if found is None:
            msg = f"The graph has no node {node_id}."
            raise InternalError.of(msg)
        return found

    def parameter(self, path: str) -> Parameter:
        """Give the parameter of that path or alias.

        Raises:
            InternalError: if there is none.
        """
        found = self._by_path.get(path)
        if found is None:
            msg = f"The graph has no parameter {path!r}."
            raise InternalError.of(msg)
        return found

    def consumers(self, node_id: int) -> tuple[Node, ...]:
        """Give the nodes that read the output of ``node_id``, in order."""
        return self._readers.get(node_id, ())

    @cached_property
    def _by_id(self) -> Mapping[int, Node]:
        return {node.id: node for node in reversed(self.nodes)}

    @cached_property
    def _by_path(self) -> Mapping[str, Parameter]:
        named = [(name, p) for p in self.parameters for name in (p.path, *p.aliases)]
        return dict(reversed(named))

    @cached_property
    def _readers(self) -> Mapping[int, tuple[Node, ...]]:
        found: dict[int, list[Node]] = {}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                found.setdefault(source, []).append(node)
        return {source: tuple(nodes) for source, nodes in found.items()}

    @cached_property
    def linears(self) -> tuple[Node, ...]:
        """Give the linear nodes, in order of execution."""
        return tuple(node for node in self.nodes if node.op is Op.LINEAR)
