"""explain: a case of the lesson in symbols, or the theory of one activation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.activations import Activation, Gate
    from fanin.graph.graph import ScalarFunction
    from fanin.report.derivation import Lesson
    from fanin.report.theory import TheoryLesson

THEORY = "theory"
"""The case that is about an activation, and not about a small net in symbols."""

OF_SYMBOLS = ("net", "loss", "constant", "start", "slope_at_zero")


@overload
def explain(  # type: ignore[overload-overlap] # the word decides what comes back
    case: Literal["theory"],
    *,
    activation: str | ScalarFunction | Activation | Gate | None = None,
    sigma_w: float | None = None,
    sigma_b: float | None = None,
    q: float | None = None,
    depth: int | None = None,
) -> TheoryLesson: ...


@overload
def explain(
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
) -> Lesson: ...


def explain(  # noqa: PLR0913 (each argument is one word of the question)
    case: str,
    *,
    net: str | None = None,
    activation: str | ScalarFunction | Activation | Gate | None = None,
    loss: str | None = None,
    constant: float | None = None,
    start: Mapping[str, object] | None = None,
    slope_at_zero: float | None = None,
    steps: int = 10,
    rate: float = 0.1,
    sigma_w: float | None = None,
    sigma_b: float | None = None,
    q: float | None = None,
    depth: int | None = None,
) -> Lesson | TheoryLesson:
    """Derive a case of the lesson in symbols, and prove or refute its claims.

    The case "theory" is another: all that mean field theory says of a deep net of one
    activation, with numbers.

    Args:
        case: an id or a word: "A1" or "zero", "B1" or "constant", …; or "glorot",
            "he", "lecun"; or "theory".
        net: widths from input to output, "2-2-1"; None takes the case's own.
        activation: of the hidden units, by name; None takes the case's own. Of
            "theory" a function of float64 arrays, too; None takes ReLU.
        loss: "mse", "binary_crossentropy" or "categorical_crossentropy"; None takes
            the case's own.
        constant: the case's constant as a number; None proves it for every constant.
        start: starting values by array ("W1") that replace the case's: "zero",
            "generic", "constant" or a number.
        slope_at_zero: φ′(0) where φ has a kink, from 0 to 1.
        steps: of the run that must agree with the claims, a count.
        rate: η of that run, > 0.
        sigma_w: of "theory" only: √(fan_in·Var[w]), > 0; None takes the activation's
            forward gain.
        sigma_b: of "theory" only: standard deviation of the biases; 0 if None.
        q: of "theory" only: second moment of the first pre-activations; 1 if None.
        depth: of "theory" only: layers that are followed; 50 if None.

    Returns:
        The derivation: ``.claims``, each with ``.statement``, ``.holds``, ``.proof``;
        prints itself, shows itself in a notebook, and saves as HTML, Markdown, LaTeX
        or JSON. Of "theory" a `TheoryLesson`: ``.portrait`` holds the numbers.

    Raises:
        UnknownNameError: for a case, activation, loss or array that is not known.
        ArgumentError: for a net that is too large for symbols, or a wrong argument.

    >>> import fanin
    >>> claim = fanin.explain("zero").claims[0]
    >>> claim.holds
    True
    >>> tanh = fanin.explain("theory", activation="tanh", sigma_w=1.3, sigma_b=0.3)
    >>> tanh.portrait.phase, round(tanh.portrait.settles, 8)
    ('ordered', 0.60704679)
    """
    ours = {"sigma_w": sigma_w, "sigma_b": sigma_b, "q": q, "depth": depth}
    if case.strip().lower() == THEORY:
        others = (net, loss, constant, start, slope_at_zero)
        _refuse(case, dict(zip(OF_SYMBOLS, others, strict=True)))
        return _theory(activation, sigma_w, sigma_b or 0.0, q=q, depth=depth)
    _refuse(case, ours)
    if activation is not None and not isinstance(activation, str):
        expected = "a name; a function of its own is explained by the case 'theory'"
        raise ArgumentError.of(
            argument="activation", received=activation, expected=expected
        )
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


def _theory(
    activation: str | ScalarFunction | Activation | Gate | None,
    sigma_w: float | None,
    sigma_b: float,
    *,
    q: float | None,
    depth: int | None,
) -> TheoryLesson:
    from fanin.report.theory import TheoryLesson
    from fanin.theory import gains, portrait

    chosen = "relu" if activation is None else activation
    return TheoryLesson(
        portrait=portrait(
            chosen,
            sigma_w=gains(chosen).forward if sigma_w is None else sigma_w,
            sigma_b=sigma_b,
            q=1.0 if q is None else q,
            depth=50 if depth is None else depth,
        )
    )


def _refuse(case: str, given: Mapping[str, object]) -> None:
    """Refuse arguments that speak of another kind of case."""
    for argument, value in given.items():
        if value is not None:
            expected = f"nothing: the case {case!r} has no such number or word"
            raise ArgumentError.of(argument=argument, received=value, expected=expected)
