"""Activations as SymPy expressions: φ(z), φ′(z), and what they are at z = 0.

Each formula stands once, as an expression in Z; its derivative is SymPy's, but for the
kink of ReLU and leaky ReLU at 0, where φ′(0) is a choice that frameworks make: 0 in
``torch.relu`` and ``jax.nn.relu``, ½ in ``maximum(z, 0)``, 1 in ``clamp(min=0)``.
Floats and mpmath get their functions from these same expressions.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr

from fanin.derivation.notation import SLOPE_AT_ZERO
from fanin.errors import ArgumentError
from fanin.registry import Registry

Z = sympy.Symbol("z", real=True)
VALUE = sympy.Symbol(r"\varphi(z)", real=True)
LEAK = sympy.Rational(1, 100)


@dataclass(frozen=True, kw_only=True)
class Nonlinearity:
    """One activation in symbols.

    expression: φ in Z. slope: φ′ in Z, holding the symbol s where φ has a kink at 0.
    latex: how its name is set. default_slope: φ′(0) as PyTorch's and JAX's own
    function has it, None where there is no kink. is_twice_smooth: φ″(0) exists.
    slope_shown: φ′ as textbooks write it, in the symbol VALUE for φ(z), if they do.

    >>> TANH.at(0), TANH.slope_at(0), RELU.slope_at(0)
    (0, 1, s)
    """

    name: str
    expression: Expr
    slope: Expr
    latex: str
    aliases: tuple[str, ...] = ()
    default_slope: Expr = None
    is_twice_smooth: bool = True
    slope_shown: Expr = None

    def at(self, value: Expr) -> Expr:
        """Give φ(value)."""
        return self.expression.subs(Z, value)

    def slope_at(self, value: Expr) -> Expr:
        """Give φ′(value); the symbol s at a kink."""
        return self.slope.subs(Z, value)

    @property
    def has_kink(self) -> bool:
        """Say whether φ′(0) is a choice."""
        return self.default_slope is not None

    @property
    def vanishes_at_zero(self) -> bool:
        """Say whether φ(0) = 0, the condition of the lock."""
        return bool(sympy.simplify(self.at(0)) == 0)

    def slope_name(self, argument: str) -> str:
        """Give the LaTeX name of φ′(argument)."""
        return f"{self.latex}'({argument})"

    def with_slope(self, value: Expr) -> Nonlinearity:
        """Give the same function with φ′(0) = value, in [0, 1].

        >>> RELU.with_slope(0.5).slope_at(0)
        1/2
        """
        number = sympy.nsimplify(value)
        if not (number.is_number and 0 <= number <= 1):
            raise _out_of_range(value)
        changed = self.slope.subs(SLOPE_AT_ZERO, number)
        return Nonlinearity(
            name=self.name,
            expression=self.expression,
            slope=changed,
            latex=self.latex,
            default_slope=number if self.has_kink else None,
            is_twice_smooth=self.is_twice_smooth,
        )


def _out_of_range(value: object) -> ArgumentError:
    return ArgumentError.of("slope_at_zero", value, "a number from 0 to 1")


NONLINEARITIES: Registry[Nonlinearity] = Registry("activation")


def _smooth(
    name: str, expression: Expr, latex: str = "", *aliases: str, shown: Expr = None
) -> Nonlinearity:
    return NONLINEARITIES.register(
        Nonlinearity(
            name=name,
            aliases=aliases,
            expression=expression,
            slope=sympy.diff(expression, Z),
            latex=latex or rf"\mathrm{{{name}}}",
            slope_shown=shown,
        )
    )


def _kinked(name: str, below: Expr, latex: str, default_slope: Expr) -> Nonlinearity:
    return NONLINEARITIES.register(
        Nonlinearity(
            name=name,
            expression=sympy.Max(0, Z)
            if below == 0
            else sympy.Piecewise((Z, Z > 0), (below * Z, True)),
            slope=sympy.Piecewise(
                (1, Z > 0), (SLOPE_AT_ZERO, sympy.Eq(Z, 0)), (below, True)
            ),
            latex=latex,
            default_slope=sympy.sympify(default_slope),
            is_twice_smooth=False,
        )
    )


RELU = _kinked("relu", 0, r"\mathrm{relu}", 0)
LEAKY_RELU = _kinked("leaky_relu", LEAK, r"\mathrm{leaky}", LEAK)
TANH = _smooth("tanh", sympy.tanh(Z), r"\tanh", shown=1 - VALUE**2)
SIGMOID = _smooth(
    "sigmoid",
    1 / (1 + sympy.exp(-Z)),
    r"\sigma",
    "logistic",
    shown=VALUE * (1 - VALUE),
)
SOFTPLUS = _smooth("softplus", sympy.log(1 + sympy.exp(Z)))
GELU = _smooth("gelu", Z * (1 + sympy.erf(Z / sympy.sqrt(2))) / 2)
SILU = _smooth("silu", Z / (1 + sympy.exp(-Z)), "", "swish")
IDENTITY = _smooth("identity", Z, r"\mathrm{id}", "linear")
SIN = _smooth("sin", sympy.sin(Z), r"\sin")
# Below 0, ELU (α = 1) is e^z − 1, whose slope at 0 is 1 too: smooth once, not twice.
ELU = NONLINEARITIES.register(
    Nonlinearity(
        name="elu",
        expression=sympy.Piecewise((Z, Z > 0), (sympy.exp(Z) - 1, True)),
        slope=sympy.Piecewise((1, Z > 0), (sympy.exp(Z), True)),
        latex=r"\mathrm{elu}",
        is_twice_smooth=False,
    )
)


class _PhiVanishing(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """Expr φ at all with φ(0) = 0."""

    @classmethod
    def eval(cls, argument: Expr) -> Expr:
        """Give φ(0) = 0 and leave any other argument as it is."""
        return sympy.Integer(0) if argument.is_zero else None


class _PhiSlope(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """The derivative of any φ, with φ′(0) = s."""

    @classmethod
    def eval(cls, argument: Expr) -> Expr:
        """Give φ′(0) = s and leave any other argument as it is."""
        return SLOPE_AT_ZERO if argument.is_zero else None


# Not registered: a proof's tool, not a function that a net can be run with.
ANY_VANISHING = Nonlinearity(
    name="any φ with φ(0) = 0",
    expression=_PhiVanishing(Z),
    slope=_PhiSlope(Z),
    latex=r"\varphi",
    is_twice_smooth=False,
)
