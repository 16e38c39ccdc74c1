"""True faults in published models' own initial weights, with the evidence for each."""

from __future__ import annotations

KNOWN: dict[str, dict[str, str]] = {}
