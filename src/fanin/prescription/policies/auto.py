"""The policy "auto": each parameter by its role, each weight by the walk of theory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "auto"
SUMMARY = "Each weight by its role and by what it reads, balanced over the depth."
SOURCE = "fanin; the sources of each decision stand in its reason"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide every parameter by its role."""
    return {p.path: desk.prescribe(p) for p in desk.graph.parameters}
