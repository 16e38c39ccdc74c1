"""How much wider a model is than its base: parameter by parameter, axis by axis.

Both are Graphs of one architecture. An axis that is longer in the model than in the
base is width: the theory lets it go to infinity. An axis that is as long in both is
finite (colours, classes, a kernel's sides, a fixed size of heads). Nothing is attached
to a tensor, and names decide nothing but which parameters belong together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Final

from fanin.errors import ArgumentError
from fanin.graph.fans import matrix_fans
from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind
from fanin.prescription.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Parameter, Weight
    from fanin.theory.moments import Moments

SHOWN: Final = 4
"""Parameters named in an error."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """By how much one parameter is larger than in the base: factors, 1 for as large.

    n_in: terms that one output sums. n_out: outputs, of all groups together; of what
    is no weight of a linear operation, its entries. reads, writes: what it reads, or
    what it writes, is width.

    >>> grown(4.0, 4.0).kind, grown(4.0, 1.0).kind, grown(1.0, 1.0).kind
    ('hidden', 'output', 'finite')
    """

    n_in: float = 1.0
    n_out: float = 1.0
    reads: bool = False
    writes: bool = False

    @property
    def kind(self) -> str:
        """Name the column of the papers' tables: which side is width.

        "hidden" (both), "output" (it reads width), "input" (it writes width) or
        "finite" (neither).
        """
        if self.reads:
            return "hidden" if self.writes else "output"
        return "input" if self.writes else "finite"


def grown(n_in: float, n_out: float) -> Growth:
    """Give the growth of a parameter of which each side that grew is width."""
    return Growth(n_in=n_in, n_out=n_out, reads=n_in != 1.0, writes=n_out != 1.0)


SAME: Final = Growth()


def on_base(desk: Desk, base: Graph) -> Desk:
    """Lay a desk for the base, with the wishes and the evidence of the model's."""
    values = {
        path: array
        for path, array in desk.evidence.values.items()
        if any(path == p.path and array.shape == p.shape for p in base.parameters)
    }
    evidence = replace(
        desk.evidence, inputs=_inputs(desk.graph, base, desk), values=values
    )
    return Desk(base, law=desk.law, evidence=evidence)


def _inputs(graph: Graph, base: Graph, desk: Desk) -> dict[int, Moments]:
    """Give the moments of the inputs by the base's nodes, in order."""
    here = [node.id for node in graph.nodes if node.op is Op.INPUT]
    there = [node.id for node in base.nodes if node.op is Op.INPUT]
    known = desk.evidence.inputs
    return {b: known[a] for a, b in zip(here, there, strict=False) if a in known}


def growths(desk: Desk, small: Desk, *, is_deeper: bool = False) -> dict[str, Growth]:
    """Compare every parameter with its partner in the base.

    Args:
        desk: of the model.
        small: of the base, as `on_base` lays it.
        is_deeper: the base may have fewer blocks: a parameter that it lacks is
            compared with the last one whose path differs in numbers alone.

    Raises:
        ArgumentError: if the parameters are not the same ones, an axis that is no
            width differs, the base is larger in some axis, or smaller in none.
    """
    pairs = partners(desk.graph, small.graph, is_deeper=is_deeper)
    wrong = [
        text
        for path, partner in pairs.items()
        if (text := _mismatch(desk, desk.graph.parameter(path), partner))
    ]
    if wrong:
        refuse(f"{len(wrong)} that do not fit: {'; '.join(wrong[:SHOWN])}")
    found = {
        path: _growth(desk, small, desk.graph.parameter(path), partner)
        for path, partner in pairs.items()
    }
    is_deeper = len(small.graph.parameters) < len(desk.graph.parameters)
    if not is_deeper and all(growth == SAME for growth in found.values()):
        refuse("a base that is smaller in no axis")
    return found


def refuse(received: str) -> None:
    """Refuse a base, and say what a right one is."""
    expected = (
        "a smaller model of the same architecture: the same parameters by path, each "
        "with as many axes, none longer, some shorter, and inputs, outputs and kernels "
        "of one size (for the base itself, leave base out)"
    )
    raise ArgumentError.of(argument="base", received=received, expected=expected)


