"""What a script does for one parameter, before any framework's words are chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.errors import ArgumentError
from fanin.prescription.code.comments import about, rate_of
from fanin.prescription.code.matrices import Matrices, matrices_of
from fanin.prescription.code.numbers import exact, rounded
from fanin.prescription.drawing import without_centre
from fanin.prescription.prescription import OFFSET, VALUES
from fanin.prescription.write_down import matrix_gain
from fanin.sampler.law import MATRICES

if TYPE_CHECKING:
    from fanin.graph.fans import AxisRoles
    from fanin.prescription.prescription import Part, Prescription

NARROW: Final = frozenset({"float16", "bfloat16"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """Units that are multiplied by a factor or set to a value, after the law.

    starts: of each run of units; size: of a run. factor, value: as text; one is empty.
    """

    starts: tuple[int, ...]
    size: int
    factor: str = ""
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One parameter's statement: two that are equal but for path and number are alike.

    path, role: of the parameter. about: scheme and reason, one line. rate: what its
    learning rate is multiplied by, in words. is_centred: the plan holds a part that
    fits its own draw alone, left out here. law: "constant",
    "normal", "uniform", "truncated_normal", "orthogonal", "identity", "values" or
    "offset". number: as text, of what the law is given by: a constant's or an offset's
    value, a std, a bound, a gain. values: every entry as text, of "values". shape: of
    the parameter; () where the statement need not name it. seed: of this parameter
    alone. is_narrow: 16 bits wide, or summed from such, so that numbers are drawn or
    summed wider and rounded.
    mirrored: axes, of which the second half is minus the first. n_blocks: cut along
    block_axis. matrices: of a block, of the matrix laws. changes: last of all, on the
    unit_axis of the parameter reshaped to unit_shape (() where it need not be).
    weight: that an offset follows; sum_axes: its axes that a row is summed over.
    """

    path: str
    role: str
    about: str
    law: str
    number: str
    values: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    rate: str = ""
    is_centred: bool = False
    seed: int | None = None
    is_narrow: bool = False
    mirrored: tuple[int, ...] = ()
    n_blocks: int = 1
    block_axis: int = 0
    matrices: Matrices | None = None
    changes: tuple[Change, ...] = ()
    unit_axis: int = 0
    unit_shape: tuple[int, ...] = ()
    weight: str = ""
    sum_axes: tuple[int, ...] = ()

    @property
    def is_random(self) -> bool:
        """Say whether numbers are drawn."""
        return self.law in {*_SIZES, *MATRICES} - {"identity"}

    @property
    def block(self) -> tuple[int, ...]:
        """Give the shape that the law is drawn on; () where it is the parameter's."""
        return _block_of(self.shape, self.mirrored, self.n_blocks, self.block_axis)


def recipe_of(p: Prescription, weight: Prescription | None = None) -> Recipe:
    """Give the recipe of a prescription that is not kept.

    Args:
        p: the prescription.
        weight: that of the weight which an offset follows.

    Raises:
        ArgumentError: if its law, or the units of its parts, cannot be written.

    >>> from fanin.prescription.prescription import Prescription
    >>> bias = Prescription(
    ...     path="0.bias",
    ...     shape=(3,),
    ...     dtype="float32",
    ...     role="bias",
    ...     scheme="zeros",
    ...     law="constant",
    ...     reason="Starts at 0: no unit is favoured.",
    ... )
    >>> recipe_of(bias).number, recipe_of(bias).about
    ('0', '(zeros): Starts at 0: no unit is favoured.')
    """
    recipe = _by_law(p)
    if weight is not None and weight.dtype in NARROW:
        recipe = replace(recipe, is_narrow=True)
    return _with_changes(p, recipe) if p.parts else recipe


def _by_law(p: Prescription) -> Recipe:
    recipe = Recipe(
        path=p.path,
        role=p.role,
        about=about(p),
        law=p.law,
        number="",
        rate=rate_of(p),
        is_centred=bool(p.centre),
        seed=p.seed,
        is_narrow=p.dtype in NARROW,
        mirrored=p.mirrored,
        shape=p.shape if p.mirrored else (),
    )
    if p.law == VALUES:
        entries = tuple(exact(value, p.dtype) for value in without_centre(p).values)
        if len(set(entries)) > 1:
            return replace(recipe, values=entries, shape=p.shape)
        return _constant(p, entries[0])
    if p.law == OFFSET:
        return _offset(p, recipe)
    if p.law == "constant" or (p.std == 0.0 and p.law in _SIZES):
        value = p.value if p.law == "constant" else 0.0
        return _constant(p, exact(value, p.dtype))
    if p.law in _SIZES:
        return replace(recipe, number=rounded(p.std * _SIZES[p.law]))
    if p.law in MATRICES:
        return _matrix(p, recipe)
    received = f"the law {p.law!r} of {p.path!r}"
    expected = f"one of {', '.join((*_SIZES, *sorted(MATRICES)))}"
    raise ArgumentError.of(argument="plan", received=received, expected=expected)


