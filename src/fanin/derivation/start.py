"""Starting values in symbols: zero, one constant, or a symbol of its own each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.notation import Entry, real
from fanin.errors import ArgumentError, UnknownNameError

if TYPE_CHECKING:
    from fanin.derivation.net import Net

Fill = Callable[[Entry], Expr]
Start = Mapping[Entry, Expr]

C = real("c")
V = real("v")
BETA = sympy.Symbol(r"\beta", positive=True)


def zero(entry: Entry) -> Expr:
    """Give 0 for any entry."""
    del entry
    return sympy.Integer(0)


def generic(entry: Entry) -> Expr:
    """Give the entry's own symbol: any value, no two tied ("random").

    >>> generic(Entry(1, 2, 1))
    w_{21}
    """
    return entry.symbol


def constant(value: Expr) -> Fill:
    """Give a fill of one value everywhere.

    >>> constant(C)(Entry(2, 1, 1))
    c
    """
    number = sympy.nsimplify(value) if isinstance(value, int | float) else value
    return lambda _: number


FILLS: dict[str, Fill] = {"zero": zero, "constant": constant(C), "generic": generic}


def _unknown(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    return UnknownNameError.of(kind, name, known)


def fill_of(value: object, argument: str) -> Fill:
    """Give the fill of a word, a finite number or a symbol.

    Raises:
        UnknownNameError: for a word that is no fill.
        ArgumentError: for anything else.
    """
    if isinstance(value, str):
        if value not in FILLS:
            msg = "starting value"
            raise _unknown(msg, value, FILLS)
        return FILLS[value]
    if isinstance(value, sympy.Basic):
        return constant(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError.of(argument, value, '"zero", "generic" or a number')
    if not abs(value) < float("inf"):
        raise ArgumentError.of(argument, value, "a finite number")
    return constant(value)


def start_from(net: Net, fills: Mapping[str, object]) -> dict[Entry, Expr]:
    """Give every entry's starting value.

    fills: by array name ("W1"), or by "W" and "b" for all of that kind; an array
    without one starts at zero.

    Raises:
        UnknownNameError: for an array that the net does not have.
    """
    known = {*net.tensors, "W", "b"}
    for name in fills:
        if name not in known:
            msg = "array of this net"
            raise _unknown(msg, name, known)
    start: dict[Entry, Expr] = {}
    for tensor in net.tensors:
        value = fills.get(tensor, fills.get(tensor[0], "zero"))
        fill = fill_of(value, tensor)
        start |= {entry: fill(entry) for entry in net.of(tensor)}
    return start
