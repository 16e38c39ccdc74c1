"""The parts of the lesson, from the numbers of a `Portrait`."""

from __future__ import annotations

from math import exp, inf
from typing import TYPE_CHECKING

from fanin.activations import Gate
from fanin.derivation.records import Formula
from fanin.report.theory.part import Part, Table
from fanin.report.theory.words import exact, layers, listed, short

if TYPE_CHECKING:
    from fanin.theory import EdgePoint, FixedPoint, Portrait

MAP = Formula(
    text="V(q) = σ_w²·E[φ(√q·z)²] + σ_b²,  z ~ N(0, 1)",
    latex=r"V(q) = \sigma_w^2\,E[\varphi(\sqrt{q}\,z)^2] + \sigma_b^2",
)
GATED = Formula(
    text="V(q) = σ_w²·q·E[φ(√q·z)²] + σ_b²,  of φ(a)·b",
    latex=r"V(q) = \sigma_w^2\,q\,E[\varphi(\sqrt{q}\,z)^2] + \sigma_b^2",
)
CORRELATION = Formula(
    text="C(c) = (σ_w²·E[φ(u₁)φ(u₂)] + σ_b²)/q*",
    latex=r"C(c) = \frac{\sigma_w^2\,E[\varphi(u_1)\,\varphi(u_2)] + \sigma_b^2}{q^*}",
)
GROWTH = Formula(
    text="χ₁ = σ_w²·E[φ′(√q*·z)²] = C′(1)",
    latex=r"\chi_1 = \sigma_w^2\,E[\varphi'(\sqrt{q^*}\,z)^2] = C'(1)",
)
EDGE = Formula(
    text="σ_w² = 1/E[φ′(√q·z)²],  σ_b² = q − σ_w²·E[φ(√q·z)²]",
    latex=r"\sigma_w^2 = \frac{1}{E[\varphi'(\sqrt{q}\,z)^2]}, \quad "
    r"\sigma_b^2 = q - \sigma_w^2\,E[\varphi(\sqrt{q}\,z)^2]",
)
SCALES = Formula(
    text="1/ξ_q = −ln|V′(q*)|,  1/ξ_c = −ln C′(c*),  1/ξ_∇ = −ln χ₁",
    latex=r"\xi_q^{-1} = -\ln|V'(q^*)|, \quad \xi_c^{-1} = -\ln C'(c^*), \quad "
    r"\xi_\nabla^{-1} = -\ln\chi_1",
)
UNKNOWN = (
    "Width is taken as infinite: a real net strays from this by about depth/width.",
    "It speaks of weights at the start. Training leaves it, sooner at a large rate.",
    (
        "Dense layers without residual streams, normalization, attention or dropout: "
        "for a model with those, fanin.plan and fanin.theory.predict follow its graph."
    ),
    "It says what can pass through depth, not what generalizes.",
)


def parts_of(portrait: Portrait) -> tuple[Part, ...]:
    """Give all parts, in the order of a lesson."""
    return (
        _moments(portrait),
        _correlations(portrait),
        _gradients(portrait),
        _edge(portrait),
        _gains(portrait),
        _width(portrait),
        Part(title="What this does not know", text=UNKNOWN),
    )


def _moments(portrait: Portrait) -> Part:
    rows = tuple(
        (exact(p.q), exact(p.slope), p.stability.value, exact(p.growth), p.phase)
        for p in portrait.points
    )
    head = ("q*", "V′(q*)", "second moments near it", "χ₁", "phase")
    last = portrait.moments[portrait.q][-1]
    text = [
        f"From q = {short(portrait.q)}, after {portrait.depth} layers: {short(last)}."
    ]
    if not rows:
        text.insert(0, "V has no fixed point between 10⁻⁸ and 10⁶.")
    elif any(not p.attracts for p in portrait.points):
        text.append(
            "A fixed point that repels is never reached: what starts below it falls "
            "away, what starts above it grows, at V′ a layer."
        )
    is_gate = isinstance(portrait.field.nonlinearity, Gate)
    return Part(
        title="Second moments",
        formulas=(GATED if is_gate else MAP,),
        table=Table(head=head, rows=rows) if rows else None,
        text=tuple(text),
    )


def _correlations(portrait: Portrait) -> Part:
    point = portrait.point
    text: tuple[str, ...]
    if point is None or point.q == 0.0 or not portrait.correlations:
        text = (
            (
                "There is no fixed point above 0 to look from. At q* = 0 correlations "
                "change by a power law of depth, or not at all."
            ),
        )
        return Part(title="Correlations of two inputs", text=text)
    text = (
        (
            f"Correlations tend to c* = {exact(point.correlation)}; the distance to it "
            f"{layers(point.correlation_scale)}."
        ),
    )
    if portrait.rate is not None and portrait.rate.coefficient < inf:
        power = "l²" if portrait.rate.power == 2 else "l"
        text += (
            (
                f"On the edge 1 − c falls as {short(portrait.rate.coefficient)}/"
                f"{power} with depth l (Hayou et al. 2019)."
            ),
        )
    starts = tuple(
        (short(start), short(cs[1]), short(cs[-1]))
        for start, cs in portrait.correlations.items()
    )
    head = ("c of two inputs", "after 1 layer", f"after {portrait.depth}")
    return Part(
        title="Correlations of two inputs",
        formulas=(CORRELATION,),
        table=Table(head=head, rows=starts),
        text=text,
    )


