"""What a study showed, in sentences made from its numbers."""

from __future__ import annotations

from math import isfinite, log2
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.race.studies import DepthMap, Widths


def depth_sentences(found: DepthMap) -> list[str]:
    """Say how often theory was right, and what trained deepest."""
    study = found.study
    n = found.trained.size
    best = max(found.deepest)
    which = [
        f"{sigma:g}"
        for sigma, depth in zip(study.sigmas, found.deepest, strict=True)
        if depth == best
    ]
    reach = f"at σ_w = {', '.join(which)}"
    foretold = (
        f"6ξ foretells for {found.n_as_expected} of {n} nets whether they train "
        f"(accuracy above {found.level:.2f})."
    )
    deepest = f"The deepest that trained have {best} hidden layers, {reach}."
    lines = [foretold, deepest if best else "None trained."]
    wrong = found.trained & ~found.expected
    missed = found.expected & ~found.trained
    if wrong.any():
        lines.append(
            f"{int(wrong.sum())} trained although they are deeper than 6ξ: the limit "
            "is a guide, which width, learning rate and patience move."
        )
    if missed.any():
        lines.append(f"{int(missed.sum())} did not train although 6ξ allows it.")
    return lines


def width_sentences(found: Widths) -> list[str]:
    """Say how sizes go with the width, and whether the best rate does."""
    study = found.study
    lines = []
    for policy in study.policies:
        worst = found.worst(policy)
        slope = found.change_slope(policy, worst)
        error = f" ± {slope.error:.2f}" if isfinite(slope.error) else ""
        verdict = (
            "every layer learns at one pace, whatever the width"
            if abs(slope.mean) < 0.25
            else "the wider, the faster it moves"
            if slope.mean > 0
            else "the wider, the slower it moves"
        )
        lines.append(
            f"{policy}: what {study.n_steps} steps change goes at most as "
            f"width^{_power(slope.mean)}{error} (in {worst}): {verdict}."
        )
        if study.rates:
            lines.append(_transfer(found, policy))
    return lines


def _transfer(found: Widths, policy: str) -> str:
    best = found.best_rates(policy)
    own, carried = found.cost_of_transfer(policy)
    widths = found.study.widths
    if not (isfinite(best[0]) and isfinite(best[-1])):
        return f"{policy}: at some width every learning rate of the grid diverges."
    octaves = log2(best[-1] / best[0])
    moved = (
        "is the same"
        if abs(octaves) < 0.5
        else f"moves by a factor of {best[-1] / best[0]:.3g}"
    )
    return (
        f"{policy}: from width {widths[0]} to {widths[-1]} the best learning rate "
        f"{moved} ({best[0]:.3g} to {best[-1]:.3g}); the widest net has loss "
        f"{_loss(own)} at its own and {_loss(carried)} at the narrowest's."
    )


def _power(value: float) -> str:
    """Give an exponent with two decimals; what rounds to 0 has no sign."""
    return f"{round(value, 2) + 0.0:.2f}"


def _loss(value: float) -> str:
    return f"{value:.3g}" if isfinite(value) else "none (it diverges)"
