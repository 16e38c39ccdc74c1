"""Cases A: zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.derivation.case import CASES, Case
from fanin.derivation.claims import convexity, locks, movement, saddle, ties
from fanin.derivation.start import BETA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sympy import Expr

    from fanin.derivation.analysis import Analysis
    from fanin.derivation.net import Net
    from fanin.derivation.records import Claim


def all_zero(net: Net, constant: Expr) -> Mapping[str, object]:
    """Give zeros everywhere."""
    del net, constant
    return {}


def hidden_biases(net: Net, constant: Expr) -> Mapping[str, object]:
    """Give zero weights, the constant in the hidden biases, 0 in the output bias."""
    return {"b": constant, f"b{net.n_layers}": "zero"}


def first_layer_zero(net: Net, constant: Expr) -> Mapping[str, object]:
    """Give W1 = 0 and biases 0, the later weights any values."""
    del net, constant
    return {"W": "generic", "W1": "zero"}


def zero_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the lesson's statements on the zero start."""
    found = [
        *movement.movement_claims(analysis),
        locks.nothing_ever_moves(analysis),
        locks.a_zero_factor_in_each_product(analysis),
    ]
    if locks.is_locked(analysis):
        found.append(locks.any_vanishing_activation_locks(analysis))
        if analysis.shown.activation.has_kink:
            found.append(locks.slope_at_zero_is_the_reason(analysis))
        found.append(locks.dropout_frees_the_zero_start(analysis))
        if analysis.net.n_outputs == 1:
            found.append(locks.equal_losses_are_the_reason(analysis))
    return (*found, movement.constant_predictor(analysis), *ties.twin_claims(analysis))


def biased_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the statements on zero weights with hidden biases that are not."""
    return (
        *movement.movement_claims(analysis),
        *ties.twin_claims(analysis),
        ties.works_as_one_unit(analysis),
    )


def one_zero_layer_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the statements on a zero first layer: φ′(0) decides."""
    found = list(movement.movement_claims(analysis))
    if analysis.shown.activation.has_kink:
        found += [locks.slope_decides(analysis, value) for value in (0, 0.5, 1)]
    return (*found, *ties.twin_claims(analysis))


def linear_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the statements on a net without a hidden layer."""
    return (
        *movement.movement_claims(analysis),
        *convexity.convex_claims(analysis),
    )


def balanced_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Decide the statements on a zero start with a balanced batch."""
    return (
        saddle.nothing_moves_when_balanced(analysis),
        saddle.it_is_a_saddle(analysis),
        saddle.minibatches_free_it(analysis),
    )


CASES.register(
    Case(
        name="A1",
        aliases=("zero", "zeros", "zero_relu"),
        title="Zero weights and biases",
        question="Every weight and bias starts at 0. What can gradient descent move?",
        fills=all_zero,
        claims=zero_claims,
    )
)
CASES.register(
    Case(
        name="A2",
        aliases=("zero_tanh",),
        title="Zero weights and biases, tanh",
        question="tanh has slope 1 at 0, not 0. Does that free the weights?",
        fills=all_zero,
        claims=zero_claims,
        activation="tanh",
    )
)
CASES.register(
    Case(
        name="A3",
        aliases=("zero_sigmoid",),
        title="Zero weights and biases, sigmoid",
        question="σ(0) = ½, so the activations are not 0. What moves now?",
        fills=all_zero,
        claims=zero_claims,
        activation="sigmoid",
    )
)
CASES.register(
    Case(
        name="A4",
        aliases=("zero_biased", "zero_weights"),
        title="Zero weights, hidden biases not zero",
        question="The weights start at 0, the hidden biases at β > 0. Is that enough?",
        fills=hidden_biases,
        claims=biased_claims,
        symbol=BETA,
    )
)
CASES.register(
    Case(
        name="A5",
        aliases=("zero_deep",),
        title="Zero weights and biases in a deep net",
        question="Do more layers help a net that starts at 0?",
        fills=all_zero,
        claims=zero_claims,
        net="3-4-4-2",
    )
)
CASES.register(
    Case(
        name="A6",
        aliases=("zero_linear", "linear", "logistic"),
        title="Zero weights in linear and logistic regression",
        question="Without a hidden layer, is zero a bad start?",
        fills=all_zero,
        claims=linear_claims,
        net="2-1",
        has_hidden=False,
    )
)
CASES.register(
    Case(
        name="A7",
        aliases=("zero_first_layer", "zero_hidden"),
        title="A zero first layer alone",
        question="W1 and b1 start at 0, the output weights do not. What decides?",
        fills=first_layer_zero,
        claims=one_zero_layer_claims,
    )
)
CASES.register(
    Case(
        name="A8",
        aliases=("zero_balanced", "saddle"),
        title="Zero weights and a balanced batch",
        question="Can even the output bias stand still?",
        fills=all_zero,
        claims=balanced_claims,
        activation="sigmoid",
        loss="binary_cross_entropy",
        traces_moves=False,
    )
)
