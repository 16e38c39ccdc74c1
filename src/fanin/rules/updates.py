"""The first update of every parameter, as the optimizer will make it.

Judged where legitimate zeros are filled (`Inspection.awakened`): a zero head lets no
gradient through at the first step and does so at the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.roles import RoleKind
from fanin.rules.virtual_steps import root_mean_square

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.rules.inspection import Inspection

QUIET: Final = frozenset({RoleKind.QUERY, RoleKind.KEY, RoleKind.POSITION_BIAS})
GAINS: Final = frozenset({RoleKind.NORM_GAIN, RoleKind.FACTOR})
DIGITS: Final = {"float16": 10, "bfloat16": 7, "float64": 52}
"""Binary digits after the point of a normal number; 23 for float32 (IEEE 754)."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """What the first step does to one parameter; zero gradients are left out.

    path: of the parameter. dtype: in which it is kept. n_axes: a count. gradient: root
    mean square of the gradient's entries that are not 0. share_lost: of those entries
    where the weight is not 0, the share that the step leaves where they are: it is
    under half a unit in the last place. moved, size: norms of the step and of the
    weight.
    """

    path: str
    dtype: str
    n_axes: int
    gradient: float
    share_lost: float
    moved: float
    size: float

    @property
    def ratio(self) -> float:
        """Give the step's norm over the weight's; 0 where all of the weight is 0."""
        return self.moved / self.size if self.size > 0.0 else 0.0


def first_updates(
    inspection: Inspection, gradients: Mapping[str, np.ndarray | None]
) -> tuple[Update, ...]:
    """Give the first update of each parameter that is judged and has a gradient.

    Args:
        inspection: its optimizer takes the step.
        gradients: by path.

    Returns:
        Nothing where the optimizer or its rate is not known, or where no entry of any
        parameter moves: a warm-up that starts at 0.
    """
    facts, values = inspection.optimizer, inspection.values
    if facts is None or facts.first_step is None:
        return ()
    stepped = {
        path: gradient
        for path in judged_paths(inspection)
        if (gradient := gradients.get(path)) is not None
        and np.all(np.isfinite(gradient))
        and np.any(gradient)
    }
    dtypes = {p.path: p.dtype for p in inspection.parameters}
    changes = facts.first_step({path: values[path] for path in stepped}, stepped)
    if not any(np.any(change) for change in changes.values()):
        return ()
    return tuple(
        _update(path, dtypes[path], values[path], gradient, changes[path])
        for path, gradient in stepped.items()
        if path in changes
    )


def judged_paths(inspection: Inspection) -> tuple[str, ...]:
    """Give the parameters whose update tells something, of those that are stepped.

    Left out are biases, and vectors other than gains: the gradient of one that a
    softmax or a normalization takes out again (of the keys in attention) is rounding
    noise; where it is not, the weight beside it tells the same. And what only sets
    attention's scores: they start near 0, and their gradients with them, and grow as
    the values do.
    """
    facts = inspection.optimizer
    unstepped = () if facts is None else facts.unstepped
    left_out = {node.bias for node in inspection.graph.nodes}.union(unstepped)
    return tuple(
        path
        for path in inspection.trainable
        if path not in left_out and _tells(inspection, path)
    )


def _tells(inspection: Inspection, path: str) -> bool:
    """Say whether a parameter is a weight that starts loud, or a gain."""
    role = inspection.roles.get(path)
    if inspection.values[path].ndim > 1:
        return role is None or role.kind not in QUIET
    return role is not None and role.kind in GAINS


def values_after_a_step(inspection: Inspection) -> dict[str, np.ndarray]:
    """Give the values that the optimizer's first step changes; none if not known."""
    facts, values = inspection.optimizer, inspection.values
    if facts is None or facts.first_step is None:
        return {}
    gradients = inspection.awakened.gradients
    stepped = {
        path: gradient
        for path in inspection.trainable
        if (gradient := gradients.get(path)) is not None and path not in facts.unstepped
    }
    changes = facts.first_step({path: values[path] for path in stepped}, stepped)
    return {
        path: (values[path] + change).astype(values[path].dtype)
        for path, change in changes.items()
    }


def _update(
    path: str,
    dtype: str,
    value: np.ndarray,
    gradient: np.ndarray,
    change: np.ndarray,
) -> Update:
    is_awake = gradient != 0.0
    is_judged = is_awake & (value != 0.0)
    lost = np.abs(change[is_judged]) < half_unit(value[is_judged], dtype)
    return Update(
        path=path,
        dtype=dtype,
        n_axes=value.ndim,
        gradient=root_mean_square(gradient[is_awake]),
        share_lost=float(np.mean(lost)) if lost.size else 0.0,
        moved=_norm(change),
        size=_norm(value),
    )


def half_unit(values: np.ndarray, dtype: str) -> np.ndarray:
    """Give half a unit in the last place: what is less is rounded away in a sum.

    Args:
        values: not 0.
        dtype: in which they are kept; all but the half types and float64 as float32.

    >>> half_unit(np.array([1.0, 1.9, 0.02]), "bfloat16").tolist()
    [0.00390625, 0.00390625, 6.103515625e-05]
    """
    _, exponent = np.frexp(np.abs(np.asarray(values, dtype=np.float64)))
    return np.asarray(np.ldexp(0.5, exponent - 1 - DIGITS.get(dtype, 23)))


def _norm(array: np.ndarray) -> float:
    return root_mean_square(array) * float(np.sqrt(array.size))
