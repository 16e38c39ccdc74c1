"""Policies as JSON, schema ``fanin.policies/1``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fanin.prescription.policy import Policy


def policies_json(policies: Iterable[Policy]) -> str:
    """Give name, summary, source and options of each.

    >>> from fanin.prescription.policies import find_policy
    >>> '"name": "auto"' in policies_json([find_policy("auto")])
    True
    """
    found = [
        {
            "name": policy.name,
            "summary": policy.summary,
            "source": policy.source,
            "options": dict(policy.options),
        }
        for policy in policies
    ]
    return json.dumps(
        {"schema": "fanin.policies/1", "policies": found}, indent=1, ensure_ascii=False
    )
