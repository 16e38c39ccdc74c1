"""How weights around an activation are drawn in a deep plain chain.

Independent weights with a good scale are enough for a few layers: He's and Glorot's
answers stand there. In a deeper chain without normalization or skips one of the
following comes true of them (``fanin.theory.passage``), and no scale helps:

- fewer than a tenth of the directions still carry the signal,
- squared gradients change by more than 16 times from end to end,
- second moments fall to a tenth, as they do behind tanh at the edge of chaos,
- an error in scale more than doubles.

Then weights are orthogonal, and what a layer reads is made odd, so that its mean is 0
and its slope nearly constant:

- φ odd about φ(0) = 0 (tanh, sin): as it is;
- φ odd about another number (sigmoid): centred, by biases −φ(0)·(sum of the row);
- others (ReLU, GELU, SiLU, SELU): mirrored, units in pairs z and −z.

The second moment q of pre-activations is the largest up to 1 at which squared gradients
grow by no more than 4 times over the chain; every layer keeps it. Where the structure
allows neither (an odd number of units, a second reader, no biases), the offset that
keeps moments and gradients at once is taken (``fanin.theory.centring``), or orthogonal
weights at the textbook scale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf, sqrt
from typing import TYPE_CHECKING, Final

from fanin.activations import identify
from fanin.prescription.choosing.families import family_of
from fanin.theory.centring import Centre, centre_of, largest_moment
from fanin.theory.mirroring import Centred, Mirrored, can_be_mirrored, odd_about
from fanin.theory.moments import Moments, rule_of, through_function
from fanin.theory.passage import passage

if TYPE_CHECKING:
    from fanin.graph.graph import ScalarFunction

LEAST_SHARE: Final = 1 / 10
"""Of the directions, that must still carry the signal behind the chain."""
LARGEST_CHANGE: Final = 16.0
"""Of squared gradients over the chain, either way."""
LEAST_MOMENT: Final = 0.1
"""Of the second moment at the chain's start, that must be left at its end."""
LARGEST_DRIFT: Final = 2.0
"""Of a relative error in the second moment over the chain."""
ALLOWED_GROWTH: Final = 4.0
"""Of squared gradients over a chain that is drawn orthogonal."""
SMALL_OFFSET: Final = 1e-3
NO_PAIRS: Final = (
    "its units cannot stand in pairs (an odd number, a reader that is no plain weight, "
    "a maximum in between)"
)
NO_BIAS: Final = "what reads it has no free bias, or pads it with zeros"
EVEN: Final = "it is even: neither pairs nor offsets make it odd"


class Kind(StrEnum):
    """What is done to what a layer reads."""

    AS_IT_IS = "as it is"
    CENTRED = "centred"
    MIRRORED = "mirrored"


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """How the weights before and behind one activation are drawn: orthogonal.

    kind: what is done. name: of the activation. function: what a reader sees of it, for
    n independent units. centre: the second moment of the pre-activations, the offset,
    σ_w² and χ. reason: why not the textbook's. hindrance: why not more is done, "" if
    nothing stands in the way.
    """

    kind: Kind
    name: str
    function: ScalarFunction
    centre: Centre
    reason: str
    hindrance: str = ""

    @property
    def slope(self) -> float:
        """Give d ln V/d ln q at the second moment that is kept."""
        return passage(
            self.function,
            weight_variance=self.centre.weight_variance,
            n_layers=2,
            moment=self.centre.moment,
        ).drift


