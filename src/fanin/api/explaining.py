"""explain: a case of the lesson in symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.report.derivation import Lesson


def explain(  # noqa: PLR0913 (each argument is one word of the question)
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
) -> Lesson:
    """Derive a case of the lesson in symbols, and prove or refute its claims.

    Args:
        case: an id or a word: "A1" or "zero", "B1" or "constant", …; or "glorot",
            "he", "lecun".
        net: widths from input to output, "2-2-1"; None takes the case's own.
        activation: of the hidden units, by name; None takes the case's own.
        loss: "mse", "binary_crossentropy" or "categorical_crossentropy"; None takes
            the case's own.
        constant: the case's constant as a number; None proves it for every constant.
        start: starting values by array ("W1") that replace the case's: "zero",
            "generic", "constant" or a number.
        slope_at_zero: φ′(0) where φ has a kink, from 0 to 1.
        steps: of the run that must agree with the claims, a count.
        rate: η of that run, > 0.

    Returns:
        The derivation: ``.claims``, each with ``.statement``, ``.holds``, ``.proof``;
        prints itself, shows itself in a notebook, and saves as HTML, Markdown, LaTeX
        or JSON.

    Raises:
        UnknownNameError: for a case, activation, loss or array that is not known.
        ArgumentError: for a net that is too large for symbols, or a wrong argument.

    >>> import fanin
    >>> claim = fanin.explain("zero").claims[0]
    >>> claim.holds
    True
    """
    from fanin.derivation import explain as derive
    from fanin.report.derivation import lesson

    return lesson(
        derive(
            case,
            net=net,
            activation=activation,
            loss=loss,
            constant=constant,
            start=start,
            slope_at_zero=slope_at_zero,
            steps=steps,
            rate=rate,
        )
    )
