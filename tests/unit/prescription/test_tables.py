"""Every role has one policy, and the policies give what their reasons say."""

from __future__ import annotations

from collections import Counter

import pytest

from fanin.graph.roles import RoleKind
from fanin.prescription.tables import (
    BESIDE,
    CONSTANTS,
    FITTED,
    KEPT,
    SCALED,
    SUMMED,
)


@pytest.mark.parametrize("kind", list(RoleKind), ids=str)
def test_every_role_is_in_exactly_one_table(kind):
    tables = Counter(
        place
        for place, table in enumerate((SCALED, CONSTANTS, FITTED, SUMMED, BESIDE, KEPT))
        if kind in table
    )

    assert sum(tables.values()) == 1


@pytest.mark.parametrize("kind", list(KEPT), ids=str)
def test_a_parameter_that_is_kept_is_kept_for_a_reason(kind):
    assert KEPT[kind].startswith("Kept: ")