def _gradients(portrait: Portrait) -> Part:
    point = portrait.point
    rows = _scales(point) if point is not None else ()
    text = (_first_gradient(portrait), _guide(portrait))
    return Part(
        title="Gradients and depth",
        formulas=(GROWTH, SCALES),
        table=Table(head=("scale", "layers", "in words"), rows=rows) if rows else None,
        text=text,
    )


def _scales(point: FixedPoint) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (name, exact(scale), layers(scale))
        for name, scale in (
            ("ξ_q, of a second moment", point.moment_scale),
            ("ξ_c, of a correlation", point.correlation_scale),
            ("ξ_∇, of squared gradients", point.gradient_scale),
        )
    )


def _first_gradient(portrait: Portrait) -> str:
    ratio = portrait.gradients[0]
    if ratio == inf and portrait.gains.derivative_second_moment == inf:
        return (
            "φ jumps, so χ₁ is infinite: inputs part at each jump. The gradient that a "
            "framework computes does not see the jump; where φ is flat it is 0."
        )
    return (
        f"From q = {short(portrait.q)}, the squared gradient at layer 1 is "
        f"{short(ratio)} times that at layer {portrait.depth}."
    )


def _guide(portrait: Portrait) -> str:
    if portrait.point is None:
        return "Without a fixed point no depth scale is defined."
    if portrait.trainable == inf:
        return (
            "Both scales are infinite: no exponential limits depth (the guide of 6·ξ, "
            "Schoenholz et al. 2017, says nothing here). Finite width still does."
        )
    depth = portrait.trainable
    here = short(depth) if depth >= 1.0 else "less than one layer"
    return (
        f"Guide: nets train up to about 6·ξ layers, here {here} "
        "(Schoenholz et al. 2017). A guide and no law: 4·ξ to 10·ξ have been seen, by "
        "width, optimiser and patience."
    )


def _edge(portrait: Portrait) -> Part:
    b = short(portrait.field.bias_variance**0.5)
    rows = tuple(_edge_row(edge) for edge in portrait.edges)
    text: tuple[str, ...] = (f"The points of the edge at σ_b = {b}.",)
    if not rows:
        text = (f"At σ_b = {b} there is no σ_w with χ₁ = 1 at a fixed point.",)
    elif any(not edge.attracts for edge in portrait.edges):
        text += (
            (
                "χ₁ = 1 is not enough: where V′ > 1 the point repels, and no deep net "
                "of this start stays on it."
            ),
        )
    head = ("σ_w", "σ_w²", "q*", "V′(q*)", "second moments near it")
    return Part(
        title="The edge of chaos",
        formulas=(EDGE,),
        table=Table(head=head, rows=rows) if rows else None,
        text=text,
    )


def _edge_row(edge: EdgePoint) -> tuple[str, ...]:
    return (
        exact(edge.sigma_w),
        exact(edge.weight_variance),
        "0, the limit" if edge.q == 0.0 else exact(edge.q),
        exact(edge.slope),
        edge.stability.value,
    )


def _gains(portrait: Portrait) -> Part:
    found = portrait.gains
    rows = (
        ("E[φ]", exact(found.mean)),
        ("E[φ²]", exact(found.second_moment)),
        ("E[φ′²]", exact(found.derivative_second_moment)),
        ("forward gain 1/√E[φ²]", exact(found.forward)),
        ("backward gain 1/√E[φ′²]", exact(found.backward)),
        ("V′(1) at the forward gain", exact(found.slope)),
        ("χ at the forward gain", exact(found.growth)),
        ("error of the moments, at most", short(found.error)),
    )
    w = short(portrait.field.weight_variance**0.5)
    known = (
        f"In a square layer σ_w = {w} is {listed(portrait.schemes)}."
        if portrait.schemes
        else f"σ_w = {w} is no named scheme's in a square layer."
    )
    text = (
        (
            f"{known} Var[w] = σ_w²/fan_in = "
            f"{short(portrait.field.weight_variance)}/fan_in."
        ),
    )
    return Part(
        title="Gains and schemes",
        table=Table(head=("under N(0, 1)", "value"), rows=rows),
        text=text,
    )


def _width(portrait: Portrait) -> Part:
    if portrait.log_spread is None:
        text = "No spread is given for this net."
    else:
        factor = short(exp(min(portrait.log_spread, 700.0)))
        text = (
            f"Behind {portrait.depth} layers of {portrait.width} units, E[q²] over "
            f"draws of the weights is {factor} times E[q]². Each layer adds "
            "ln(1 + (κ − 1)/n), κ = E[φ⁴]/E[φ²]²; of ReLU 1 + 5/n (Hanin & Rolnick "
            "2018)."
        )
    return Part(title="Finite width", text=(text,))
