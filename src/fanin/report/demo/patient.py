"""A network before and after `fanin.init`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.prescription import Plan
    from fanin.rules import Report


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One network of the demo.

    name: how its weights were set, in words. before, after: what `fanin.check` said.
    plan: what `fanin.init` wrote in between.
    """

    name: str
    before: Report
    plan: Plan
    after: Report
