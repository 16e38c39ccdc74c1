"""The net of a case as data for a picture: weights, values, twins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.derivation.notation import Entry
from fanin.derivation.printing import TEXT, written
from fanin.derivation.records import Diagram, Edge

if TYPE_CHECKING:
    from fanin.derivation.analysis import Analysis


def diagram_of(analysis: Analysis) -> Diagram:
    """Give widths, edges with starting values, and the units' values and blocks."""
    net, trace = analysis.net, analysis.trace
    edges = tuple(
        Edge(
            layer=entry.layer,
            source=entry.i,
            target=entry.j,
            label=str(entry),
            value=written(analysis.start[entry], TEXT),
            moves=analysis.moves[entry],
        )
        for entry in net.entries
        if not entry.is_bias
    )
    last = net.n_layers
    hidden = [
        tuple(f"a = {written(trace.a[layer, j], TEXT)}" for j in net.units(layer))
        for layer in range(1, last)
    ]
    shown = tuple(f"ŷ = {written(guess, TEXT)}" for guess in trace.y_hat)
    return Diagram(
        widths=net.widths,
        edges=edges,
        blocks=(_alone(net.widths[0]), *_blocks(analysis), _alone(net.widths[-1])),
        values=(tuple(f"x{_sub(i)}" for i in net.units(0)), *hidden, shown),
    )


def _sub(i: int) -> str:
    return str(Entry(1, 0, i))[2:]


def _alone(width: int) -> tuple[int, ...]:
    return tuple(range(width))


def _blocks(analysis: Analysis) -> list[tuple[int, ...]]:
    listed = []
    for layer in range(1, analysis.net.n_layers):
        number = {
            unit: k
            for k, block in enumerate(analysis.pattern.twins(layer))
            for unit in block
        }
        listed.append(tuple(number[j] for j in analysis.net.units(layer)))
    return listed
