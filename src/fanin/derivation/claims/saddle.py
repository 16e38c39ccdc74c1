"""Claims on a coincidence: a balanced batch at which nothing moves, a saddle."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.analysis import ROUNDING, Analysis
from fanin.derivation.arithmetic import descend
from fanin.derivation.chainrule import LOSS
from fanin.derivation.net import refused
from fanin.derivation.notation import Entry, real, x, y
from fanin.derivation.printing import Label, chain, derivative
from fanin.derivation.proving import checked, decimal, equal, observed, proved, refuted

if TYPE_CHECKING:
    from fanin.derivation.records import Claim

MEAN = r"\langle {} \rangle"


def balanced_mean(analysis: Analysis) -> Expr:
    """Give the mean target at which the error of the start averages to 0."""
    net = analysis.net
    if net.n_outputs != 1:
        expected = "a net with one output, such as 2-2-1, for this case"
        raise refused(net.name, expected)
    mean = real(r"\bar{y}")
    delta = analysis.trace.delta[net.n_layers, 1].subs(y(1, 1), mean)
    return sympy.solve(delta, mean)[0]


def nothing_moves_when_balanced(analysis: Analysis) -> Claim:
    """Prove "with a balanced full batch nothing moves, not even the output bias"."""
    balance = balanced_mean(analysis)
    statement = (
        f"On a full batch with mean target {sympy.nsimplify(balance)} nothing moves at "
        "all, not even the output bias."
    )
    trace = analysis.trace
    lines = []
    for entry in (
        Entry(analysis.net.n_layers, 0, 1),
        Entry(analysis.net.n_layers, 1, 1),
    ):
        mean = batch_mean(trace.gradient[entry], balance)
        lines.append(
            equal(
                f"The batch's mean of dL/d{entry} is linear in y here, and y averages "
                f"to {balance}.",
                mean,
                sympy.Integer(0),
                formula=chain(derivative(LOSS, entry.symbol), trace.gradient[entry]),
            )
        )
    rest = [e for e in analysis.net.entries if e.layer < analysis.net.n_layers]
    lines += [
        checked(
            "All other gradients are 0 for every sample: the output weights are 0.",
            all(trace.is_zero(e) for e in rest),
        ),
        checked(
            "The whole gradient is 0, so the next point is the same point: nothing "
            "moves, by induction, under full-batch SGD, momentum and Adam.",
            all(
                batch_mean(trace.gradient[e], balance) == 0
                for e in analysis.net.entries
            ),
        ),
    ]
    claim = proved(statement, lines, kind="induction")
    change = _largest_change_when_balanced(
        analysis, Fraction(int(balance.p), int(balance.q))
    )
    text = f"run on a balanced batch: max |Δ| is {change:.4g}"
    return observed(claim, text, agrees=change <= ROUNDING)


def _largest_change_when_balanced(analysis: Analysis, balance: Fraction) -> float:
    away = Fraction(1, 2) if analysis.net.loss.output == "sigmoid" else Fraction(1)
    batch = [
        (inputs, (float(balance + away * (-1) ** k),))
        for k, (inputs, _) in enumerate(analysis.batch)
    ]
    states = descend(
        analysis.net,
        analysis.numbers,
        analysis.states[0],
        batch,
        rate=analysis.rate,
        n_steps=analysis.n_steps,
    )
    return float(max(abs(s[e] - states[0][e]) for s in states for e in s))


def batch_mean(expression: Expr, balance: Expr) -> Expr:
    """Give the mean over a batch of a polynomial in x and y, with mean(y) known.

    Monomials other than y become symbols ⟨x₁·y⟩, their unknown means.
    """
    target = y(1, 1)
    inputs = sorted(
        (s for s in expression.free_symbols if s.name.startswith("x_")), key=str
    )
    polynomial = sympy.Poly(sympy.expand(expression), *inputs, target)
    total = sympy.Integer(0)
    for powers, coefficient in polynomial.terms():
        monomial = sympy.prod(
            [s**p for s, p in zip((*inputs, target), powers, strict=True)]
        )
        known = {target: balance, sympy.Integer(1): sympy.Integer(1)}
        name = MEAN.format(sympy.latex(monomial))
        total += coefficient * known.get(monomial, real(name))
    return sympy.expand(total)


def it_is_a_saddle(analysis: Analysis) -> Claim:
    """Decide "that point is a minimum": its Hessian has a negative eigenvalue."""
    balance = balanced_mean(analysis)
    statement = "That point is a minimum of the loss."
    inner, outer = Entry(1, 1, 1), Entry(2, 1, 1)
    hessian = _two_by_two(analysis, inner, outer, balance)
    cross = hessian[0, 1]
    line = checked(
        f"In {inner} and {outer} the loss curves as below: the determinant is minus a "
        "square, so one eigenvalue is negative unless inputs and errors are exactly "
        "uncorrelated. The point is a saddle: the loss falls along some direction.",
        sympy.expand(hessian.det() + cross**2) == 0 and cross != 0,
        chain(Label("det H", r"\det H"), sympy.factor(hessian.det())),
    )
    return refuted(statement, [line], {})


def _two_by_two(analysis: Analysis, inner: Entry, outer: Entry, balance: Expr) -> Expr:
    """Give the Hessian in one inner and one outer weight at the zero start."""
    net = analysis.net
    if net.n_layers != 2 or not net.activation.is_twice_smooth:
        expected = "one hidden layer with an activation that has φ″(0), for this case"
        msg = f"{net.name}, {net.activation.name}"
        raise refused(msg, expected)
    hidden = net.activation.at(inner.symbol * x(1))
    z = outer.symbol * hidden  # the other units feed 0, having output weights 0
    output = 1 / (1 + sympy.exp(-z)) if net.loss.output == "sigmoid" else z
    loss = net.loss.value([output], [y(1, 1)])
    zero = {inner.symbol: 0, outer.symbol: 0}
    entries = [
        batch_mean(sympy.simplify(sympy.diff(loss, p, q).subs(zero)), balance)
        for p in (inner.symbol, outer.symbol)
        for q in (inner.symbol, outer.symbol)
    ]
    return sympy.Matrix(2, 2, entries)


def minibatches_free_it(analysis: Analysis) -> Claim:
    """Decide "minibatches leave it there too"."""
    statement = "On minibatches nothing moves either."
    one = analysis.batch[0]
    bias = Entry(analysis.net.n_layers, 0, 1)
    values = analysis.gradients_at(analysis.states[0], [one])
    line = checked(
        f"A batch of one sample with y = {float(one[1][0]):g} has dL/d{bias} = "
        f"{decimal(values[bias])}.",
        values[bias] != 0,
        chain(derivative(LOSS, bias.symbol), analysis.trace.gradient[bias]),
    )
    return refuted(statement, [line], {"y": float(one[1][0])})
