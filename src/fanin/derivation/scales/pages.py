"""The three pages: explain("glorot"), explain("he"), explain("lecun")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.printing import Label, chain
from fanin.derivation.records import Claim, Derivation, Section, Step
from fanin.derivation.scales import statements
from fanin.derivation.scales.expectation import sum_of_terms
from fanin.derivation.scales.gaussian import MOMENTS, Moments
from fanin.derivation.scales.laws import cut_normal, uniform_bound
from fanin.derivation.scales.symbols import (
    ASSUMPTIONS,
    FAN_IN,
    FAN_OUT,
    SQUARE_PHI,
    SQUARE_SLOPE,
    VARIANCE,
    Q,
)
from fanin.errors import ArgumentError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class ScalePage:
    """One scheme derived: its activation, its solution, and further statements."""

    name: str
    label: str
    aliases: tuple[str, ...]
    title: str
    summary: str
    activation: str
    solve: Callable[[Moments], Expr]
    further: Callable[[Moments], tuple[Claim, ...]]


def _forward(moments: Moments) -> Expr:
    condition = sympy.Eq(FAN_IN * VARIANCE * moments.forward, 1)
    return sympy.solve(condition, VARIANCE)[0]


def _compromise(moments: Moments) -> Expr:
    middle = (FAN_IN * moments.forward + FAN_OUT * moments.backward) / 2
    return sympy.factor(sympy.solve(sympy.Eq(middle * VARIANCE, 1), VARIANCE)[0])


def _glorot_further(moments: Moments) -> tuple[Claim, ...]:
    return (
        statements.both_conditions(moments),
        statements.compromise_is_the_mean(moments),
        statements.glorot_with_relu(),
    )


def _he_further(moments: Moments) -> tuple[Claim, ...]:
    return (
        statements.fan_in_or_fan_out(moments),
        statements.he_with_tanh(),
        statements.first_layer(),
    )


def _lecun_further(moments: Moments) -> tuple[Claim, ...]:
    return (statements.both_conditions(moments), statements.first_layer())


PAGES = (
    ScalePage(
        name="glorot",
        label="Glorot",
        aliases=("xavier", "glorot_normal", "glorot_uniform", "e2"),
        title="Glorot's variance derived",
        summary="Forward asks for fan_in·Var(w) = 1, backward for fan_out·Var(w) = 1. "
        "Glorot and Bengio (2010) take the middle: Var(w) = 2/(fan_in + fan_out).",
        activation="tanh",
        solve=_compromise,
        further=_glorot_further,
    ),
    ScalePage(
        name="he",
        label="He",
        aliases=("kaiming", "he_normal", "he_uniform", "e4"),
        title="He's variance derived",
        summary="ReLU passes half of the second moment, so the weights make up for it "
        "with a factor 2: Var(w) = 2/fan_in (He, Zhang, Ren and Sun, 2015).",
        activation="relu",
        solve=_forward,
        further=_he_further,
    ),
    ScalePage(
        name="lecun",
        label="LeCun",
        aliases=("lecun_normal", "lecun_uniform", "e1"),
        title="LeCun's variance derived",
        summary="A sum of fan_in terms keeps its second moment with Var(w) = 1/fan_in, "
        "as long as the activation passes all of it (LeCun and others, 1998).",
        activation="identity",
        solve=_forward,
        further=_lecun_further,
    ),
)
SCALE_NAMES = tuple(word for page in PAGES for word in (page.name, *page.aliases))


def scale_page(name: str) -> ScalePage | None:
    """Give the page of that name, None if it names no scheme."""
    word = name.lower()
    return next((p for p in PAGES if word in (p.name, *p.aliases)), None)


def derived_scale(page: ScalePage, activation: str | None) -> Derivation:
    """Derive one scheme's variance.

    Raises:
        UnknownNameError: for an activation whose moments are not derived here.
    """
    function = activation or page.activation
    if function not in MOMENTS:
        raise _unknown(function)
    moments = MOMENTS[function]()
    variance = page.solve(moments)
    return Derivation(
        case=page.aliases[-1].upper(),
        name=page.name,
        title=page.title,
        summary=page.summary,
        setting={"activation": function},
        sections=_sections(page, function, moments, variance),
        claims=(
            sum_of_terms(),
            sum_of_terms(is_backward=True),
            moments.claim,
            statements.solution_keeps(moments, variance),
            *statements.scheme_formula(page.name, function, variance),
            uniform_bound(variance, page.label),
            cut_normal(),
            *page.further(moments),
        ),
    )


def _unknown(activation: str) -> UnknownNameError:
    return UnknownNameError.of("activation derived in symbols", activation, MOMENTS)


def refuse_options(page: ScalePage, given: dict[str, object]) -> None:
    """Refuse options that say something about a net.

    Raises:
        ArgumentError: if one is given.
    """
    for name, value in given.items():
        if value is not None:
            raise _not_here(name, value, page)


def _not_here(name: str, value: object, page: ScalePage) -> ArgumentError:
    expected = f"left out: {page.name} is derived for layers of any width"
    return ArgumentError.of(name, value, expected)


def _sections(
    page: ScalePage, function: str, moments: Moments, variance: Expr
) -> tuple[Section, ...]:
    z = Label("z = Σ w·a", r"z = \sum_{i=1}^{\mathrm{fan}_{\mathrm{in}}} w_i \, a_i")
    below = Label(
        "dL/da = Σ w·δ",
        r"\frac{dL}{da} = \sum_{j=1}^{\mathrm{fan}_{\mathrm{out}}} w_j \, \delta_j",
    )
    one = sympy.Integer(1)
    words = "" if moments.is_exact else " (as q → 0)"
    return (
        Section(
            title="What is assumed",
            steps=tuple(Step(text=text) for text in ASSUMPTIONS),
        ),
        Section(
            title="Forward",
            steps=(
                Step(text="One unit sums fan_in terms:", formula=chain(z)),
                Step(
                    text="Its second moment, and the condition that a layer keeps it, "
                    "with a = φ(z) of the layer before:",
                    formula=chain(FAN_IN * VARIANCE * SQUARE_PHI / Q, one),
                ),
                Step(
                    text=f"For {function}{words}:",
                    formula=chain(SQUARE_PHI / Q, moments.forward),
                ),
                Step(formula=chain(FAN_IN * VARIANCE * moments.forward, one)),
            ),
        ),
        Section(
            title="Backward",
            steps=(
                Step(text="One activation feeds fan_out units:", formula=chain(below)),
                Step(
                    text="The condition that a layer keeps the error's second moment:",
                    formula=chain(FAN_OUT * VARIANCE * SQUARE_SLOPE, one),
                ),
                Step(
                    text=f"For {function}{words}:",
                    formula=chain(SQUARE_SLOPE, moments.backward),
                ),
                Step(formula=chain(FAN_OUT * VARIANCE * moments.backward, one)),
            ),
        ),
        Section(
            title="The variance",
            steps=(
                Step(
                    text="Glorot and Bengio ask both in the mean."
                    if page.solve is _compromise
                    else "The forward condition, solved:",
                    formula=chain(VARIANCE, variance),
                ),
            ),
        ),
    )
