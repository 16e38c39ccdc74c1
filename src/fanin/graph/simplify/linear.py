"""Which parameter a contraction uses as its weight, and what its axes are for."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from fanin.graph.draft import Kind
from fanin.graph.fans import AxisRoles, Fan, fans
from fanin.graph.graph import Op, Weight
from fanin.graph.simplify.fact import ACTIVATION, PARAMETER
from fanin.graph.simplify.layout import Layout, parameter_axes
from fanin.graph.windows import padding_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.draft import Draft
    from fanin.graph.simplify.fact import Facts
    from fanin.graph.simplify.pieces import Table


def add_contraction(table: Table, draft: Draft) -> None:
    """Make LINEAR of a product with a parameter, CONTRACT of one without."""
    natures = [table.facts[i].nature for i in draft.inputs]
    if natures.count(PARAMETER) != 1:
        inputs = [table.need(i) for i in draft.inputs]
        details = {"subscripts": draft.settings["subscripts"]}
        table.put(draft, Op.CONTRACT, inputs, details=details)
        return
    place = natures.index(PARAMETER)
    held, source = draft.inputs[place], draft.inputs[1 - place]
    details = {"kind": "dense", "padding_share": 0.0}
    details |= _computed(table, held)
    weight = _dense_weight(table, draft, place)
    table.put(draft, Op.LINEAR, [table.need(source)], weight=weight, details=details)


def add_convolution(table: Table, draft: Draft) -> None:
    """Make LINEAR of a convolution whose kernel is a parameter."""
    source, held = draft.inputs
    facts = table.facts[held]
    if facts.nature != PARAMETER:
        op = Op.CONTRACT if facts.nature == ACTIVATION else Op.OPAQUE
        table.put(draft, op, [table.need(i) for i in draft.inputs])
        return
    seen: AxisRoles = draft.settings["roles"]
    kind = "conv_transpose" if seen.is_transposed else "conv"
    windows = draft.settings["windows"]
    details = {
        "kind": kind,
        "padding_share": padding_share(windows),
        "windows": windows,
    }
    shape = table.drafts[held].shape
    weight = Weight(
        path=facts.origin,
        roles=_carried_back(seen, facts.layout, _parameter_shape(table, facts)),
        fan=fans(shape, seen),
    )
    table.put(
        draft,
        Op.LINEAR,
        [table.need(source)],
        weight=weight,
        details=details | _computed(table, held),
    )


def add_lookup(table: Table, draft: Draft) -> None:
    """Make LINEAR of rows taken from a parameter; from anything else they are moved."""
    rows, indices = draft.inputs
    facts = table.facts[rows]
    if facts.nature != PARAMETER:
        moved = {"repeat": 1}
        table.put(draft, Op.REARRANGE, [table.need(rows)], details=moved)
        return
    axis = draft.settings["axis"]
    shape = _parameter_shape(table, facts)
    looked_up = parameter_axes([facts.layout[axis]])
    rest = tuple(i for i in range(len(shape)) if i not in looked_up)
    roles = AxisRoles(inputs=looked_up, outputs=rest, is_lookup=True)
    n_out = prod(n for i, n in enumerate(table.drafts[rows].shape) if i != axis)
    weight = Weight(
        path=facts.origin, roles=roles, fan=Fan(n_in=1.0, n_out=float(n_out))
    )
    details = {"kind": "lookup", "padding_share": 0.0} | _computed(table, rows)
    if draft.settings["padding"] >= 0:
        details["padding_row"] = draft.settings["padding"]
    table.put(draft, Op.LINEAR, [table.need(indices)], weight=weight, details=details)


def _computed(table: Table, value: int) -> dict[str, object]:
    """Say which parameters a weight is computed from, if it is none itself.

    Where the larger of two goes through a sum over its own entries, as in g·v/‖v‖, the
    other one alone sets the length of what comes out.
    """
    facts = table.facts[value]
    if facts.is_view:
        return {}
    details: dict[str, object] = {"computed_from": tuple(sorted(facts.sources))}
    others = facts.sources - {facts.origin}
    if len(others) == 1 and _is_normalized(table, value):
        details["length"] = next(iter(others))
    return details


def _is_normalized(table: Table, value: int) -> bool:
    """Say whether a sum over entries is taken on the way from the parameters."""
    waiting, seen = [value], set()
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            if table.drafts[current].kind in {Kind.REDUCE, Kind.NORMALIZE}:
                return True
            waiting += table.drafts[current].inputs
    return False


def _parameter_shape(table: Table, facts: Facts) -> tuple[int, ...]:
    return table.parameter_shapes[facts.origin]


def _dense_weight(table: Table, draft: Draft, place: int) -> Weight:
    """Read the roles off the letters: summed over, shared with the source, or new."""
    terms, _, out = draft.settings["subscripts"].partition("->")
    operands = terms.split(",")
    own, other = operands[place], operands[1 - place]
    facts = table.facts[draft.inputs[place]]
    lengths = dict(zip(own, table.drafts[draft.inputs[place]].shape, strict=True))
    axes = dict(zip(own, facts.layout, strict=True))
    summed = [x for x in own if x not in out]
    new = [x for x in own if x in out and x not in other]
    shared = [x for x in own if x in out and x in other]
    shape = _parameter_shape(table, facts)
    outputs = parameter_axes(axes[x] for x in new)
    inputs = _except(parameter_axes(axes[x] for x in summed), outputs)
    blocks = _except(range(len(shape)), (*inputs, *outputs))
    n_blocks = prod(shape[i] for i in blocks)
    has_stack = bool(parameter_axes(axes[x] for x in shared)) or n_blocks > 1
    roles = AxisRoles(
        inputs=inputs if has_stack else (*inputs, *blocks),
        outputs=tuple(sorted((*outputs, *blocks))) if has_stack else outputs,
        groups=n_blocks if has_stack else 1,
    )
    fan = Fan(
        n_in=float(prod(lengths[x] for x in summed)),
        n_out=float(prod(lengths[x] for x in new)),
    )
    return Weight(path=facts.origin, roles=roles, fan=fan)


def _carried_back(seen: AxisRoles, layout: Layout, shape: Sequence[int]) -> AxisRoles:
    """Give the roles of the parameter's own axes, from those of a view of it."""
    outputs = parameter_axes(layout[i] for i in seen.outputs)
    inputs = _except(parameter_axes(layout[i] for i in seen.inputs), outputs)
    kernel = parameter_axes(layout[i] for i in seen.kernel)
    kernel = _except(kernel, (*outputs, *inputs))
    left = _except(range(len(shape)), (*outputs, *inputs, *kernel))
    return replace(
        seen, inputs=tuple(sorted((*inputs, *left))), outputs=outputs, kernel=kernel
    )


def _except(axes: Sequence[int], taken: Sequence[int]) -> tuple[int, ...]:
    return tuple(axis for axis in axes if axis not in taken)
