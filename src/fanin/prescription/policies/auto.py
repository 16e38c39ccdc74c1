"""The policy "auto": each parameter by its role, each weight by the walk of theory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.prescription.depth import depth_warnings
from fanin.prescription.product_branches import product_branches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

NAME = "auto"
SUMMARY = "Each weight by its role and by what it reads, balanced over the depth."
SOURCE = "fanin; the sources of each decision stand in its reason"


def decide(desk: Desk) -> Mapping[str, Prescription]:
    """Decide what depends on whole branches, and leave the rest to ``by_role.py``."""
    return product_branches(desk)


def warnings(desk: Desk) -> tuple[str, ...]:
    """Warn of what no weights can mend."""
    return depth_warnings(desk.flow, desk.chooser.families)
