"""The policies, one file each: NAME, SUMMARY, SOURCE and ``decide(desk)``.

The file is the policy, under the file's own name: whoever adds one to this folder has
registered it. ``decide`` gives prescriptions by path. What it leaves out falls to the
policy "auto"; what may not be changed (frozen, left out by the caller) is dropped from
what it gives. Its keyword arguments with a default are options, which a spec may set.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import Final

from fanin.errors import UnknownNameError
from fanin.prescription.policy import Policy, settings_of
from fanin.registry import parse_spec

POLICIES: Final = tuple(
    sorted(module.name for module in pkgutil.iter_modules(__path__))
)
"""The names of all policies."""


def find_policy(spec: str) -> Policy:
    """Give the policy that the spec names, with its options set.

    Args:
        spec: a name, in any case of letters, with options in parentheses where the
            policy has any.

    Raises:
        ArgumentError: if the text is no spec, or an option has a wrong value.
        UnknownNameError: if there is no such policy or option; it names the nearest.

    >>> find_policy("auto").summary
    'Each weight by its role and by what it reads, balanced over the depth.'
    """
    parsed = parse_spec(spec)
    name = parsed.name.lower()
    if name not in POLICIES:
        raise UnknownNameError.of(kind="policy", name=parsed.name, known=POLICIES)
    module = importlib.import_module(f"{__name__}.{name}")
    policy = Policy(
        name=module.NAME,
        summary=module.SUMMARY,
        source=module.SOURCE,
        decide=module.decide,
    )
    return replace(policy, settings=settings_of(policy, parsed))
