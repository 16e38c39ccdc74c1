"""Cases B: constants, and symmetry in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.derivation.case import CASES, Case
from fanin.derivation.cases_zero import linear_claims
from fanin.derivation.claims import movement, symmetry, ties
from fanin.derivation.notation import Entry
from fanin.derivation.start import C

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sympy import Expr

    from fanin.derivation.analysis import Analysis
    from fanin.derivation.net import Net
    from fanin.derivation.records import Claim


def constant_weights(net: Net, constant: Expr) -> Mapping[str, object]:
    """Give the constant in every weight, 0 in the biases."""
    del net
    return {"W": constant}


def constant_hidden(net: Net, constant: Expr) -> Mapping[str, object]:
    """Give the constant in W1, any values in the later weights."""
    del net
    return {"W": "generic", "W1": constant}


def zero_output(net: Net, constant: Expr) -> Mapping[str, object]:
    """Give any values in the hidden weights, 0 in the output layer."""
    del constant
    return {"W": "generic", f"W{net.n_layers}": "zero"}


def any_values(net: Net, constant: Expr) -> Mapping[str, object]:
    """Give any values everywhere."""
    del net, constant
    return {"W": "generic", "b": "generic"}


def constant_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the lesson's statements on the constant start."""
    net = analysis.net
    found = list(movement.movement_claims(analysis))
    if net.widths[1] > 1:
        for i in list(net.units(0))[:2]:
            one, other = Entry(1, i, 1), Entry(1, i, 2)
            found.append(ties.gradients_equal(analysis, one, other))
    if net.widths[0] > 1:
        one, other = Entry(1, 1, 1), Entry(1, 2, 1)
        found.append(ties.gradients_equal(analysis, one, other))
        found.append(ties.all_entries_stay_equal(analysis))
    return (*found, *ties.twin_claims(analysis), ties.works_as_one_unit(analysis))


def constant_hidden_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the statements on equal hidden weights with unequal output weights."""
    return (
        *movement.movement_claims(analysis),
        *ties.twin_claims(analysis),
        symmetry.twins_need_all_three(analysis),
    )


def plain_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide what moves when, and what stays equal."""
    return (*movement.movement_claims(analysis), *ties.twin_claims(analysis))


def dropout_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the statements on a constant start with dropout."""
    return (
        symmetry.dropout_breaks_the_tie(analysis),
        symmetry.equal_masks_keep_the_tie(analysis),
        ties.units_stay_equal(analysis, 1, "Without dropout"),
    )


def partial_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the statements on a layer with some equal units."""
    n_units = analysis.net.widths[1]
    pairs = [(1, 2)] + ([(1, n_units)] if n_units > 2 else [])
    return (
        *(ties.pair_stays_equal(analysis, 1, one, other) for one, other in pairs),
        *ties.twin_claims(analysis),
        *movement.movement_claims(analysis),
    )


CASES.register(
    Case(
        name="B1",
        aliases=("constant", "constant_weights", "ones"),
        title="All weights one constant",
        question="Every weight starts at c. What can the hidden units learn?",
        fills=constant_weights,
        claims=constant_claims,
        symbol=C,
    )
)
CASES.register(
    Case(
        name="B2",
        aliases=("constant_hidden",),
        title="Constant hidden weights, random output weights",
        question="The hidden units start equal, their output weights do not. Twins?",
        fills=constant_hidden,
        claims=constant_hidden_claims,
        symbol=C,
    )
)
CASES.register(
    Case(
        name="B3",
        aliases=("zero_output", "zero_last_layer"),
        title="Random hidden weights, a zero output layer",
        question="One zero layer, at the end. Is that a trap?",
        fills=zero_output,
        claims=plain_claims,
    )
)
CASES.register(
    Case(
        name="B4",
        aliases=("constant_dropout", "dropout"),
        traces_moves=False,
        has_masks=True,
        title="A constant start with dropout",
        question="Does dropout's noise tell equal units apart?",
        fills=constant_weights,
        claims=dropout_claims,
        symbol=C,
    )
)
CASES.register(
    Case(
        name="B5",
        aliases=("partial", "duplicates"),
        title="Some hidden units duplicated",
        question="Two units are copies, the others are not. Who stays equal?",
        fills=any_values,
        claims=partial_claims,
        net="2-3-1",
        twin_units=2,
    )
)
CASES.register(
    Case(
        name="B6",
        aliases=("constant_linear",),
        title="A constant start in linear and logistic regression",
        question="Without hidden units there are no twins. Is a constant a bad start?",
        fills=constant_weights,
        claims=linear_claims,
        net="2-1",
        symbol=C,
        has_hidden=False,
    )
)
