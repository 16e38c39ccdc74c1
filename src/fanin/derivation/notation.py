r"""The lesson's symbols: w₁₁ from input 1 to hidden unit 1, z₁₁, a₁₁, ŷ.

A symbol's SymPy name is its LaTeX (``w_{11}^{(2)}``); the Unicode form is read from
that, so each name is written once. Indices of weights are (from, to); the first index
of b, z and a is the layer. Weights of layer 1 carry no superscript, deeper ones do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sympy
from sympy import Expr

SUBSCRIPTS = str.maketrans("0123456789+-l", "₀₁₂₃₄₅₆₇₈₉₊₋ₗ")
SUPERSCRIPTS = str.maketrans("0123456789()+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺⁻")
WORDS = {
    r"\mathrm{fan}_{\mathrm{in}}": "fan_in",
    r"\mathrm{fan}_{\mathrm{out}}": "fan_out",
    r"_{\mathrm{below}}": "_below",
    r"\alpha": "α",
    r"\pi": "π",
    "^2]": "²]",
    r"\hat{y}": "ŷ",
    r"\bar{y}": "ȳ",
    r"\varphi": "φ",
    r"\sigma": "σ",
    r"\eta": "η",
    r"\beta": "β",
    r"\delta": "δ",
    r"\ell": "ℓ",
    r"\langle ": "⟨",
    r" \rangle": "⟩",
    r"\,": " ",
    "'": "′",
}


@dataclass(frozen=True, order=True)
class Entry:
    """One number among the parameters: a weight (layer, i, j) or a bias (layer, 0, j).

    layer, i and j count from 1; i = 0 marks the bias of unit j.

    >>> Entry(1, 2, 1).tensor, str(Entry(1, 2, 1)), str(Entry(2, 0, 1))
    ('W1', 'w₂₁', 'b₂₁')
    """

    layer: int
    i: int
    j: int

    @property
    def is_bias(self) -> bool:
        """Say whether this is a bias."""
        return self.i == 0

    @property
    def tensor(self) -> str:
        """Give the name of the array that it is an entry of: "W1" or "b1"."""
        return f"{'b' if self.is_bias else 'W'}{self.layer}"

    @property
    def symbol(self) -> Expr:
        """Give its SymPy symbol."""
        if self.is_bias:
            return real(f"b_{{{indices(self.layer, self.j)}}}")
        raised = "" if self.layer == 1 else f"^{{({self.layer})}}"
        return real(f"w_{{{indices(self.i, self.j)}}}{raised}")

    def __str__(self) -> str:
        return unicode_name(self.symbol.name)


def real(name: str) -> Expr:
    """Give the real symbol of that LaTeX name."""
    return sympy.Symbol(name, real=True)


def indices(first: int, second: int) -> str:
    """Join two indices, with a comma where one has two digits.

    >>> indices(1, 2), indices(1, 12)
    ('12', '1,12')
    """
    return f"{first}{second}" if max(first, second) < 10 else f"{first},{second}"


def x(i: int) -> Expr:
    """Give input i."""
    return real(f"x_{{{i}}}")


def z(layer: int, j: int) -> Expr:
    """Give the pre-activation of unit j of a layer."""
    return real(f"z_{{{indices(layer, j)}}}")


def a(layer: int, j: int) -> Expr:
    """Give the activation of unit j of a layer."""
    return real(f"a_{{{indices(layer, j)}}}")


def y(k: int, n_outputs: int) -> Expr:
    """Give the target of output k."""
    return real("y" if n_outputs == 1 else f"y_{{{k}}}")


def y_hat(k: int, n_outputs: int) -> Expr:
    """Give the prediction of output k."""
    return real(r"\hat{y}" if n_outputs == 1 else rf"\hat{{y}}_{{{k}}}")


def delta(layer: int, j: int) -> Expr:
    """Give the name of dL/dz of unit j of a layer, used in nets of three layers up."""
    return real(rf"\delta_{{{indices(layer, j)}}}")


ETA = sympy.Symbol(r"\eta", positive=True)
SLOPE_AT_ZERO = real("s")


def unicode_name(name: str) -> str:
    r"""Give a LaTeX name in Unicode.

    >>> unicode_name(r"w_{11}^{(2)}"), unicode_name(r"\hat{y}_{2}")
    ('w₁₁⁽²⁾', 'ŷ₂')
    """
    for word, letter in WORDS.items():
        name = name.replace(word, letter)
    name = re.sub(r"\\mathrm\{([^}]*)\}", r"\1", name)
    name = re.sub(r"\\(tanh|sin)\b", r"\1", name)
    name = re.sub(r"\^\{([^}]*)\}", lambda m: m[1].translate(SUPERSCRIPTS), name)
    return re.sub(r"_\{([^}]*)\}", lambda m: m[1].translate(SUBSCRIPTS), name)