_SIZES: Final = {"normal": 1.0, "uniform": sqrt(3.0), "truncated_normal": 1.0}
"""The number that a law is given by, in units of its std: half the width of uniform."""


def _constant(p: Prescription, number: str) -> Recipe:
    scheme = {"0": "zeros", "1": "ones"}.get(number, "constant")
    return Recipe(
        path=p.path,
        role=p.role,
        about=about(replace(p, scheme=scheme)),
        law="constant",
        number=number,
        rate=rate_of(p),
        is_centred=bool(p.centre),
    )


def _matrix(p: Prescription, recipe: Recipe) -> Recipe:
    axis = p.roles.outputs[0] if p.roles is not None and p.roles.outputs else 0
    block = _block_of(p.shape, p.mirrored, p.n_blocks, axis)
    return replace(
        recipe,
        number=rounded(matrix_gain(replace(p, shape=block))),
        shape=p.shape,
        n_blocks=p.n_blocks,
        block_axis=axis,
        matrices=matrices_of(block, p.roles),
    )


def _offset(p: Prescription, recipe: Recipe) -> Recipe:
    roles = p.roles
    if (
        roles is None
        or _is_by_input(roles)
        or list(roles.outputs) != sorted(roles.outputs)
    ):
        _refuse(p, "the rows of a weight whose output axes come in their order")
    axes = () if roles is None else tuple(sorted((*roles.inputs, *roles.kernel)))
    is_flat = roles is not None and len(roles.outputs) == 1 and len(p.shape) == 1
    return replace(
        recipe,
        number=exact(-p.value, "float32"),
        weight=p.weight or "",
        sum_axes=axes,
        shape=() if is_flat else p.shape,
    )


def _with_changes(p: Prescription, recipe: Recipe) -> Recipe:
    """Say on which axis the units stand, and which of them are changed."""
    axis, shape = _units(p)
    n_units = shape[axis]
    changes = tuple(_change(part, n_units, p.dtype) for part in p.parts)
    is_reshaped = shape != p.shape
    return replace(
        recipe,
        changes=changes,
        unit_axis=axis,
        unit_shape=shape if is_reshaped else (),
        shape=p.shape if is_reshaped else recipe.shape,
    )


def _units(p: Prescription) -> tuple[int, tuple[int, ...]]:
    """Give the axis of the units, in a shape where there is one such axis."""
    if p.roles is None or p.law == OFFSET:
        return 0, (p.size,)
    outputs = p.roles.outputs
    first, last = outputs[0], outputs[-1]
    if _is_by_input(p.roles) or outputs != tuple(range(first, last + 1)):
        _refuse(p, "parts of a weight whose output axes stand side by side")
    n_units = int(np.prod([p.shape[axis] for axis in outputs]))
    return first, (*p.shape[:first], n_units, *p.shape[last + 1 :])


def _change(part: Part, n_units: int, dtype: str) -> Change:
    starts = tuple(range(part.start, n_units, part.period))
    if part.value is not None:
        return Change(starts=starts, size=part.size, value=exact(part.value, dtype))
    return Change(starts=starts, size=part.size, factor=rounded(part.factor))


def _is_by_input(roles: AxisRoles) -> bool:
    """Say whether the units of a weight are counted over its input axes as well."""
    return roles.groups > 1 and roles.is_transposed and not roles.has_all_outputs


def _refuse(p: Prescription, expected: str) -> None:
    received = f"{p.path!r} of shape {p.shape}"
    raise ArgumentError.of(argument="plan", received=received, expected=expected)


def _block_of(
    shape: tuple[int, ...], mirrored: tuple[int, ...], n_blocks: int, axis: int
) -> tuple[int, ...]:
    lengths = [n // 2 if i in mirrored else n for i, n in enumerate(shape)]
    if n_blocks > 1:
        lengths[axis] //= n_blocks
    return tuple(lengths)
