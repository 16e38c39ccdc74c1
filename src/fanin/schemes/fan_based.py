"""LeCun, Glorot and He: the scale follows from the fans and the gain.

One output of a layer is z = Σ w·φ(y) over fan_in terms. With independent weights of
mean 0, E[z²] = fan_in·Var[w]·E[φ(y)²]: so Var[w] = gain² / fan_in, gain² = E[y²] /
E[φ(y)²], keeps the second moment on the way forward. On the way back one input
collects fan_out terms, and the same argument gives gain² / fan_out. Both hold at once
only where fan_in = fan_out; Glorot and Bengio take the mean of the two fans.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fanin.schemes.options import GAIN, Mode, mode_option
from fanin.schemes.scheme import Scalar, Scheme
from fanin.schemes.sources import GLOROT_2010, HE_2015, LECUN_1998

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.fans import Fan

FORWARD: Final = "the second moment of pre-activations, forward"
BACKWARD: Final = "the second moment of gradients, backward"
COMPROMISE: Final = (
    "forward and backward second moments, each in part: both exactly where "
    "fan_in = fan_out"
)


def fan_in_variance(fan: Fan[Scalar], gain: Scalar) -> Scalar:
    """Var[w] = gain² / fan_in.

    He et al. (2015), equation 10, where gain² = 2; LeCun et al. (1998), section 4.6,
    where gain = 1.

    >>> from fanin.graph.fans import Fan
    >>> fan_in_variance(Fan(n_in=512.0, n_out=10.0), 1.0)
    0.001953125
    """
    return gain**2 / fan.n_in


def fan_out_variance(fan: Fan[Scalar], gain: Scalar) -> Scalar:
    """Var[w] = gain² / fan_out.

    He et al. (2015), equation 14, where gain² = 2.

    >>> from fanin.graph.fans import Fan
    >>> fan_out_variance(Fan(n_in=512.0, n_out=16.0), 1.0)
    0.0625
    """
    return gain**2 / fan.n_out


def fan_avg_variance(fan: Fan[Scalar], gain: Scalar) -> Scalar:
    """Var[w] = 2·gain² / (fan_in + fan_out).

    Glorot & Bengio (2010), equation 12, where gain = 1.

    >>> from fanin.graph.fans import Fan
    >>> fan_avg_variance(Fan(n_in=48.0, n_out=16.0), 1.0)
    0.03125
    """
    return 2 * gain**2 / (fan.n_in + fan.n_out)


FAN_IN: Final = Mode(
    variance=fan_in_variance, formula="Var[w] = gain² / fan_in", keeps=FORWARD
)
FAN_OUT: Final = Mode(
    variance=fan_out_variance, formula="Var[w] = gain² / fan_out", keeps=BACKWARD
)
FAN_AVG: Final = Mode(
    variance=fan_avg_variance,
    formula="Var[w] = 2·gain² / (fan_in + fan_out)",
    keeps=COMPROMISE,
)

MODES: Final[Mapping[str, Mode]] = MappingProxyType(
    {"fan_in": FAN_IN, "fan_out": FAN_OUT, "fan_avg": FAN_AVG}
)

INDEPENDENT: Final = "weights independent of each other and of the input, mean 0"
PLAIN: Final = "biases 0, no normalization, no skip connections"

LECUN_NORMAL: Final = Scheme(
    name="lecun_normal",
    aliases=("lecun",),
    law="normal",
    variance=FAN_IN.variance,
    formula=FAN_IN.formula,
    keeps=FAN_IN.keeps,
    assumes=(INDEPENDENT, PLAIN, "φ close to the identity, or SELU: gain 1"),
    sources=(LECUN_1998,),
    uses_gain=True,
    options=(GAIN, mode_option(MODES)),
)

GLOROT_NORMAL: Final = Scheme(
    name="glorot_normal",
    aliases=("xavier_normal", "glorot", "xavier"),
    law="normal",
    variance=FAN_AVG.variance,
    formula=FAN_AVG.formula,
    keeps=FAN_AVG.keeps,
    assumes=(INDEPENDENT, PLAIN, "φ odd with slope 1 at 0, such as tanh: gain 1"),
    sources=(GLOROT_2010,),
    uses_gain=True,
    options=(GAIN,),
)

HE_NORMAL: Final = Scheme(
    name="he_normal",
    aliases=("kaiming_normal", "he", "kaiming"),
    law="normal",
    variance=FAN_IN.variance,
    formula=FAN_IN.formula,
    keeps=FAN_IN.keeps,
    assumes=(INDEPENDENT, PLAIN, "φ = ReLU: gain √2, since E[relu(y)²] = E[y²] / 2"),
    sources=(HE_2015,),
    gain=2**0.5,
    uses_gain=True,
    options=(GAIN, mode_option(MODES)),
)


def uniform(scheme: Scheme, *aliases: str) -> Scheme:
    """Give the scheme of the same variance that draws from U(−bound, bound)."""
    return replace(
        scheme,
        name=scheme.name.replace("normal", "uniform"),
        aliases=aliases,
        law="uniform",
        formula=f"bound = √(3·Var[w]), {scheme.formula}",
    )


def truncated(scheme: Scheme, *aliases: str) -> Scheme:
    """Give the scheme of the same variance that draws from a normal cut at ±2σ."""
    return replace(
        scheme,
        name=scheme.name.replace("normal", "truncated"),
        aliases=aliases,
        law="truncated_normal",
        formula=f"{scheme.formula}, after the cut at ±2σ",
    )


FAN_BASED: Final = (
    LECUN_NORMAL,
    uniform(LECUN_NORMAL),
    truncated(LECUN_NORMAL, "lecun_truncated_normal"),
    GLOROT_NORMAL,
    uniform(GLOROT_NORMAL, "xavier_uniform"),
    truncated(GLOROT_NORMAL, "xavier_truncated", "glorot_truncated_normal"),
    HE_NORMAL,
    uniform(HE_NORMAL, "kaiming_uniform"),
    truncated(HE_NORMAL, "kaiming_truncated", "he_truncated_normal"),
)
