"""Pieces: nodes in the making, and the table of them that simplification fills."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fanin.errors import InternalError
from fanin.graph.draft import Draft, Kind, Place
from fanin.graph.graph import Op
from fanin.graph.simplify.affine import affine_of, details_of
from fanin.graph.simplify.fact import ACTIVATION, PARAMETER, USES, Facts
from fanin.graph.simplify.layout import UNIT, Layout, axis_of, plain, tagged
from fanin.graph.statistics import moments_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.graph.graph import Weight
    from fanin.graph.simplify.replay import Replay


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A node in the making; inputs are ids of values, each the output of a piece."""

    op: Op
    shape: tuple[int, ...]
    layout: Layout
    inputs: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    place: Place = field(default_factory=Place)
    weight: Weight | None = None
    bias: str | None = None
    scale: str | None = None
    function: Replay | None = None
    details: Mapping[str, object] = field(default_factory=dict)


class Table:
    """Which piece gives each value, and what is known on the way.

    pieces: by the id of the value that is their output. alias: of a value that is
    another one, unchanged, that other. runs: values that are a function of one piece.
    """

    def __init__(
        self,
        drafts: Sequence[Draft],
        facts: Mapping[int, Facts],
        outputs: Sequence[int],
    ) -> None:
        self.drafts = drafts
        self.facts = facts
        self.outputs = tuple(outputs)
        self.pieces: dict[int, Piece] = {}
        self.alias: dict[int, int] = {}
        self.runs: dict[int, Replay] = {}
        self.parameter_shapes = {
            d.name: d.shape for d in drafts if d.kind is Kind.PARAMETER
        }
        self.live = live_values(drafts, facts, outputs)
        self.n_readers = Counter(
            i for draft in drafts if draft.id in self.live for i in draft.inputs
        )
        self.n_readers.update(outputs)

    def resolve(self, value: int) -> int:
        """Give the value that a value is another name of."""
        while value in self.alias:
            value = self.alias[value]
        return value

    def has_one_reader(self, value: int) -> bool:
        """Say whether only one primitive reads a value, under any of its names."""
        while self.n_readers[value] == 1:
            if value not in self.alias:
                return True
            value = self.alias[value]
        return False

    def piece(self, value: int) -> Piece | None:
        """Give the piece whose output a value is, if it is one already."""
        return self.pieces.get(self.resolve(value))

    def put(
        self,
        draft: Draft,
        op: Op,
        inputs: Sequence[int],
        **fields: Any,  # noqa: ANN401 (fields of Piece)
    ) -> None:
        """Make a piece whose output is the draft's value."""
        piece = Piece(
            op=op,
            shape=draft.shape,
            layout=self.facts[draft.id].layout,
            inputs=tuple(inputs),
            names=(draft.name,) if draft.name else (),
            place=draft.place,
        )
        self.pieces[draft.id] = replace(piece, **fields)

    def extend(
        self,
        value: int,
        draft: Draft,
        **changes: Any,  # noqa: ANN401 (fields of Piece)
    ) -> None:
        """Let the piece of ``value`` end in the draft's value instead."""
        piece = self.pieces.pop(self.resolve(value))
        is_new = piece.names[-1:] != (draft.name,)  # one call may be two primitives
        names = (*piece.names, draft.name) if is_new else piece.names
        self.pieces[draft.id] = replace(
            piece,
            shape=draft.shape,
            layout=self.facts[draft.id].layout,
            names=names,
            place=Place(
                path=piece.place.path or draft.place.path,
                source=piece.place.source or draft.place.source,
            ),
            **changes,
        )

    def need(self, value: int, beside: Draft | None = None) -> int:
        """Give the id of the piece for a value, made now if it is not there yet.

        beside: the primitive that reads it, by whose units a table's are found.
        """
        value = self._before_spreading(self.resolve(value))
        if value in self.pieces:
            return value
        draft = self.drafts[value]
        if value in self.runs:
            run = self.runs[value]
            line = None if run.tables else affine_of(run)
            if line == (1.0, 0.0) and value not in self.outputs:
                return self.need(run.root)
            details = details_of(line)
            tables = [self.need(i) for i in run.tables]
            inputs = (self.need(run.root), *tables)
            fields: dict[str, Any] = {"function": run, "names": run.names}
            self.put(draft, Op.ELEMENTWISE, inputs, details=details, **fields)
        elif self.facts[value].nature == ACTIVATION:
            msg = f"Value {value} ({draft.name}) has gone into another node."
            raise InternalError.of(msg)
        elif self.facts[value].nature == PARAMETER:
            self._put_parameter(draft, beside)
        else:
            self._put_constant(draft, beside)
        return value

    def _before_spreading(self, value: int) -> int:
        """Look through copies of a table along new first axes, as NumPy makes them."""
        draft = self.drafts[value]
        while self.facts[value].nature != ACTIVATION and draft.kind is Kind.BROADCAST:
            axes, rank = draft.settings["axes"], len(draft.shape)
            if tuple(axes) != tuple(range(rank - len(axes), rank)):
                break
            value = draft.inputs[0]
            draft = self.drafts[value]
        return value

    def _put_parameter(self, draft: Draft, beside: Draft | None) -> None:
        facts = self.facts[draft.id]
        details: dict[str, object] = {}
        if not facts.is_view:
            details["computed_from"] = tuple(sorted(facts.sources))
        layout = self._layout_beside(draft, beside)
        place = Place(path=facts.origin, source=draft.place.source)
        fields: dict[str, Any] = {"layout": layout, "details": details, "place": place}
        self.put(draft, Op.PARAMETER, (), names=(), **fields)

    def _put_constant(self, draft: Draft, beside: Draft | None) -> None:
        details: dict[str, object] = dict(moments_of(draft.value))
        if draft.value is None and self.facts[draft.id].number is not None:
            number = self.facts[draft.id].number or 0.0
            details = {"mean": number, "second_moment": number**2}
        layout = self._layout_beside(draft, beside)
        self.put(draft, Op.CONSTANT, (), layout=layout, details=details)

    def _layout_beside(self, draft: Draft, beside: Draft | None) -> Layout:
        """Give a table the unit axis of the value that it is combined with."""
        layout = plain(draft.shape)
        if beside is None:
            return layout
        axis = axis_of(self.facts[beside.id].layout, UNIT)
        if axis is None:
            return layout
        own = axis - len(beside.shape) + len(draft.shape)
        if own < 0 or draft.shape[own] != beside.shape[axis]:
            return layout
        return tagged(layout, own, UNIT)


def live_values(
    drafts: Sequence[Draft], facts: Mapping[int, Facts], outputs: Sequence[int]
) -> frozenset[int]:
    """Give the values that an output depends on, and weights used for nothing."""
    uses = USES | {Kind.NORMALIZE}
    live = set(outputs)
    for draft in reversed(drafts):
        is_weighted = any(facts[i].nature == PARAMETER for i in draft.inputs)
        if draft.kind in uses and is_weighted and facts[draft.id].nature == ACTIVATION:
            live.add(draft.id)
        if draft.id in live:
            live.update(draft.inputs)
            extra = (draft.settings.get("scale"), draft.settings.get("bias"))
            live.update(i for i in extra if isinstance(i, int))
    return frozenset(live)
