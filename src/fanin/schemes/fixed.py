"""Schemes whose scale is given by hand and does not look at the fans."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fanin.schemes.options import number_option, positive_option
from fanin.schemes.scheme import Scalar, Scheme
from fanin.schemes.sources import DEVLIN_2018, KRIZHEVSKY_2012, RUMELHART_1986

if TYPE_CHECKING:
    from fanin.graph.fans import Fan

NO_CARE: Final = "nothing: the scale ignores the width of the layer"
SYMMETRY: Final = "nothing: all units of a layer are equal and stay equal"


@dataclass(frozen=True, kw_only=True)
class FixedVariance:
    """Var[w] = std², whatever the fans and the gain.

    >>> from fanin.graph.fans import Fan
    >>> FixedVariance(std=0.5)(Fan(n_in=9.0, n_out=4.0), 1.0)
    0.25
    """

    std: float

    def __call__(self, fan: Fan[Scalar], gain: Scalar) -> Scalar:
        """Give std², in the kind of number that the gain is."""
        return self.std**2 + 0 * gain * fan.n_in


@dataclass(frozen=True, kw_only=True)
class UniformVariance:
    """Var[w] = bound² / 3: the mean of w² for w uniform on (−bound, bound).

    >>> from fanin.graph.fans import Fan
    >>> UniformVariance(bound=3.0)(Fan(n_in=9.0, n_out=4.0), 1.0)
    3.0
    """

    bound: float

    def __call__(self, fan: Fan[Scalar], gain: Scalar) -> Scalar:
        """Give bound² / 3, in the kind of number that the gain is."""
        return self.bound**2 / 3 + 0 * gain * fan.n_in


CONSTANT: Final = Scheme(
    name="constant",
    aliases=("const",),
    law="constant",
    variance=FixedVariance(std=0.0),
    formula="w = value, Var[w] = 0",
    keeps=SYMMETRY,
    assumes=("nothing is to be learnt by more than one unit a layer",),
    sources=(RUMELHART_1986,),
    value=0.5,
    options=(
        number_option("value", lambda scheme, value: replace(scheme, value=value)),
    ),
)

ZEROS: Final = replace(
    CONSTANT,
    name="zeros",
    aliases=("zero",),
    formula="w = 0, Var[w] = 0",
    assumes=("a bias, or the last layer of a branch; any other weight stays locked",),
    value=0.0,
    options=(),
)

ONES: Final = replace(
    CONSTANT,
    name="ones",
    aliases=("one",),
    formula="w = 1, Var[w] = 0",
    assumes=("the gain of a normalization",),
    value=1.0,
    options=(),
)

NORMAL: Final = Scheme(
    name="normal",
    aliases=("random_normal", "gaussian"),
    law="normal",
    variance=FixedVariance(std=0.05),
    formula="Var[w] = std²",
    keeps=NO_CARE,
    assumes=("a std that suits this width, found by hand",),
    sources=(KRIZHEVSKY_2012,),
    options=(
        positive_option(
            "std", lambda scheme, std: replace(scheme, variance=FixedVariance(std=std))
        ),
    ),
)

UNIFORM: Final = Scheme(
    name="uniform",
    aliases=("random_uniform",),
    law="uniform",
    variance=UniformVariance(bound=0.05),
    formula="w uniform on (−bound, bound), Var[w] = bound² / 3",
    keeps=NO_CARE,
    assumes=("a bound that suits this width, found by hand",),
    sources=(RUMELHART_1986,),
    options=(
        positive_option(
            "bound",
            lambda scheme, bound: replace(
                scheme, variance=UniformVariance(bound=bound)
            ),
        ),
    ),
)

TRUNCATED_NORMAL: Final = replace(
    NORMAL,
    name="truncated_normal",
    aliases=("trunc_normal",),
    law="truncated_normal",
    formula="Var[w] = std², cut at two standard deviations of the uncut normal",
    sources=(DEVLIN_2018,),
)

FIXED: Final = (ZEROS, ONES, CONSTANT, NORMAL, UNIFORM, TRUNCATED_NORMAL)
