"""Pointwise primitives: one function of one tensor, or a sum or product of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.graph import Op
from fanin.graph.simplify.fact import ACTIVATION, PARAMETER, RANDOM
from fanin.graph.simplify.gain import gain_details
from fanin.graph.simplify.layout import UNIT, axis_of
from fanin.graph.simplify.replay import Replay, Step, joined

if TYPE_CHECKING:
    from fanin.graph.draft import Draft
    from fanin.graph.simplify.pieces import Piece, Table

SUMS = frozenset({"add", "subtract"})

MOST_STEPS: Final = 64
"""Primitives after which a run ends: no activation has as many."""


def add_pointwise(table: Table, draft: Draft) -> None:
    """Merge it into a run, attach its parameter, or make a node of several inputs."""
    operands = [table.resolve(i) for i in draft.inputs]
    flowing = [i for i in operands if table.facts[i].nature == ACTIVATION]
    roots = dict.fromkeys(_root(table, i) for i in flowing)
    strange = [i for i in operands if i not in flowing and not _is_number(table, i)]
    tables = [i for i in operands if table.facts[i].nature == PARAMETER]
    if len(roots) == 1 and not strange and not (tables and draft.rule in _JOINING):
        _add_to_run(table, draft, operands, tables)
    elif len(roots) == 1 and any(table.facts[i].nature == RANDOM for i in strange):
        _add_noise(table, draft, operands, flowing)
    elif len(flowing) == 1 and tables and _attach(table, draft, flowing[0], tables[0]):
        return
    else:
        _add_joint(table, draft, operands)


_JOINING = frozenset({"add", "subtract", "multiply"})
"""Rules under which a parameter is an operand, and not a number of the function."""


def _run(table: Table, value: int) -> Replay | None:
    """Give the run that a value goes on with, if it has one that is not too long."""
    run = table.runs.get(value)
    return None if run is None or len(run.steps) >= MOST_STEPS else run


def _root(table: Table, value: int) -> int:
    run = _run(table, value)
    return value if run is None else run.root


def _is_number(table: Table, value: int) -> bool:
    """Say whether all entries are one number, whatever the shape."""
    return table.facts[value].number is not None


def _add_to_run(
    table: Table, draft: Draft, operands: list[int], tables: list[int]
) -> None:
    if draft.function is None:
        return
    read: list[int | np.float64] = [
        i
        if table.facts[i].nature == ACTIVATION
        else np.float64(table.facts[i].number or 0)
        for i in operands
    ]
    step = Step(
        value=draft.id,
        name=draft.name,
        function=draft.function,
        operands=tuple(read),
    )
    parts = [
        _run(table, i) or Replay(root=i, steps=())
        for i in operands
        if table.facts[i].nature == ACTIVATION
    ]
    table.runs[draft.id] = joined(parts, step, tuple(tables))


def _add_noise(
    table: Table, draft: Draft, operands: list[int], flowing: list[int]
) -> None:
    """A random mask times one tensor: what is kept is divided by 1 − p."""
    root = _root(table, flowing[0])
    details: dict[str, object] = {}
    kept = _kept_factor(table, draft, operands)
    is_mask = draft.rule not in SUMS and kept is not None and kept >= 1.0
    if not is_mask or len(flowing) > 1 or kept is None:
        table.put(draft, Op.OPAQUE, [table.need(i) for i in flowing])
        return
    details["p"] = round(1.0 - 1.0 / kept, 12)
    run = _run(table, flowing[0])
    is_scaled = run is not None and kept != 1.0 and _is_scaling(run)
    source = root if is_scaled else flowing[0]
    table.put(draft, Op.NOISE, [table.need(source)], details=details)


def _kept_factor(table: Table, draft: Draft, operands: list[int]) -> float | None:
    """Give the output for an input of 1 where the mask keeps it; None if unknown."""
    if draft.function is None:
        return None
    read = []
    for i in operands:
        facts = table.facts[i]
        if facts.nature == ACTIVATION:
            run = _run(table, i)
            is_scaling = run is not None and _is_scaling(run)
            read.append(run(np.array(1.0)) if run and is_scaling else np.array(1.0))
        elif facts.nature == RANDOM:
            read.append(np.array(_mask_value(table, i)))
        else:
            read.append(np.array(facts.number if facts.number is not None else 0.0))
    with np.errstate(all="ignore"):
        return float(draft.function(*read))


def _mask_value(table: Table, value: int) -> float:
    """Give the number of a random mask where it keeps: 1, or what 1 was turned into."""
    draft = table.drafts[value]
    sources = [i for i in draft.inputs if table.facts[i].nature == RANDOM]
    if draft.function is None or len(sources) != 1:
        return 1.0
    read = [
        np.array(
            _mask_value(table, i) if i in sources else table.facts[i].number or 0.0
        )
        for i in draft.inputs
    ]
    with np.errstate(all="ignore"):
        return float(draft.function(*read))


def _is_scaling(run: Replay) -> bool:
    """Say whether a run multiplies by a number and does nothing else."""
    given = np.array([-2.0, 0.0, 1.0, 3.0])
    found = run(given)
    return bool(np.allclose(found, given * found[2], rtol=1e-12, atol=0.0))


def _attach(table: Table, draft: Draft, flowing: int, held: int) -> bool:
    """Make a parameter the bias or the scale of the piece before it, if it can be."""
    if draft.rule not in _JOINING or draft.shape != _shape(table, flowing):
        return False
    if draft.rule == "multiply":
        return _attach_scale(table, draft, flowing, held)
    facts, piece = table.facts[held], table.pieces.get(flowing)
    is_shift = draft.rule == "add" or draft.inputs[0] != held
    is_alone = table.has_one_reader(_read_as(table, draft, flowing))
    if piece is None or piece.bias is not None or not facts.is_view:
        return False
    is_bias = piece.op is Op.LINEAR and _lies_along_units(table, draft, held)
    if not (is_shift and is_alone and (is_bias or piece.op is Op.NORMALIZE)):
        return False
    table.extend(flowing, draft, bias=facts.origin)
    return True


def _attach_scale(table: Table, draft: Draft, flowing: int, held: int) -> bool:
    """Make it the gain of a normalization, or the factor of a node of its own."""
    piece, path = table.pieces.get(flowing), table.facts[held].origin
    is_alone = table.has_one_reader(_read_as(table, draft, flowing))
    gain = gain_details(table, held)
    if piece is not None and _is_plain_norm(piece) and is_alone and gain is not None:
        details = {**piece.details, **gain}
        table.extend(flowing, draft, scale=path, details=details)
        return True
    if not table.facts[held].is_view:
        return False
    table.put(draft, Op.MULTIPLY, [table.need(flowing)], scale=path)
    return True


def _is_plain_norm(piece: Piece) -> bool:
    return piece.op is Op.NORMALIZE and piece.scale is None and piece.bias is None


def _read_as(table: Table, draft: Draft, resolved: int) -> int:
    """Give the name under which a primitive reads a value."""
    return next(i for i in draft.inputs if table.resolve(i) == resolved)


def _shape(table: Table, value: int) -> tuple[int, ...]:
    return table.drafts[value].shape


def _lies_along_units(table: Table, draft: Draft, held: int) -> bool:
    """Say whether a parameter has one number for each unit, and for nothing else.

    Units may lie along several axes, as those of heads do before they are joined.
    """
    layout, shape = table.facts[draft.id].layout, _shape(table, held)
    units = [
        axis
        for axis, atoms in enumerate(layout)
        if any(atom.tag == UNIT and atom.size > 1 for atom in atoms)
    ]
    if not units:
        axis = axis_of(layout, UNIT)
        units = [] if axis is None else [axis]
    own = [axis - len(draft.shape) + len(shape) for axis in units]
    pairs = list(zip(units, own, strict=True))
    if not own or any(i < 0 or shape[i] != draft.shape[axis] for axis, i in pairs):
        return False
    varying = [
        i
        for i, atoms in enumerate(table.facts[held].layout)
        if any(atom.tag != "" and atom.size > 1 for atom in atoms)
    ]
    return varying == [i for i in own if shape[i] > 1]


def _are_flowing(table: Table, operands: list[int]) -> bool:
    return all(table.facts[i].nature == ACTIVATION for i in operands)


def _add_joint(table: Table, draft: Draft, operands: list[int]) -> None:
    """Make a node of several inputs: a sum, a product, or one that is not known."""
    kept = [
        i
        for i in operands
        if table.facts[i].nature == PARAMETER or not _is_number(table, i)
    ] or operands
    inputs = [table.need(i, draft) for i in kept]
    if draft.rule in SUMS:
        table.put(draft, Op.ADD, inputs)
    elif "inverse" in draft.settings and _are_flowing(table, operands):
        inverse = table.drafts[draft.settings["inverse"]]
        _add_to_run(table, inverse, [operands[1]], [])
        table.put(draft, Op.MULTIPLY, [inputs[0], table.need(inverse.id)])
    elif draft.rule == "multiply":
        table.put(draft, Op.MULTIPLY, inputs)
    else:
        table.put(draft, Op.OPAQUE, inputs)
