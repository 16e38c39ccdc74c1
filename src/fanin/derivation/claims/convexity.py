"""Claims on nets without a hidden layer: the loss is convex, so any start is fine."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.losses import LOSSES, Loss
from fanin.derivation.notation import real, y
from fanin.derivation.printing import Label, chain
from fanin.derivation.proving import checked, equal, proved

if TYPE_CHECKING:
    from fanin.derivation.analysis import Analysis
    from fanin.derivation.records import Claim

MODELS = {
    "mse": "linear regression",
    "binary_cross_entropy": "logistic regression",
    "categorical_cross_entropy": "softmax regression",
}


def convex_claims(analysis: Analysis) -> tuple[Claim, ...]:
    """Prove the three losses convex in the weights of a net with no hidden layer."""
    del analysis
    return tuple(loss_is_convex(loss) for loss in LOSSES.values())


@lru_cache(maxsize=8)
def loss_is_convex(loss: Loss) -> Claim:
    """Prove that vᵀ·H·v ≥ 0 for every direction v: no false minimum, no saddle.

    z is linear in the parameters, so along a direction v it moves by u = v·(x, 1), and
    vᵀHv is the second derivative of the loss along u. SymPy takes it from the loss.
    """
    name = MODELS[loss.name]
    statement = f"The loss of {name} is convex in the weights: no start can be a trap."
    n = 3 if loss.output == "softmax" else 1
    logits = [real(f"z_{{{k}}}") if n > 1 else real("z") for k in range(1, n + 1)]
    moves = [real(f"u_{{{k}}}") if n > 1 else real("u") for k in range(1, n + 1)]
    outputs = _outputs(loss, logits)
    targets = _targets(n)
    value = loss.value(outputs, targets)
    curvature = sum(
        sympy.diff(value, p, q) * u * w
        for p, u in zip(logits, moves, strict=True)
        for q, w in zip(logits, moves, strict=True)
    )
    square, words = _as_squares(loss, outputs, moves)
    return proved(
        statement,
        [
            equal(
                "Along any direction v of the parameters z moves by u = v·(x, 1), and "
                f"vᵀHv is {words}.",
                sympy.simplify(curvature),
                square,
                formula=chain(
                    Label("vᵀHv", r"v^{\top} H v"), _shown_squares(loss, moves)
                ),
            ),
            checked(
                "It is a sum of squares with weights ≥ 0, so never negative: H is "
                "positive semi-definite everywhere, for every sample and so for the "
                "mean over a batch.",
                _weights_are_positive(loss, outputs),
            ),
        ],
    )


def _targets(n: int) -> list[Expr]:
    if n == 1:
        return [y(1, 1)]
    free = [y(k, n) for k in range(1, n)]
    return [*free, 1 - sympy.Add(*free)]


def _outputs(loss: Loss, logits: list[Expr]) -> list[Expr]:
    if loss.output == "linear":
        return logits
    if loss.output == "sigmoid":
        return [1 / (1 + sympy.exp(-z)) for z in logits]
    total = sympy.Add(*[sympy.exp(z) for z in logits])
    return [sympy.exp(z) / total for z in logits]


def _as_squares(loss: Loss, outputs: list[Expr], moves: list[Expr]) -> tuple[Expr, str]:
    if loss.output == "linear":
        return 2 * moves[0] ** 2, "twice a square"
    if loss.output == "sigmoid":
        weight = outputs[0] * (1 - outputs[0])
        return weight * moves[0] ** 2, "a square times ŷ(1 − ŷ)"
    terms = [
        outputs[j] * outputs[k] * (moves[j] - moves[k]) ** 2
        for j in range(len(moves))
        for k in range(j)
    ]
    return sympy.Add(*terms), "a sum of squares times ŷⱼŷₖ (shown for three classes)"


def _shown_squares(loss: Loss, moves: list[Expr]) -> Expr:
    if loss.output == "linear":
        return 2 * moves[0] ** 2
    if loss.output == "sigmoid":
        guess = sympy.Symbol(r"\hat{y}")
        return guess * (1 - guess) * moves[0] ** 2
    guesses = [sympy.Symbol(rf"\hat{{y}}_{{{k + 1}}}") for k in range(len(moves))]
    return _as_squares(loss, guesses, moves)[0]


def _weights_are_positive(loss: Loss, outputs: list[Expr]) -> bool:
    if loss.output == "linear":
        return True
    return all(bool(output.is_positive) for output in outputs)
