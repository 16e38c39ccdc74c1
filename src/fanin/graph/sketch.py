"""A Graph written by hand, one call an operation: for theory, tests and lessons.

A recorder writes a Graph down while a model runs. Where there is no model, a Sketch
gives the same records, in PyTorch's layout or (``is_channels_last``) in Keras's.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from fanin.graph.fans import AxisRoles, Fan
from fanin.graph.graph import Graph, Node, Op, Parameter, Weight
from fanin.graph.simplify.affine import affine_of, details_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import ScalarFunction


class Sketch:
    """Nodes and parameters added one by one; each method gives the new node's id.

    >>> sketch = Sketch()
    >>> hidden = sketch.dense(sketch.input((64, 8)), 32, path="0")
    >>> graph = sketch.graph(sketch.dense(hidden, 10, path="1"))
    >>> [weight.shape for weight in graph.parameters]
    [(32, 8), (32,), (10, 32), (10,)]
    """

    def __init__(self, *, is_channels_last: bool = False) -> None:
        self.is_channels_last = is_channels_last
        self.nodes: list[Node] = []
        self.parameters: dict[str, Parameter] = {}

    def add_node(self, op: Op, inputs: tuple[int, ...] = (), **fields: Any) -> int:  # noqa: ANN401 (fields of Node)
        """Append a node; shape and unit axis are its first input's unless given."""
        node_id = len(self.nodes)
        if inputs:
            fields.setdefault("shape", self.nodes[inputs[0]].shape)
            fields.setdefault("unit_axis", self.nodes[inputs[0]].unit_axis)
        fields.setdefault("batch_axis", 0)
        self.nodes.append(Node(id=node_id, op=op, inputs=inputs, **fields))
        return node_id

    def hold(self, path: str, shape: tuple[int, ...]) -> str:
        """Add a parameter of that path and shape, if it is not there yet."""
        self.parameters.setdefault(
            path, Parameter(path=path, shape=shape, dtype="float32")
        )
        return path

    def unit_axis(self, n_axes: int) -> int:
        """Give the axis of the units: the last, or 1 where channels come first."""
        return n_axes - 1 if self.is_channels_last or n_axes <= 3 else 1

    def input(self, shape: tuple[int, ...]) -> int:
        """Add a tensor of the batch."""
        axis = self.unit_axis(len(shape))
        return self.add_node(Op.INPUT, shape=shape, unit_axis=axis)

    def parameter(self, path: str, shape: tuple[int, ...]) -> int:
        """Add a parameter used as a value of its own."""
        return self.add_node(
            Op.PARAMETER,
            shape=shape,
            unit_axis=len(shape) - 1,
            batch_axis=None,
            path=self.hold(path, shape),
        )

    def dense(
        self, source: int, n_units: int, *, path: str, has_bias: bool = True
    ) -> int:
        """Add ``x @ W + b`` over the last axis."""
        shape = self.nodes[source].shape
        n_in = shape[-1]
        if self.is_channels_last:
            held, roles = (n_in, n_units), AxisRoles(inputs=(0,), outputs=(1,))
        else:
            held, roles = (n_units, n_in), AxisRoles(inputs=(1,), outputs=(0,))
        weight = Weight(
            path=self.hold(f"{path}.weight", held),
            roles=roles,
            fan=Fan(n_in=float(n_in), n_out=float(n_units)),
        )
        return self.add_node(
            Op.LINEAR,
            (source,),
            shape=(*shape[:-1], n_units),
            unit_axis=len(shape) - 1,
            path=path,
            weight=weight,
            bias=self.hold(f"{path}.bias", (n_units,)) if has_bias else None,
            details={"kind": "dense", "padding_share": 0.0},
        )

    def conv(  # noqa: PLR0913 (a convolution has that many settings)
        self,
        source: int,
        n_units: int,
        *,
        path: str,
        kernel: int = 3,
        groups: int = 1,
        padding_share: float = 0.0,
        has_bias: bool = False,
    ) -> int:
        """Add a convolution of stride 1 that keeps the size of the map."""
        node = self.nodes[source]
        axis = self.unit_axis(len(node.shape))
        n_in = node.shape[axis] // groups
        shape = tuple(n_units if i == axis else n for i, n in enumerate(node.shape))
        n_spatial = len(node.shape) - 2
        window = (kernel,) * n_spatial
        if self.is_channels_last:
            held = (*window, n_in, n_units)
            roles = AxisRoles(
                inputs=(n_spatial,),
                outputs=(n_spatial + 1,),
                kernel=tuple(range(n_spatial)),
                groups=groups,
            )
        else:
            held = (n_units, n_in, *window)
            roles = AxisRoles(
                inputs=(1,),
                outputs=(0,),
                kernel=tuple(range(2, 2 + n_spatial)),
                groups=groups,
            )
        fan = Fan(
            n_in=float(n_in * prod(window)),
            n_out=float(n_units // groups * prod(window)),
        )
        weight = Weight(path=self.hold(f"{path}.weight", held), roles=roles, fan=fan)
        return self.add_node(
            Op.LINEAR,
            (source,),
            shape=shape,
            unit_axis=axis,
            path=path,
            weight=weight,
            bias=self.hold(f"{path}.bias", (n_units,)) if has_bias else None,
            details={"kind": "conv", "padding_share": padding_share},
        )

    def lookup(self, source: int, n_rows: int, n_units: int, *, path: str) -> int:
        """Add an embedding: row ``i`` of a table for each index ``i``."""
        shape = (*self.nodes[source].shape, n_units)
        roles = AxisRoles(inputs=(0,), outputs=(1,), is_lookup=True)
        weight = Weight(
            path=self.hold(f"{path}.weight", (n_rows, n_units)),
            roles=roles,
            fan=Fan(n_in=1.0, n_out=float(n_units)),
        )
        return self.add_node(
            Op.LINEAR,
            (source,),
            shape=shape,
            unit_axis=len(shape) - 1,
            path=path,
            weight=weight,
            details={"kind": "lookup", "padding_share": 0.0},
        )

    def apply(self, source: int, function: ScalarFunction, *, path: str = "") -> int:
        """Add one scalar function of one tensor."""
        return self.add_node(
            Op.ELEMENTWISE,
            (source,),
            function=function,
            path=path,
            details=details_of(affine_of(function)),
        )

    def combine(self, op: Op, *sources: int) -> int:
        """Add an ADD, MULTIPLY or CONTRACT of tensors of one shape."""
        widest = max(sources, key=lambda i: (len(self.nodes[i].shape), -i))
        node = self.nodes[widest]
        return self.add_node(op, sources, shape=node.shape, unit_axis=node.unit_axis)

    def concat(self, *sources: int) -> int:
        """Add the tensors laid side by side along the unit axis."""
        first = self.nodes[sources[0]]
        axis = first.unit_axis or 0
        total = sum(self.nodes[source].shape[axis] for source in sources)
        shape = tuple(total if i == axis else n for i, n in enumerate(first.shape))
        return self.add_node(Op.CONCAT, sources, shape=shape)

    def normalize(
        self, source: int, *, path: str, kind: str = "batch", is_identity: bool = False
    ) -> int:
        """Add a normalization with a gain and a shift for each unit."""
        node = self.nodes[source]
        axis = node.unit_axis or 0
        n_units = node.shape[axis]
        axes = tuple(i for i in range(len(node.shape)) if i != axis)
        details: Mapping[str, object] = {
            "kind": kind,
            "eps": 1e-5,
            "axes": axes if kind == "batch" else (axis,),
            "is_identity": is_identity,
        }
        return self.add_node(
            Op.NORMALIZE,
            (source,),
            path=path,
            scale=self.hold(f"{path}.weight", (n_units,)),
            bias=self.hold(f"{path}.bias", (n_units,)),
            details=details,
        )

    def flatten(self, source: int) -> int:
        """Add the reshaping of all axes but the first into one."""
        shape = self.nodes[source].shape
        axis = self.nodes[source].unit_axis or 0
        n_entries = prod(shape[1:])
        return self.add_node(
            Op.REARRANGE,
            (source,),
            shape=(shape[0], n_entries),
            unit_axis=1,
            details={"repeat": n_entries // shape[axis]},
        )

    def reduce(self, source: int, *, kind: str = "mean", window: int = 0) -> int:
        """Add pooling: over a window of so many entries, or (0) over all positions."""
        node = self.nodes[source]
        axis = node.unit_axis or 0
        shape = tuple(
            n for i, n in enumerate(node.shape) if i in {0, axis} or window > 0
        )
        n_positions = prod(node.shape) // (node.shape[0] * node.shape[axis])
        return self.add_node(
            Op.REDUCE,
            (source,),
            shape=shape,
            unit_axis=axis if window else 1,
            details={"kind": kind, "window": window or n_positions},
        )

    def noise(self, source: int, *, p: float) -> int:
        """Add dropout."""
        return self.add_node(Op.NOISE, (source,), details={"p": p})

    def graph(
        self, *outputs: int, framework: str = "torch", is_training: bool = True
    ) -> Graph:
        """Give the Graph, with these nodes as its outputs."""
        return Graph(
            framework=framework,
            nodes=tuple(self.nodes),
            parameters=tuple(self.parameters.values()),
            outputs=outputs,
            is_training=is_training,
        )
