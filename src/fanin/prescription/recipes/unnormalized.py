"""Orthogonal weights where nothing normalizes, under the policy "auto"."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fanin.graph.roles import RoleKind
from fanin.prescription.choosing.unnormalized import is_unnormalized
from fanin.prescription.tables import CELLS, SCALED

if TYPE_CHECKING:
    from fanin.graph.roles import Role
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

ON_THE_WAY: Final = (
    SCALED
    - CELLS
    - {
        RoleKind.ROUTER,
        RoleKind.LOW_RANK_DOWN,
        RoleKind.EMBEDDING,
        RoleKind.TIED_EMBEDDING,
    }
)
"""Roles of weights that the whole signal passes through."""
REASON: Final = "Orthogonal, as nothing normalizes."
NOTE: Final = (
    "Nothing in this model normalizes, so its weights are orthogonal: independent "
    "entries would stretch some directions and lose others, layer upon layer."
)


def orthogonal_where_unnormalized(
    desk: Desk, written: dict[str, Prescription]
) -> tuple[dict[str, Prescription], tuple[str, ...]]:
    """Draw normal weights orthogonal, of the same std, if the graph never normalizes.

    What the caller asked for, what is kept and what has a law of its own stays. Gives
    the prescriptions, and what there is to note.
    """
    if desk.law is not None or not is_unnormalized(desk.flow):
        return written, ()
    anew = {
        path: _orthogonal(p, desk.roles[path])
        for path, p in written.items()
        if _is_drawn_anew(desk, p)
    }
    return written | anew, (NOTE,) if anew else ()


def _is_drawn_anew(desk: Desk, p: Prescription) -> bool:
    is_normal = p.law == "normal" and not p.is_asked and p.roles is not None
    return is_normal and desk.roles[p.path].kind in ON_THE_WAY


def _orthogonal(p: Prescription, role: Role) -> Prescription:
    return replace(
        p,
        law="orthogonal",
        scheme="orthogonal",
        n_blocks=_n_blocks(p, role),
        reason=f"{p.reason} {REASON}",
    )


def _n_blocks(p: Prescription, role: Role) -> int:
    """Count the equal parts of a fused weight, each of which is a matrix of its own."""
    sizes = {piece.size for piece in role.slices}
    if p.roles is None or len(sizes) != 1 or p.roles.groups > 1:
        return p.n_blocks
    n_parts = len(role.slices)
    is_whole = p.roles.outputs and p.shape[p.roles.outputs[0]] == n_parts * min(sizes)
    is_in_order = all(piece.period == n_parts * piece.size for piece in role.slices)
    return n_parts if is_whole and is_in_order else p.n_blocks
