"""SymPy expressions as one line of Unicode, and as LaTeX, from one walk.

SymPy's own printers order factors by name; a learner wants the error first and the
input last: 2·(ŷ − y)·c·relu′(z₁₁)·x₁. So both forms come from the walk below, and only
their marks differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from fanin.derivation.notation import SUPERSCRIPTS, unicode_name
from fanin.derivation.records import Formula

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Marks:
    """How one output form writes names, products, quotients, powers and calls."""

    name: Callable[[str], str]
    times: str
    minus: str
    quotient: Callable[[str, str], str]
    power: Callable[[str, str], str]
    root: Callable[[str], str]
    group: Callable[[str], str]
    call: Callable[[str, str], str]
    fallback: Callable[[Expr], str]


@dataclass(frozen=True)
class Label:
    """A side or factor that stands for itself, such as dL/dw₁₁ or φ′(z)."""

    text: str
    latex: str


@dataclass(frozen=True)
class Product:
    """Factors shown as they are, zeros too, not multiplied out."""

    factors: tuple[Expr, ...]


VULGAR = {("1", "2"): "½", ("1", "4"): "¼", ("3", "4"): "¾", ("1", "3"): "⅓"}


def _text_quotient(top: str, bottom: str) -> str:
    if (top, bottom) in VULGAR:
        return VULGAR[top, bottom]

    def wrapped(part: str, marks: str) -> str:
        return f"({part})" if any(mark in part for mark in marks) else part

    return f"{wrapped(top, ' ')}/{wrapped(bottom, ' ·/')}"


def _text_power(base: str, exponent: str) -> str:
    if exponent.isdigit():
        return base + exponent.translate(SUPERSCRIPTS)
    return f"{base}^({exponent})" if len(exponent) > 1 else f"{base}^{exponent}"


def _latex_call(function: str, argument: str) -> str:
    known = {"tanh": r"\tanh", "sin": r"\sin", "cos": r"\cos", "log": r"\ln"}
    shown = known.get(function, rf"\mathrm{{{function}}}")
    return rf"{shown}\left({argument}\right)"


TEXT = Marks(
    name=unicode_name,
    times="·",
    minus="−",
    quotient=_text_quotient,
    power=_text_power,
    root=lambda inside: f"√({inside})" if len(inside) > 1 else f"√{inside}",
    group=lambda inside: f"({inside})",
    call=lambda function, argument: (
        f"{'ln' if function == 'log' else function}({argument})"
    ),
    fallback=str,
)
LATEX = Marks(
    name=lambda name: name,
    times=r" \, ",
    minus="-",
    quotient=lambda top, bottom: rf"\frac{{{top}}}{{{bottom}}}",
    power=lambda base, exponent: f"{{{base}}}^{{{exponent}}}",
    root=lambda inside: rf"\sqrt{{{inside}}}",
    group=lambda inside: rf"\left({inside}\right)",
    call=_latex_call,
    fallback=lambda expression: str(sympy.latex(expression)),
)


def written(side: Expr, marks: Marks) -> str:
    r"""Write an expression, a Label or a Product in one of the two forms.

    >>> c, x = sympy.symbols("c x_{1}")
    >>> written(2 * c * x, TEXT), written(c / 2, LATEX)
    ('2·c·x₁', '\\frac{c}{2}')
    """
    if isinstance(side, Label):
        return side.text if marks is TEXT else side.latex
    if isinstance(side, Product):
        return _shown_product(side, marks)
    expression = sympy.sympify(side)
    if isinstance(expression, sympy.Symbol):
        return marks.name(expression.name)
    for kind, write in _WRITERS:
        if isinstance(expression, kind):
            return write(expression, marks)
    return marks.fallback(expression)


def _shown_product(product: Product, marks: Marks) -> str:
    times = "·" if marks is TEXT else r" \cdot "
    return times.join(_grouped(factor, marks) for factor in product.factors)


def _grouped(side: Expr, marks: Marks) -> str:
    inside = written(side, marks)
    is_loose = isinstance(side, sympy.Add) or inside.startswith(marks.minus)
    is_quotient = marks is TEXT and "/" in inside and not isinstance(side, Label)
    return marks.group(inside) if is_loose or is_quotient else inside


def _number(value: Expr, marks: Marks) -> str:
    if value < 0:
        return marks.minus + _number(-value, marks)
    if isinstance(value, sympy.Rational) and value.q != 1:
        return marks.quotient(str(value.p), str(value.q))
    return f"{float(value):.6g}" if isinstance(value, sympy.Float) else str(value)


def _sum(expression: Expr, marks: Marks) -> str:
    shown = ""
    terms = expression.as_ordered_terms()
    first = next((term for term in terms if not _is_negative(term)), terms[0])
    terms = [first, *(term for term in terms if term is not first)]
    for term in terms:
        part = written(-term if _is_negative(term) else term, marks)
        sign = marks.minus if _is_negative(term) else "+"
        if not shown:
            shown = part if sign == "+" else sign + part
        else:
            shown = f"{shown} {sign} {part}"
    return shown


def _is_negative(term: Expr) -> bool:
    return bool(term.could_extract_minus_sign())


RANK_OF_LETTER: dict[str, float] = {
    "ŷ": 2,
    "y": 2,
    "c": 3,
    "w": 3,
    "b": 3,
    "a": 6,
    "x": 7,
    "z": 6,
    "f": 1,
    "n": 1,
    "V": 1.5,
    "E": 8,
}


def _rank(factor: Expr) -> tuple[float, str]:
    if factor.is_number:
        return (0, "")
    if isinstance(factor, sympy.Symbol):
        name = unicode_name(factor.name)
        rank = 5 if "′" in name else RANK_OF_LETTER.get(name[0], 2)
        return (1 if name[0] in "δη" else rank, name)
    is_sum = isinstance(factor, sympy.Add | sympy.Pow)
    return (2.5 if is_sum else 4, str(factor))


def _product(expression: Expr, marks: Marks) -> str:
    if _is_negative(expression) and expression.as_coeff_Mul()[0] < 0:
        return marks.minus + _grouped(-expression, marks)
    top, bottom = sympy.fraction(expression)
    if bottom != 1:
        return marks.quotient(written(top, marks), written(bottom, marks))
    factors = sorted(sympy.Mul.make_args(expression), key=_rank)
    return marks.times.join(_grouped(factor, marks) for factor in factors)


def _power(expression: Expr, marks: Marks) -> str:
    base, exponent = expression.base, expression.exp
    if exponent.could_extract_minus_sign():
        return marks.quotient("1", written(base**-exponent, marks))
    if exponent == sympy.Rational(1, 2):
        return marks.root(written(base, marks))
    is_plain = isinstance(base, sympy.Symbol) and "^" not in base.name
    inside = written(base, marks)
    shown = inside if is_plain or inside.isalnum() else marks.group(inside)
    return marks.power(shown, written(exponent, marks))


def _exponential(expression: Expr, marks: Marks) -> str:
    return marks.power("e", written(expression.args[0], marks))


def _call(expression: Expr, marks: Marks) -> str:
    inside = ", ".join(written(argument, marks) for argument in expression.args)
    return marks.call(expression.func.__name__, inside)


def _maximum(expression: Expr, marks: Marks) -> str:
    ordered = sorted(expression.args, key=lambda argument: not argument.is_number)
    return marks.call("max", ", ".join(written(part, marks) for part in ordered))


_WRITERS: tuple[tuple[Expr, Callable[[Expr, Marks], str]], ...] = (
    ((sympy.Rational, sympy.Float), _number),
    (type(sympy.pi), lambda _, marks: marks.name(r"\pi")),
    (sympy.Add, _sum),
    (sympy.Mul, _product),
    (sympy.exp, _exponential),
    (sympy.Pow, _power),
    (sympy.Max, _maximum),
    ((sympy.tanh, sympy.sin, sympy.cos, sympy.log, sympy.erf), _call),
)


def derivative(top: Expr, bottom: Expr) -> Label:
    """Give the label d(top)/d(bottom).

    >>> derivative(sympy.Symbol("L"), sympy.Symbol("w_{11}")).text
    'dL/dw₁₁'
    """
    above, below = written(top, LATEX), written(bottom, LATEX)
    return Label(
        f"d{written(top, TEXT)}/d{written(bottom, TEXT)}",
        rf"\frac{{d{above}}}{{d{below}}}",
    )


def chain(*sides: Expr, relation: str = "=") -> Formula:
    """Give the formula side = side = …; equal values are written once.

    >>> c = sympy.Symbol("c")
    >>> chain(Label("a₁₁", "a_{11}"), c + 1, c + 1).text
    'a₁₁ = c + 1'
    """
    texts = [written(side, TEXT) for side in sides]
    latexes = [written(side, LATEX) for side in sides]
    kept = [k for k in range(len(sides)) if k < 2 or texts[k] != texts[k - 1]]
    latex_relation = {"≠": r"\neq", "→": r"\to", "←": r"\leftarrow"}.get(
        relation, relation
    )
    return Formula(
        text=f" {relation} ".join(texts[k] for k in kept),
        latex=f" {latex_relation} ".join(latexes[k] for k in kept),
        sides=tuple(side for side in sides if isinstance(side, sympy.Basic)),
    )
