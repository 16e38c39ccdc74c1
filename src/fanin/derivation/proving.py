"""Lines of a proof: each asks SymPy, and keeps what SymPy says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.notation import unicode_name
from fanin.derivation.printing import chain
from fanin.derivation.records import Claim, Formula, Proof, ProofStep
from fanin.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def equal(text: str, *sides: Expr, formula: Formula | None = None) -> ProofStep:
    """Give the line "all sides are equal", decided by SymPy.

    Labels among the sides are printed only. Every expression is compared with the
    first, expanded and then simplified.

    >>> x = sympy.Symbol("x")
    >>> equal("", (x + 1) ** 2, x**2 + 2 * x + 1).holds, equal("", x, 2 * x).holds
    (True, False)
    """
    shown = formula or chain(*sides)
    expressions = [side for side in sides if isinstance(side, sympy.Basic)]
    first = expressions[0]
    holds = all(are_identical(first, other) for other in expressions[1:])
    return ProofStep(text=text, holds=holds, formula=shown)


def are_identical(one: Expr, other: Expr) -> bool:
    """Say whether two expressions are equal for every value of their symbols."""
    difference = sympy.expand(one - other)
    return bool(difference == 0 or sympy.simplify(difference) == 0)


def checked(text: str, holds: Expr, formula: Formula | None = None) -> ProofStep:
    """Give a line whose truth was computed by the caller."""
    return ProofStep(text=text, holds=bool(holds), formula=formula)


def proved(
    statement: str,
    steps: Iterable[ProofStep],
    *,
    kind: str = "identity",
    values: Mapping[str, float] | None = None,
) -> Claim:
    """Give the claim that holds because each line of its proof does.

    Raises:
        InternalError: if a line does not hold: then the caller chose a wrong proof.
    """
    listed = tuple(steps)
    if not listed or not all(step.holds for step in listed):
        bad = next((step.text for step in listed if not step.holds), "no lines")
        msg = f"The proof of {statement!r} fails at {bad!r}."
        raise InternalError.of(msg)
    return Claim(
        statement=statement,
        holds=True,
        proof=Proof(kind=kind, steps=listed, values=values or {}),
    )


def refuted(
    statement: str, steps: Sequence[ProofStep], values: Mapping[str, float]
) -> Claim:
    """Give the claim that fails because each line of its counterexample holds.

    Raises:
        InternalError: if a line does not hold.
    """
    claim = proved(statement, steps, kind="counterexample", values=values)
    return Claim(statement=statement, holds=False, proof=claim.proof)


def observed(claim: Claim, text: str, *, agrees: bool) -> Claim:
    """Give the claim with what the run of real steps showed."""
    return Claim(
        statement=claim.statement,
        holds=claim.holds,
        proof=claim.proof,
        observed=text,
        agrees=agrees,
    )


def readable(values: Mapping[Expr, Expr]) -> dict[str, float]:
    """Give symbol → number as text → float, in the order given."""
    return {unicode_name(str(symbol)): float(value) for symbol, value in values.items()}


def decimal(value: float) -> str:
    """Give a number with six digits and a true minus sign.

    >>> decimal(-0.25)
    '−0.25'
    """
    return f"{value:.6g}".replace("-", "−")


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence.

    >>> listed(["W1"]), listed(["W1", "b1", "W2"])
    ('W1', 'W1, b1 and W2')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