def partners(graph: Graph, base: Graph, *, is_deeper: bool) -> Mapping[str, Parameter]:
    """Give the base's parameter for each of the model's, by path.

    Raises:
        ArgumentError: if the two do not have the same ones.
    """
    known = {p.path: p for p in base.parameters}
    alike = {_pattern(p.path): p for p in base.parameters} if is_deeper else {}
    found = {
        p.path: partner
        for p in graph.parameters
        if (partner := known.get(p.path) or alike.get(_pattern(p.path))) is not None
    }
    lacking = [p.path for p in graph.parameters if p.path not in found]
    mine = {p.path for p in graph.parameters}
    more = [path for path in known if path not in mine]
    for paths, words in ((lacking, "a base without"), (more, "a base that also has")):
        if paths:
            shown = ", ".join(repr(path) for path in paths[:SHOWN])
            dots = ", …" if len(paths) > SHOWN else ""
            refuse(f"{words} {shown}{dots}")
    return found


def _pattern(path: str) -> str:
    return re.sub(r"\d+", "#", path)


def _mismatch(desk: Desk, mine: Parameter, other: Parameter) -> str:
    """Say why two parameters cannot be one at two widths; "" if they can."""
    sizes = f"{mine.path!r} is {mine.shape} and {other.shape} in the base"
    if len(mine.shape) != len(other.shape):
        return f"{sizes}, with other axes"
    if any(a < b for a, b in zip(mine.shape, other.shape, strict=True)):
        return f"{sizes}, so the base is larger"
    fixed = _fixed_axes(desk, mine, other)
    if any(mine.shape[axis] != other.shape[axis] for axis in fixed):
        return f"{sizes}, but that axis is no width"
    return ""


def _fixed_axes(desk: Desk, mine: Parameter, other: Parameter) -> tuple[int, ...]:
    """Give the axes that are the task's: a kernel's sides, the units of the output.

    Where what the model gives is as wide as the model (features, and no classes), its
    last weight grows by one factor on both sides.
    """
    weight = desk.weights.get(mine.path)
    if weight is None:
        return ()
    roles = weight.roles
    if desk.roles[mine.path].kind is not RoleKind.HEAD:
        return roles.kernel
    read, given = (
        prod(mine.shape[axis] / other.shape[axis] for axis in axes)
        for axes in (roles.inputs, roles.outputs)
    )
    return roles.kernel if read == given else (*roles.kernel, *roles.outputs)


def _growth(desk: Desk, small: Desk, mine: Parameter, other: Parameter) -> Growth:
    weight, before = desk.weights.get(mine.path), small.weights.get(other.path)
    if weight is None or before is None:
        return grown(1.0, mine.size / other.size)
    here, there = _sides(mine.shape, weight), _sides(other.shape, before)
    return grown(here[0] / there[0], here[1] / there[1])


def _sides(shape: tuple[int, ...], weight: Weight) -> tuple[float, float]:
    """Give the terms that one output sums, and the outputs of all groups."""
    roles = weight.roles
    sides = matrix_fans(shape, roles)
    n_outputs = prod(shape[axis] for axis in roles.outputs)
    if roles.is_transposed and not roles.has_all_outputs:
        n_outputs *= roles.groups
    return (1.0 if roles.is_lookup else sides.n_in), float(n_outputs)


def absolute(desk: Desk, width: int) -> dict[str, Growth]:
    """Take ``width`` for the base's width, where no base is at hand.

    Which sides are width is read from the roles: all that is not the model's input or
    output, a table's rows, or the single channel of a depthwise kernel.

    Raises:
        ArgumentError: if the width is below 1.
    """
    if width < 1:
        raise ArgumentError.of(
            argument="width", received=width, expected="a whole number of 1 or more"
        )
    return {p.path: _absolute(desk, p, float(width)) for p in desk.graph.parameters}


def _absolute(desk: Desk, parameter: Parameter, width: float) -> Growth:
    role, weight = desk.roles[parameter.path], desk.weights.get(parameter.path)
    if weight is None:
        is_output = role.kind is RoleKind.HEAD_BIAS or parameter.size == 1
        n_out = 1.0 if is_output else parameter.shape[-1] / width
        return Growth(n_out=n_out, writes=not is_output)
    is_narrow = role.kind is RoleKind.INPUT_LAYER or role.is_depthwise
    reads = not (is_narrow or weight.roles.is_lookup)
    writes = role.kind is not RoleKind.HEAD
    n_inputs = prod(parameter.shape[axis] for axis in weight.roles.inputs)
    n_outputs = _sides(parameter.shape, weight)[1]
    return Growth(
        n_in=n_inputs / width if reads else 1.0,
        n_out=n_outputs / width if writes else 1.0,
        reads=reads,
        writes=writes,
    )
