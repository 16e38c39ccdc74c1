"""Everything mean field theory says of one activation at one (σ_w, σ_b)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Final

from fanin.activations import Activation
from fanin.errors import ArgumentError
from fanin.graph.fans import Fan
from fanin.schemes import SCHEMES
from fanin.theory.both_gains import gains
from fanin.theory.correlations import correlation_map
from fanin.theory.edge import edge_of_chaos
from fanin.theory.fixed_points import fixed_points, settles_at
from fanin.theory.mean_field import MeanField
from fanin.theory.rates import edge_rate
from fanin.theory.spread import moment_spread

if TYPE_CHECKING:
    from fanin.activations import Gate
    from fanin.graph.graph import ScalarFunction
    from fanin.theory.both_gains import Gains
    from fanin.theory.edge import EdgePoint
    from fanin.theory.fixed_points import FixedPoint
    from fanin.theory.rates import EdgeRate

TRAINABLE: Final = 6.0
"""Schoenholz et al. (2017), section 5: nets train up to about 6·ξ_c deep. A guide."""
STARTS: Final = (0.01, 0.1, 1.0, 10.0)
CORRELATIONS: Final = (0.0, 0.5, 0.9)
TORCH_LINEAR: Final = (2.0 / (1.0 + 5.0)) ** 0.5
"""kaiming_uniform_ with a = √5: gain² = 2/(1 + a²); held against torch in the tests."""
SAME_GAIN: Final = 5e-3
"""σ_w this close, relatively, is a scheme's."""


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """What theory says of a deep net of one activation, one σ_w and one σ_b.

    field: the maps. q: second moment of the first pre-activations; depth, width: of
    the net. gains: at q = 1. points: all fixed points of V. settles: where V leads
    from q; 0, infinity, or NaN if nowhere. point: the fixed point there, or None.
    edges: the edge of chaos at this σ_b. trainable: 6·ξ layers, or infinity. schemes:
    those whose σ_w this is in a square layer. moments: start → q by layer, from the
    start on; gradients: E[δ_l²] relative to the last layer. correlations: start → c by
    layer, where second moments settle. rate: of 1 − c, on the edge of chaos.
    log_spread: Var[ln q] over draws of the weights behind the depth; None of a gate.
    """

    field: MeanField
    q: float
    depth: int
    width: int
    gains: Gains
    points: tuple[FixedPoint, ...]
    settles: float
    point: FixedPoint | None
    edges: tuple[EdgePoint, ...]
    trainable: float
    schemes: tuple[str, ...]
    moments: dict[float, tuple[float, ...]]
    gradients: tuple[float, ...]
    correlations: dict[float, tuple[float, ...]]
    rate: EdgeRate | None
    log_spread: float | None

    @property
    def phase(self) -> str:
        """Say "ordered", "chaotic", "edge of chaos", or what keeps it from a phase."""
        if self.point is not None:
            return self.point.phase
        return "without bound" if self.settles == inf else "without a fixed point"


def portrait(
    activation: str | ScalarFunction | Activation | Gate,
    *,
    sigma_w: float,
    sigma_b: float = 0.0,
    q: float = 1.0,
    depth: int = 50,
    width: int = 128,
) -> Portrait:
    """Work out all that mean field theory says of such a net.

    Args:
        activation: a name ("gelu", "leaky_relu(0.2)", "swiglu") or a function of
            float64 arrays.
        sigma_w: √(fan_in·Var[w]), > 0.
        sigma_b: standard deviation of the biases, ≥ 0.
        q: second moment of the first pre-activations, > 0.
        depth: layers that are followed, from 1 to 10,000.
        width: units a layer, for the spread over draws.

    Raises:
        UnknownNameError: if there is no activation of that name.
        ArgumentError: if a number is out of range, or the function does not run on
            arrays.

    >>> found = portrait("tanh", sigma_w=1.3, sigma_b=0.3)
    >>> found.phase, round(found.settles, 8), round(found.trainable)
    ('ordered', 0.60704679, 97)
    """
    _require_net(q, depth, width)
    field = MeanField.of(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    points = fixed_points(field)
    settles = settles_at(field, q)
    point = _point_at(points, settles)
    here = point if point is not None and 0.0 < settles < inf else None
    is_single = isinstance(field.nonlinearity, Activation)
    on_edge = here is not None and here.phase == "edge of chaos" and is_single
    return Portrait(
        field=field,
        q=q,
        depth=depth,
        width=width,
        gains=gains(field.nonlinearity),
        points=points,
        settles=settles,
        point=point,
        edges=edge_of_chaos(field.nonlinearity, sigma_b),
        trainable=trainable_depth(point) if point is not None else 0.0,
        schemes=schemes_of(sigma_w),
        moments={
            start: (start, *field.moments_by_layer(start, depth))
            for start in dict.fromkeys((*STARTS, q))
        },
        gradients=field.gradients_by_layer(q, depth),
        correlations={}
        if here is None
        else {
            start: (start, *correlation_map(field, settles).by_layer(start, depth))
            for start in CORRELATIONS
        },
        rate=edge_rate(field, settles) if on_edge else None,
        log_spread=moment_spread(field, q, width=width, depth=depth)
        if is_single and isfinite(field.moments_by_layer(q, depth)[-1])
        else None,
    )


def trainable_depth(point: FixedPoint) -> float:
    """Give 6·ξ with the shortest ξ of correlations and gradients: a guide, no law.

    Schoenholz et al. (2017) measured that nets train to about 6·ξ_c. The multiple
    depends on width, optimiser and patience: 4 to 10 have been seen.

    >>> from fanin.theory import MeanField, fixed_points
    >>> tanh = MeanField(function="tanh", weight_variance=1.69, bias_variance=0.09)
    >>> round(trainable_depth(fixed_points(tanh)[0]), 2)
    96.65
    """
    scales = (abs(point.correlation_scale), abs(point.gradient_scale))
    return TRAINABLE * min(scales)


def schemes_of(sigma_w: float) -> tuple[str, ...]:
    """Give what draws weights of this σ_w = √(n·Var[w]) in a square layer of n units.

    >>> schemes_of(2**0.5)[:2]
    ('he_normal', 'he_uniform')
    >>> schemes_of(3**-0.5)
    ('the default of torch.nn.Linear',)
    """
    few, many = Fan(n_in=100.0, n_out=100.0), Fan(n_in=400.0, n_out=400.0)
    known = {
        scheme.name: (100.0**0.5 * scheme.std(few), 400.0**0.5 * scheme.std(many))
        for scheme in SCHEMES.values()
        if scheme.law not in {"constant", "identity"}
    }
    known["the default of torch.nn.Linear"] = (TORCH_LINEAR, TORCH_LINEAR)
    return tuple(
        name
        for name, sides in known.items()
        if all(abs(side / sigma_w - 1.0) < SAME_GAIN for side in sides)
    )


def _point_at(points: tuple[FixedPoint, ...], settles: float) -> FixedPoint | None:
    near = [
        point for point in points
        if abs(point.q - settles) <= 1e-6 * max(point.q, 1e-9)
    ]  # fmt: skip
    if near:
        return near[0]
    keeps_all = len(points) == 1 and points[0].stability.name == "EVERYWHERE"
    return points[0] if keeps_all else None


def _require_net(q: float, depth: int, width: int) -> None:
    limits = (("q", q, 0.0, inf), ("depth", depth, 0, 10_001), ("width", width, 0, inf))
    for argument, value, low, high in limits:
        if not low < value < high:
            expected = f"above {low:g} and below {high:g}"
            raise ArgumentError.of(argument=argument, received=value, expected=expected)
