"""What a case of the lesson is: a start, and the statements made about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sympy import Expr

from fanin.derivation.net import Net
from fanin.errors import UnknownNameError
from fanin.registry import Registry

if TYPE_CHECKING:
    from fanin.derivation.analysis import Analysis
    from fanin.derivation.records import Claim

Fills = Callable[[Net, Expr], Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case: defaults, starting values, and the claims to decide.

    name: "A1". aliases: words ("zero"). fills(net, constant): starting values by
    array; a missing array starts at zero. symbol: what stands for the constant until a
    number is given, None where the case has none. claims: decides the statements.
    twin_units: units that copy unit 1 of layer 1 (B5). has_hidden: whether the net
    must have a hidden layer (True) or must not (False). traces_moves: whether a table
    of first moves is shown. has_masks: whether the page shows dropout's masks.
    """

    name: str
    aliases: tuple[str, ...]
    title: str
    question: str
    fills: Fills
    claims: Callable[[Analysis], tuple[Claim, ...]]
    net: str = "2-2-1"
    activation: str = "relu"
    loss: str = "mse"
    symbol: Expr = None
    twin_units: int = 0
    has_hidden: bool = True
    traces_moves: bool = True
    has_masks: bool = False


CASES: Registry[Case] = Registry("case")


def find_case(name: str, further: tuple[str, ...] = ()) -> Case:
    """Give the case of that id or word, in any case of letters.

    further: names that are no case but could be meant ("glorot").

    Raises:
        UnknownNameError: it lists all ids and words, and names the nearest.
    """
    if name in CASES:
        return CASES[name]
    known = [word for c in CASES.values() for word in (c.name, *c.aliases)]
    msg = "case"
    raise UnknownNameError.of(msg, name, [*known, *further])
