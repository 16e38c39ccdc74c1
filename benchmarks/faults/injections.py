"""All faults, in the order of the table; importing a group lists its faults."""

from __future__ import annotations

from benchmarks.faults import copies, outside, scales, zeros
from benchmarks.faults.fault import FAULTS

GROUPS = (zeros, copies, scales, outside)

__all__ = ["FAULTS", "GROUPS"]
