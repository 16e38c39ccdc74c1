"""Simplification: from all primitives that ran to the few nodes that matter.

One pass in order of execution; each primitive becomes a node, joins the one before it
or disappears. What has to be known of a value beforehand is in ``facts``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING

from fanin.graph.draft import Draft, Kind
from fanin.graph.graph import Node, Op
from fanin.graph.simplify.fact import ACTIVATION
from fanin.graph.simplify.facts import facts_of
from fanin.graph.simplify.gain import gain_details
from fanin.graph.simplify.known import with_known_numbers
from fanin.graph.simplify.layout import BATCH, UNIT, axis_of
from fanin.graph.simplify.linear import add_contraction, add_convolution, add_lookup
from fanin.graph.simplify.mask import with_masks
from fanin.graph.simplify.padding import with_folded_padding
from fanin.graph.simplify.pieces import Piece, Table
from fanin.graph.simplify.pointwise import add_pointwise
from fanin.graph.simplify.regions import with_regions
from fanin.graph.simplify.replay import SharedRuns
from fanin.graph.simplify.rotation import with_rotations
from fanin.graph.simplify.views import add_view, with_direct_reading, with_input_axes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Simplified:
    """Nodes, ids of the output nodes, and the value that each node's output is."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    sites: Mapping[int, int]


def simplify(
    drafts: Sequence[Draft], outputs: Sequence[int], batch_size: int | None
) -> Simplified:
    """Turn primitives into nodes.

    Args:
        drafts: in order of execution, each with its own position as its id.
        outputs: ids of the values that the model gave.
        batch_size: samples in the batch, None if there is no batch.
    """
    drafts = with_known_numbers(with_input_axes(drafts))
    facts = facts_of(drafts, batch_size)
    drafts = with_regions(drafts, facts)
    drafts = with_rotations(drafts, facts)
    drafts = with_folded_padding(drafts, facts)
    drafts = with_direct_reading(drafts, facts)
    drafts = with_masks(drafts, facts, outputs)
    table = Table(drafts, facts, outputs)
    for draft in drafts:
        if draft.id in table.live and facts[draft.id].nature == ACTIVATION:
            _HANDLERS[draft.kind](table, draft)
    ends = [table.need(output) for output in outputs]
    return _numbered(table, ends)


def _numbered(table: Table, ends: Sequence[int]) -> Simplified:
    """Number the pieces that are needed, in order of execution."""
    needed: set[int] = set()
    dead = [i for i, p in table.pieces.items() if p.op in {Op.LINEAR, Op.NORMALIZE}]
    waiting = [*ends, *dead]
    while waiting:
        value = waiting.pop()
        if value not in needed:
            needed.add(value)
            waiting += table.pieces[value].inputs
    order = {value: number for number, value in enumerate(sorted(needed))}
    runs = SharedRuns()
    nodes = tuple(
        _node(number, table.pieces[value], order, runs)
        for value, number in order.items()
    )
    return Simplified(
        nodes=nodes,
        outputs=tuple(dict.fromkeys(order[value] for value in ends)),
        sites=MappingProxyType({number: value for value, number in order.items()}),
    )


def _node(
    number: int, piece: Piece, order: Mapping[int, int], runs: SharedRuns
) -> Node:
    run = piece.function
    return Node(
        id=number,
        op=piece.op,
        inputs=tuple(order[value] for value in piece.inputs),
        shape=piece.shape,
        primitives=piece.names,
        path=piece.place.path,
        source=piece.place.source,
        unit_axis=axis_of(piece.layout, UNIT),
        batch_axis=axis_of(piece.layout, BATCH),
        weight=piece.weight,
        bias=piece.bias,
        scale=piece.scale,
        function=None if run is None else runs.of(run),
        details=MappingProxyType(dict(piece.details)),
    )


def _add_input(table: Table, draft: Draft) -> None:
    table.put(draft, Op.INPUT, (), details=draft.settings.get("moments", {}))