def failing(function: ScalarFunction, n_layers: int) -> str:
    """Say what independent weights lose over ``n_layers`` activations; "" if little.

    Nothing is said of a function whose slope is 0 wherever it has one, as of a step.

    >>> import numpy as np
    >>> relu = lambda x: np.maximum(x, 0.0)
    >>> failing(relu, 3)
    ''
    >>> failing(relu, 30)[32:]
    'the signal in 1/61 of the directions over 30 layers'
    """
    family = family_of(function, _after(function))
    found = passage(function, weight_variance=family.gain**2, n_layers=n_layers)
    if found.spread == inf:
        return ""
    lost = (
        (
            found.growth < 1.0 / LARGEST_CHANGE,
            (
                "Independent weights would shrink squared gradients to "
                f"{found.growth:.2g} of their size"
            ),
        ),
        (
            found.growth > LARGEST_CHANGE,
            (
                "Independent weights would let squared gradients grow "
                f"{found.growth:.2g}-fold"
            ),
        ),
        (
            abs(found.drift) > LARGEST_DRIFT,
            (
                "With independent weights an error in scale would grow "
                f"{found.drift:.2g}-fold"
            ),
        ),
        (
            found.moment < LEAST_MOMENT,
            (
                "Independent weights would let second moments fall to "
                f"{found.moment:.2g} of the first"
            ),
        ),
        (
            found.share < LEAST_SHARE,
            (
                "Independent weights would carry the signal in "
                f"1/{round(1.0 / found.share)} of the directions"
            ),
        ),
    )
    said = (text for is_lost, text in lost if is_lost)
    return next((f"{text} over {n_layers} layers" for text in said), "")


def treat(
    function: ScalarFunction,
    n_layers: int,
    reason: str,
    *,
    can_mirror: bool,
    can_centre: bool,
) -> Treatment:
    """Choose how the weights around an activation in a deep chain are drawn.

    Args:
        function: φ.
        n_layers: activations on the longest way through the chain, a count.
        reason: what `failing` says.
        can_mirror: the units can stand in pairs.
        can_centre: every layer that reads it has a bias of its own.

    >>> import numpy as np
    >>> relu = lambda x: np.maximum(x, 0.0)
    >>> found = treat(relu, 30, "", can_mirror=True, can_centre=True)
    >>> found.kind.value, round(found.centre.weight_variance, 9)
    ('mirrored', 2.0)
    """
    name = identify(function).name
    centre = odd_about(function)
    is_odd = centre is not None and abs(centre) < SMALL_OFFSET
    if is_odd:
        kept = _kept(function, n_layers)
        return _drawn(Kind.AS_IT_IS, name, function, kept, reason)
    if centre is not None and can_centre:
        kept = _kept(function, n_layers, centre)
        return _drawn(Kind.CENTRED, name, Centred(function, centre), kept, reason)
    if can_mirror and can_be_mirrored(function):
        seen = Mirrored(function)
        return _drawn(Kind.MIRRORED, name, seen, _kept(seen, n_layers), reason)
    both = centre_of(function)
    if can_centre and abs(both.offset) >= SMALL_OFFSET:
        seen_ = Centred(function, both.offset)
        found = _drawn(Kind.CENTRED, name, seen_, both, reason)
    else:
        found = _drawn(Kind.AS_IT_IS, name, function, _textbook(function), reason)
    return replace(found, hindrance=_hindrance(function, centre))


def _hindrance(function: ScalarFunction, centre: float | None) -> str:
    """Say what keeps what is read from being made odd."""
    if centre is not None:
        return NO_BIAS
    return NO_PAIRS if can_be_mirrored(function) else EVEN


def _drawn(
    kind: Kind, name: str, function: ScalarFunction, centre: Centre, reason: str
) -> Treatment:
    return Treatment(
        kind=kind, name=name, function=function, centre=centre, reason=reason
    )


def _kept(function: ScalarFunction, n_layers: int, offset: float = 0.0) -> Centre:
    return largest_moment(function, n_layers, growth=ALLOWED_GROWTH, offset=offset)


def _textbook(function: ScalarFunction) -> Centre:
    """Give the textbook's scale as a centre without offset, at second moment 1."""
    family = family_of(function, _after(function))
    return Centre(
        moment=1.0,
        offset=0.0,
        weight_variance=family.gain**2,
        growth=family.growth,
    )


def rms_of(treatment: Treatment) -> float:
    """Give the root mean square of the pre-activations."""
    return sqrt(treatment.centre.moment)


def _after(function: ScalarFunction) -> Moments:
    """Give the moments of φ(z) for z ~ N(0, 1)."""
    return through_function(Moments(), rule_of(Moments(), function))
