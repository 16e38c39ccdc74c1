"""Gated units: φ(a)·b with a and b two independent projections of one input.

E[φ(a)·b] = 0 and E[(φ(a)·b)²] = E[φ²]·q. The gradient comes back along two paths, the
gate's E[φ′²]·q and the value's E[φ²]; both are summed. So a common gain on both
projections acts to the fourth power: V(q) = q·E[φ(√q·z)²] has no stable fixed point
without normalization.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from fanin.activations.activation import Activation
from fanin.activations.moments import ActivationMoments
from fanin.activations.table import ACTIVATIONS, find_activation
from fanin.registry import Registry

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A gated unit: the activation of its gate, and the moments of the product."""

    name: str
    activation: Activation
    aliases: tuple[str, ...] = ()

    def moments(self, q: float = 1.0) -> ActivationMoments:
        """Give the moments of φ(a)·b for a, b independent N(0, q).

        derivative_second_moment is the sum over both projections.

        >>> print(f"{GATES['reglu'].moments().second_moment:.12f}")
        0.500000000000
        """
        gate = self.activation.moments(q)
        return ActivationMoments(
            q=q,
            mean=0.0,
            second_moment=gate.second_moment * q,
            derivative_second_moment=gate.derivative_second_moment * q
            + gate.second_moment,
            second_moment_slope=gate.second_moment_slope * q + gate.second_moment,
            error=gate.error * (1.0 + q),
            has_jump=gate.has_jump,
        )

    def correlation(self, c: float, q: float = 1.0) -> float:
        """Give E[φ(a)b·φ(a′)b′] = E[φ(a)φ(a′)]·c·q for two inputs of correlation c.

        >>> print(f"{GATES['bilinear'].correlation(0.5, 2.0):.12f}")
        1.000000000000
        """
        return self.activation.correlation(c, q) * c * q

    def correlation_slope(self, c: float, q: float = 1.0) -> float:
        """Give the derivative of `correlation` by c."""
        by_gate = self.activation.correlation_slope(c, q) * c
        return q * (by_gate + self.activation.correlation(c, q))

    def decorrelation(self, gap: float, q: float = 1.0) -> float:
        """Give E[(φ(a)b)²] less `correlation` at c = 1 − gap, to relative accuracy."""
        lost = self.activation.decorrelation(gap, q)
        kept = self.activation.moments(q).second_moment - lost
        return q * (lost + kept * gap)


Nonlinearity: TypeAlias = Activation | Gate
"""What a mean field map needs moments and correlations of."""

GATES: Final[Registry[Gate]] = Registry("gated unit")
for _name, _activation in {
    "glu": "sigmoid",
    "reglu": "relu",
    "geglu": "gelu",
    "geglu_tanh": "gelu_tanh",
    "swiglu": "silu",
    "bilinear": "identity",
}.items():
    GATES.register(Gate(name=_name, activation=ACTIVATIONS[_activation]))


def find_nonlinearity(what: str | ScalarFunction | Activation | Gate) -> Nonlinearity:
    """Give the activation or the gated unit of that name, or make one of a function.

    Args:
        what: as for `find_activation`, or the name of a gated unit ("swiglu").

    Raises:
        UnknownNameError: if there is neither; it names the nearest.
        ArgumentError: if the text is no name or the function does not run on arrays.

    >>> find_nonlinearity("SwiGLU").name, find_nonlinearity("swish").name
    ('swiglu', 'silu')
    """
    if isinstance(what, Gate):
        return what
    if isinstance(what, str) and what in GATES:
        return GATES[what]
    return find_activation(what)
