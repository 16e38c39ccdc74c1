"""Numbers for the runs: fixed fractions without a pattern, never drawn.

A run stands beside a proof, so any numbers do that are no coincidence. These come from
cubes modulo a prime, in tenths, and are the same on every machine.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.derivation.arithmetic import Arithmetic, Sample
    from fanin.derivation.net import Net
    from fanin.derivation.notation import Entry
    from fanin.derivation.start import Start

PRIME = 43
N_SAMPLES = 6
TRIES = 24
CONSTANT = Fraction(1, 2)


def scrambled(position: int, salt: int = 0) -> Fraction:
    """Give the input of that position, in [−2.1, 2.1], never 0.

    From salt 8 on the inputs are 10 times as large, from 16 on 100 times, so that a
    search reaches units which small inputs leave dead.

    >>> [str(scrambled(k)) for k in range(4)]
    ['1/5', '9/5', '-21/10', '1/10']
    """
    k = position + 1
    cubic = 5 * k * k * k + 7 * k * k + 3 * k + 11 * salt * (k + 1) + 8
    tenths = cubic % PRIME - PRIME // 2
    factor = (1, 10, 100)[min(salt // 8, 2)]
    return Fraction((tenths or 3) * factor, 10)


def distinct(position: int, salt: int = 0) -> Fraction:
    """Give the parameter of that position, in [−1.05, 1.05]; no two are equal.

    >>> [str(distinct(k)) for k in range(4)]
    ['-17/25', '-31/100', '3/50', '43/100']
    """
    return Fraction((37 * (position + 1) + 53 * salt) % 211 - 105, 100)


def samples(net: Net, n: int = N_SAMPLES, salt: int = 0) -> tuple[Sample, ...]:
    """Give n samples whose targets suit the net's loss and are not balanced."""
    listed = []
    for row in range(n):
        inputs = tuple(
            scrambled(row * net.widths[0] + i, salt) for i in range(net.widths[0])
        )
        listed.append((inputs, _targets(net, row, salt)))
    return tuple(listed)


def _targets(net: Net, row: int, salt: int) -> tuple[Fraction, ...]:
    outputs = range(net.n_outputs)
    if net.loss.output == "linear":
        return tuple(scrambled(100 + row * net.n_outputs + k, salt) for k in outputs)
    if net.loss.output == "sigmoid":
        return tuple(Fraction(int((row + k + salt) % 3 == 0)) for k in outputs)
    hot = (row * row + salt) % (net.n_outputs + 1) % net.n_outputs
    return tuple(Fraction(int(k == hot)) for k in outputs)


def numbers_of(expressions: list[Expr], salt: int = 0) -> dict[Expr, Fraction]:
    """Give each free symbol of the expressions a number; c is ½, β is 1/10.

    Weights get distinct fractions in [−1.05, 1.05], the scale of a usual draw.
    """
    free = sorted(
        {symbol for e in expressions for symbol in e.free_symbols},
        key=lambda symbol: str(symbol.name),
    )
    fixed = {"c": CONSTANT, r"\beta": Fraction(1, 10), "v": Fraction(7, 10)}
    return {
        symbol: fixed.get(symbol.name, distinct(k, salt))
        for k, symbol in enumerate(free)
    }


def as_fraction(value: Expr, numbers: Mapping[Expr, Fraction]) -> Fraction:
    """Give a starting value as a fraction, its symbols replaced."""
    if value.is_Symbol:
        return numbers[value]
    known = {symbol: sympy.Rational(numbers[symbol]) for symbol in value.free_symbols}
    number = sympy.nsimplify(value.subs(known), rational=True)
    return Fraction(int(number.p), int(number.q))


def numeric_start(
    net: Net, start: Start, kind: Arithmetic, salt: int = 0
) -> dict[Entry, Expr]:
    """Give the starting values as numbers of one kind."""
    numbers = numbers_of(list(start.values()), salt)
    return {e: kind.number(as_fraction(start[e], numbers)) for e in net.entries}


def numeric_batch(
    net: Net, kind: Arithmetic, n: int = N_SAMPLES, salt: int = 0
) -> tuple[Sample, ...]:
    """Give the samples as numbers of one kind."""
    return tuple(
        (tuple(map(kind.number, inputs)), tuple(map(kind.number, targets)))
        for inputs, targets in samples(net, n, salt)
    )
