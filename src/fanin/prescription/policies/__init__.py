"""The policies, one file each: NAME, SUMMARY, SOURCE, ``decide(desk)``.

The file is the policy, under the file's own name: whoever adds one to this folder has
registered it. ``decide`` gives prescriptions by path. What it leaves out falls to the
policy "auto"; what may not be changed (frozen, left out by the caller) is dropped from
what it gives. Its keyword arguments with a default are options, which a spec may set.
Where there is something to say of the whole model, ``warnings(desk)`` says it; it gets
the same options.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fanin.errors import UnknownNameError
from fanin.prescription.policy import Policy, settings_of
from fanin.prescription.tables import SCALED, SUMMED
from fanin.prescription.write_down import by_scheme
from fanin.registry import parse_spec
from fanin.schemes import SCHEMES, find_scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

POLICIES: Final = tuple(
    sorted(module.name for module in pkgutil.iter_modules(__path__))
)
"""The names of all policies."""


def find_policy(spec: str) -> Policy:
    """Give the policy that the spec names, with its options set.

    Args:
        spec: a name, in any case of letters, with options in parentheses where the
            policy has any; or the spec of a scheme, for all weights.

    Raises:
        ArgumentError: if the text is no spec, or an option has a wrong value.
        UnknownNameError: if there is no such policy or option; it names the nearest.

    >>> find_policy("auto").summary
    'Each weight by its role and by what it reads, balanced over the depth.'
    """
    parsed = parse_spec(spec)
    name = parsed.name.lower()
    if name not in POLICIES and name in SCHEMES:
        return policy_of_scheme(spec)
    if name not in POLICIES:
        raise UnknownNameError.of(
            kind="policy", name=parsed.name, known=(*POLICIES, *SCHEMES)
        )
    module = importlib.import_module(f"{__name__}.{name}")
    policy = Policy(
        name=module.NAME,
        summary=module.SUMMARY,
        source=module.SOURCE,
        decide=module.decide,
        warnings=vars(module).get("warnings"),
    )
    return replace(policy, settings=settings_of(policy, parsed))


def policy_of_scheme(spec: str) -> Policy:
    """Give the policy that fills all weights by one scheme, the rest as "auto" does.

    Raises:
        ArgumentError, UnknownNameError: as `find_scheme`.

    >>> policy_of_scheme("he_normal(mode=fan_out)").name
    'he_normal(mode=fan_out)'
    """
    scheme = find_scheme(spec)

    def decide(desk: Desk) -> Mapping[str, Prescription]:
        reason = f"{scheme.spec} was asked for on all weights."
        return {
            path: by_scheme(
                desk.graph.parameter(path), desk.roles[path], spec, weight, reason
            )
            for path, weight in desk.weights.items()
            if desk.roles[path].kind in SCALED | SUMMED
        }

    return Policy(
        name=scheme.spec,
        summary=scheme.keeps,
        source=", ".join(source.citation for source in scheme.sources),
        decide=decide,
    )
