"""The table of schemes, and how a spec is looked up in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fanin.registry import Registry, parse_spec
from fanin.schemes.fan_based import FAN_BASED
from fanin.schemes.fixed import FIXED
from fanin.schemes.options import configure
from fanin.schemes.structured import STRUCTURED

if TYPE_CHECKING:
    from fanin.schemes.scheme import Scheme

SCHEMES: Final[Registry[Scheme]] = Registry("scheme")
for _scheme in (*FIXED, *FAN_BASED, *STRUCTURED):
    SCHEMES.register(_scheme)


def find_scheme(spec: str) -> Scheme:
    """Give the scheme that the spec names, with its options set.

    Args:
        spec: a name or alias, in any case of letters, with options in parentheses:
            "he_normal", "constant(0.5)", "normal(std=0.01)",
            "he_normal(mode=fan_out)", "orthogonal(gain=1.4)".

    Raises:
        ArgumentError: if the text is no spec, or an option has a wrong value.
        UnknownNameError: if there is no such scheme or option; it names the nearest.

    >>> from fanin.graph.fans import Fan
    >>> find_scheme("xavier_normal").name
    'glorot_normal'
    >>> find_scheme("he_normal(mode=fan_out)").std(Fan(n_in=512.0, n_out=200.0))
    0.1
    """
    parsed = parse_spec(spec)
    return configure(SCHEMES[parsed.name], parsed)
