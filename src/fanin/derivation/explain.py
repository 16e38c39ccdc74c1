"""`explain`: one case of the lesson, derived, decided and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation import cases_constant as _cases_b
from fanin.derivation import cases_zero as _cases_a
from fanin.derivation.analysis import Analysis
from fanin.derivation.arithmetic import arithmetic
from fanin.derivation.case import Case, find_case
from fanin.derivation.claims.symmetry import masks_of
from fanin.derivation.diagram import diagram_of
from fanin.derivation.functions import NONLINEARITIES, Nonlinearity
from fanin.derivation.losses import LOSSES
from fanin.derivation.net import Net, parse_widths, refused
from fanin.derivation.notation import Entry
from fanin.derivation.proving import listed
from fanin.derivation.records import Derivation, Movement, Run, UnitTies
from fanin.derivation.samples import numeric_start
from fanin.derivation.scales.pages import (
    SCALE_NAMES,
    derived_scale,
    refuse_options,
    scale_page,
)
from fanin.derivation.sections import sections
from fanin.derivation.start import fill_of, generic, start_from
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_STEPS = 1000

_ALL_CASES = (_cases_a, _cases_b)  # imported so that they register


def explain(  # noqa: PLR0913 - each argument is one word of the question asked
    case: str,
    *,
    net: str | None = None,
    activation: str | None = None,
    loss: str | None = None,
    constant: float | None = None,
    start: Mapping[str, object] | None = None,
    slope_at_zero: float | None = None,
    steps: int = 10,
    rate: float = 0.1,
) -> Derivation:
    """Explain one case: forward values, gradients, update, and its claims decided.

    Args:
        case: an id or a word: "A1" or "zero", "B1" or "constant", … or "glorot", "he",
            "lecun", which need no net.
        net: widths joined by "-"; None takes the case's own, 2-2-1 for most.
        activation: of the hidden units; None takes the case's own.
        loss: "mse" (linear output), "bce" (sigmoid) or "cce" (softmax); None takes the
            case's own.
        constant: the constant of the case as a number; None keeps it a symbol, so that
            the proofs are for every constant (the run then takes ½, or 0.1 for a bias).
        start: starting values by array ("W1") that replace the case's: "zero",
            "generic" (any values), "constant" or a number.
        slope_at_zero: φ′(0) where φ has a kink, from 0 to 1; None is the frameworks'.
        steps: of the run, a count from 1 to 1000.
        rate: η of the run, > 0.

    Raises:
        UnknownNameError: for a case, activation, loss or array that is not known.
        ArgumentError: for a net that is too large, or an argument out of range.

    >>> [claim.holds for claim in explain("zero").claims][:3]
    [True, True, False]
    """
    page = scale_page(case)
    if page is not None:
        refuse_options(page, {"net": net, "loss": loss, "constant": constant})
        return derived_scale(page, activation)
    found = find_case(case, SCALE_NAMES)
    parsed = _net(found, net, activation, loss)
    shown = parsed
    parsed = _with_slope(parsed, slope_at_zero)
    _check_run(steps, rate)
    values = _start(found, parsed, constant, start or {})
    masks = masks_of(parsed) if found.has_masks else {}
    analysis = Analysis(parsed, shown, values, rate, steps, masks)
    return derived(found, analysis)


def case_start(
    case: str,
    *,
    net: str | None = None,
    slope_at_zero: float | None = None,
    constant: float | None = None,
    salt: int = 0,
) -> tuple[Net, dict[Entry, float]]:
    """Give a case's net and its starting values as floats, for a run elsewhere.

    Arguments as of `explain`; salt chooses the numbers of what may be any values.

    Raises:
        UnknownNameError: for a case that is not known.
        ArgumentError: for a net that is too large, or an argument out of range.

    >>> small, start = case_start("constant", constant=0.25)
    >>> small.name, sorted(set(start.values()))
    ('2-2-1', [0.0, 0.25])
    """
    found = find_case(case, SCALE_NAMES)
    parsed = _with_slope(_net(found, net, None, None), slope_at_zero)
    values = _start(found, parsed, constant, {})
    return parsed, numeric_start(parsed, values, arithmetic(parsed.activation), salt)


def derived(case: Case, analysis: Analysis) -> Derivation:
    """Put the parts of one case together."""
    net = analysis.net
    movements: tuple[Movement, ...] = ()
    ties: tuple[UnitTies, ...] = ()
    if case.traces_moves:
        movements = tuple(analysis.movement(tensor) for tensor in net.tensors)
        ties = tuple(analysis.ties(layer) for layer in range(1, net.n_layers))
    return Derivation(
        case=case.name,
        name=case.aliases[0],
        title=case.title,
        summary=f"{case.question} {_outcome(movements, ties)}".strip(),
        setting=_setting(analysis),
        sections=sections(analysis),
        claims=case.claims(analysis),
        movements=movements,
        ties=ties,
        run=Run(
            rate=analysis.rate,
            n_steps=len(analysis.states) - 1,
            n_samples=len(analysis.batch),
            losses=analysis.losses(),
        ),
        diagram=diagram_of(analysis),
    )


def out_of_range(argument: str, received: object, expected: str) -> ArgumentError:
    """Give the error of an argument that cannot be taken."""
    return ArgumentError.of(argument, received, expected)


def _net(case: Case, net: str | None, activation: str | None, loss: str | None) -> Net:
    widths = parse_widths(case.net if net is None else net)
    function = _named(activation or case.activation)
    objective = LOSSES[loss or case.loss]
    if case.has_hidden and len(widths) < 3:
        expected = f"a net with a hidden layer, such as {case.net}, for {case.name}"
        raise refused(net, expected)
    if not case.has_hidden and len(widths) > 2:
        expected = f"a net without a hidden layer, such as {case.net}, for {case.name}"
        raise refused(net, expected)
    if case.twin_units > widths[1] or (case.has_hidden and widths[1] < 2):
        expected = f"a net with two hidden units or more, such as {case.net}"
        raise refused(net, expected)
    if widths[-1] == 1 and not objective.fits_one_output:
        expected = "a net with two outputs or more, such as 2-2-2, for a softmax output"
        raise refused(net or case.net, expected)
    return Net(widths=widths, activation=function, loss=objective)


def _with_slope(net: Net, slope_at_zero: float | None) -> Net:
    """Give the net with φ′(0) as a number where φ has a kink."""
    function = net.activation
    if not function.has_kink:
        return net
    value = function.default_slope if slope_at_zero is None else slope_at_zero
    return net.with_activation(function.with_slope(value))


def _named(activation: str) -> Nonlinearity:
    return NONLINEARITIES[activation]


def _check_run(steps: int, rate: float) -> None:
    if steps != int(steps) or not 1 <= steps <= MOST_STEPS:
        msg = "steps"
        raise out_of_range(msg, steps, f"a count from 1 to {MOST_STEPS}")
    if not 0 < rate < float("inf"):
        msg = "rate"
        raise out_of_range(msg, rate, "a finite number above 0")


def _start(
    case: Case, net: Net, constant: float | None, given: Mapping[str, object]
) -> dict[Entry, Expr]:
    if constant is not None and case.symbol is None:
        expected = f"left out: {case.name} has no constant"
        msg = "constant"
        raise out_of_range(msg, constant, expected)
    value = (
        case.symbol
        if constant is None
        else sympy.nsimplify(_finite(constant), rational=True)
    )
    values = start_from(net, case.fills(net, value))
    for unit in range(2, case.twin_units + 1):
        for entry in net.entries:
            if entry.layer == 1 and entry.j == unit:
                values[entry] = generic(Entry(1, entry.i, 1))
            if entry.layer == 2 and entry.i == unit:
                values[entry] = generic(Entry(2, 1, entry.j))
    replaced = start_from(net, given)
    for tensor in given:
        fill_of(given[tensor], tensor)
        values |= {
            e: replaced[e] for e in net.entries if tensor in (e.tensor, e.tensor[0])
        }
    return values


def _finite(constant: float) -> float:
    if not abs(constant) < float("inf"):
        msg = "constant"
        raise out_of_range(msg, constant, "a finite number")
    return constant


def _setting(analysis: Analysis) -> dict[str, str]:
    net = analysis.net
    words = {"net": net.name}
    if net.n_layers > 1:
        words["activation"] = net.activation.name
        if net.activation.has_kink:
            slope = f"{float(net.activation.default_slope):g}"
            words["derivative at 0"] = f"{slope} in the run, s in the formulas"
    words["loss"] = f"{net.loss.name}, {net.loss.output} output"
    return words


def _outcome(movements: tuple[Movement, ...], ties: tuple[UnitTies, ...]) -> str:
    if not movements:
        return ""
    parts = []
    never = [m.tensor for m in movements if m.step is None]
    if never:
        parts.append(f"{listed(never)} never move{'s' if len(never) == 1 else ''}")
    for step in sorted({m.step for m in movements if m.step is not None}):
        woken = [m.tensor for m in movements if m.step == step]
        verb = "moves" if len(woken) == 1 else "move"
        parts.append(f"{listed(woken)} {verb} from step {step}")
    sentence = "; ".join(parts)
    wide = [tie for tie in ties if sum(map(len, tie.blocks)) > 1]
    if not wide:
        return f"{sentence}."
    if all(tie.are_all_tied for tie in wide):
        return f"{sentence}. The hidden units stay equal for ever."
    if any(len(block) > 1 for tie in wide for block in tie.blocks):
        return f"{sentence}. Some hidden units stay equal for ever."
    return f"{sentence}. The hidden units differ."
