"""A prescription as a formula that a device can compute, where its law has one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fanin.graph.formula import Change, Formula
from fanin.prescription.boxes import block_axis
from fanin.prescription.drawing import law_of
from fanin.prescription.structured import block_of

if TYPE_CHECKING:
    from fanin.prescription.prescription import Prescription
    from fanin.sampler import Law

LAWS: Final = ("constant", "normal", "truncated_normal", "uniform")
DTYPES: Final = ("float32", "float16", "bfloat16")


def formula_of(prescription: Prescription, seed: int) -> Formula | None:
    """Give the formula of a parameter's entries; None where they have none of 32 bits.

    A matrix, a list of values, a bias that follows a weight, and float64 have none.

    Args:
        prescription: of the parameter.
        seed: of the plan.

    >>> from fanin.prescription.prescription import Prescription
    >>> weight = Prescription(
    ...     path="0.weight",
    ...     shape=(2, 3),
    ...     dtype="float32",
    ...     role="",
    ...     scheme="he_uniform",
    ...     law="uniform",
    ...     reason="",
    ...     std=1.0,
    ... )
    >>> formula_of(weight, seed=0).factor * 2.0**24
    1.7320508075688772
    """
    p = prescription
    if p.law not in LAWS or p.dtype not in DTYPES:
        return None
    from fanin.sampler.key import key_of
    from fanin.sampler.table import narrow_table

    own = seed if p.seed is None else p.seed
    block = block_of(p)
    law = law_of(replace(p, shape=block))
    return replace(
        _with_law(law),
        shape=p.shape,
        dtype=p.dtype,
        block=block,
        axis=block_axis(p),
        mirrored=tuple(p.mirrored),
        keys=tuple(key_of(p.path, seed=own, stream=k) for k in range(p.n_blocks)),
        tables=narrow_table(),
        changes=tuple(
            Change(
                start=part.start,
                size=part.size,
                period=part.period,
                factor=part.factor,
                value=part.value,
            )
            for part in p.parts
        ),
        roles=p.roles,
    )


def _with_law(law: Law) -> Formula:
    """Give the numbers of a law, for a parameter without entries."""
    from fanin.sampler.narrow import NORMAL_BITS, UNIFORM_BITS
    from fanin.sampler.recipe import UNIFORM, recipe_of
    from fanin.sampler.table import narrow_table

    nothing = Formula(
        shape=(),
        dtype="float32",
        block=(),
        axis=0,
        mirrored=(),
        keys=(),
        is_uniform=False,
        first=0,
        left=1 << 31,
        limit=(1 << 31) - 1,
        factor=0.0,
        value=law.value or 0.0,
        tables=narrow_table(),
        changes=(),
        roles=None,
    )
    if law.kind == "constant" or law.std == 0:
        return nothing
    recipe = recipe_of(law)
    if recipe.kind == UNIFORM:
        return replace(
            nothing, is_uniform=True, factor=recipe.scale * 2.0**-UNIFORM_BITS
        )
    return replace(
        nothing,
        first=recipe.cut.first_32,
        left=(1 << 31) - recipe.cut.first_32,
        limit=recipe.cut.limit_32,
        factor=recipe.scale * 2.0**-NORMAL_BITS,
    )
