"""The density of a scheme as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.schemes.as_text import EXAMPLE
from fanin.report.schemes.curve import curve_of
from fanin.report.svg.axes import Frame
from fanin.report.svg.lines import Line, line_chart
from fanin.report.svg.style import style_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.fans import Fan
    from fanin.schemes.scheme import Scheme

N_POINTS = 241


def density_chart(schemes: Sequence[Scheme], fan: Fan[float] = EXAMPLE) -> str:
    """Draw the densities of one entry, one curve a scheme, over each other.

    Args:
        schemes: those with a density; constants and identities are points and show
            as nothing.
        fan: the fans of the layer, > 0.
    """
    curves = [curve_of(scheme, fan, N_POINTS) for scheme in schemes]
    lines = [
        Line(
            label=scheme.spec,
            x=curve.weights,
            y=curve.heights,
            style=style_of(number),
            marks="none",
        )
        for number, (scheme, curve) in enumerate(zip(schemes, curves, strict=True))
    ]
    names = ", ".join(scheme.spec for scheme in schemes)
    frame = Frame(
        title=f"Density of a weight, fan_in {fan.n_in:g}, fan_out {fan.n_out:g}",
        description=f"Probability density of one weight under {names}.",
        x_label="weight",
        y_label="density",
    )
    return line_chart(lines, frame)