def _add_concat(table: Table, draft: Draft) -> None:
    inputs = [table.need(i, draft) for i in draft.inputs]
    details = {"axis": draft.settings["axis"]}
    table.put(draft, Op.CONCAT, inputs, details=details)


def _add_reduce(table: Table, draft: Draft) -> None:
    source = draft.inputs[0]
    shape = table.drafts[source].shape
    window = prod(shape[axis] for axis in draft.settings["axes"])
    kind = draft.settings["kind"]
    if window == 1 and kind != "var":
        add_view(table, replace(draft, kind=Kind.RESHAPE))
        return
    op = Op.OPAQUE if kind == "var" else Op.REDUCE
    axes = draft.settings["axes"]
    details = {"kind": kind, "window": window, "axes": axes}
    table.put(draft, op, [table.need(source)], details=details)


def _add_pool(table: Table, draft: Draft) -> None:
    windows = draft.settings["windows"]
    details = {
        "kind": draft.settings["kind"],
        "window": prod(window.kernel for window in windows),
        "windows": windows,
    }
    table.put(draft, Op.REDUCE, [table.need(draft.inputs[0])], details=details)


def _add_normalize(table: Table, draft: Draft) -> None:
    paths = {
        name: table.facts[value].origin or None
        for name in ("scale", "bias")
        if (value := draft.settings[name]) is not None
    }
    source = table.need(draft.inputs[0])
    details = dict(draft.settings["details"])
    batch_axis = axis_of(table.facts[draft.inputs[0]].layout, BATCH)
    is_apart = batch_axis is not None and batch_axis not in details.get("axes", ())
    if details.get("kind") == "batch" and is_apart:  # samples laid beside channels
        details["kind"] = "instance"
    if draft.settings["scale"] is not None:
        details |= gain_details(table, draft.settings["scale"]) or {}
    table.put(draft, Op.NORMALIZE, [source], details=details, **paths)


def _add_softmax(table: Table, draft: Draft) -> None:
    source = table.need(draft.inputs[0])
    table.put(draft, Op.SOFTMAX, [source], details=draft.settings)


def _add_noise(table: Table, draft: Draft) -> None:
    if draft.settings["p"] == 0.0:
        table.alias[draft.id] = table.resolve(draft.inputs[0])
        return
    details = {"p": draft.settings["p"]}
    table.put(draft, Op.NOISE, [table.need(draft.inputs[0])], details=details)


def _add_rotation(table: Table, draft: Draft) -> None:
    details = {"repeat": 1, "kind": "rotation", **draft.settings}
    table.put(draft, Op.REARRANGE, [table.need(draft.inputs[0])], details=details)


def _add_opaque(table: Table, draft: Draft) -> None:
    table.put(draft, Op.OPAQUE, [table.need(i) for i in draft.inputs])


_HANDLERS: dict[Kind, Callable[[Table, Draft], None]] = {
    Kind.INPUT: _add_input,
    Kind.CONSTANT: _add_opaque,
    Kind.RANDOM: _add_opaque,
    Kind.PARAMETER: _add_opaque,
    Kind.POINTWISE: add_pointwise,
    Kind.CONTRACT: add_contraction,
    Kind.CONVOLVE: add_convolution,
    Kind.LOOKUP: add_lookup,
    Kind.PERMUTE: add_view,
    Kind.RESHAPE: add_view,
    Kind.BROADCAST: add_view,
    Kind.PICK: add_view,
    Kind.CONCAT: _add_concat,
    Kind.REDUCE: _add_reduce,
    Kind.POOL: _add_pool,
    Kind.NORMALIZE: _add_normalize,
    Kind.SOFTMAX: _add_softmax,
    Kind.NOISE: _add_noise,
    Kind.ROTATE: _add_rotation,
    Kind.OPAQUE: _add_opaque,
}
