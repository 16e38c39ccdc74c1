"""What a region of primitives is: a normalization, a softmax, or neither.

If the result is the input, centred or not, times a number that makes its mean square 1
(or 1/n) whatever the input's scale, it is a normalization, however it was written; if
it is eˣ over its sum, or the logarithm of that, a softmax. Every formula for the same
function is found, and nothing that only looks like one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.graph.draft import Kind
from fanin.graph.simplify.layout import BATCH, UNIT, axis_of
from fanin.graph.simplify.trial import CannotEvaluateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.simplify.trial import Trial

LARGE: Final = 1e4  # beside which any eps in use vanishes
CLOSE: Final = 1e-4


def verdict(trial: Trial) -> dict[str, object] | None:
    """Give the fields of the one primitive that the region is, if it is one."""
    try:
        if not trial.region.parameters and _is_softmax(trial):
            settings = {"axis": trial.region.axes[0]}
            return {"kind": Kind.SOFTMAX, "settings": settings}
        return _normalization(trial)
    except CannotEvaluateError:
        return None


def _is_softmax(trial: Trial) -> bool:
    if len(trial.region.axes) != 1:
        return False
    axis = trial.region.axes[0]
    found = trial.evaluate(trial.input)
    powers = np.exp(trial.input)
    ratio = trial.shape[axis] / trial.input.shape[axis]
    expected = powers / powers.sum(axis, keepdims=True) / ratio
    return any(
        bool(np.allclose(shares, expected, rtol=CLOSE, atol=0.0))
        for shares in (found, np.exp(found))
    )


def _roles(trial: Trial) -> tuple[int | None, int | None, float]:
    """Tell the gain from the shift, and give the gain's offset.

    A shift s adds s. A gain g multiplies what is normalized by g + offset: 0 in most
    formulas, 1 where x̂ + g·x̂ is written.
    """
    effects = {p: _effect(trial, p) for p in trial.region.parameters}
    biases = [p for p, (_, more) in effects.items() if np.allclose(more, 1.0)]
    scales = [p for p in effects if p not in biases]
    if len(scales) > 1 or len(biases) > 1:
        raise CannotEvaluateError
    bias = biases[0] if biases else None
    if not scales:
        return None, bias, 0.0
    none, more = _effect(trial, scales[0], {} if bias is None else {bias: 0.0})
    offset = float(np.sum(none * more) / max(np.sum(more * more), 1e-300))
    if not np.allclose(none, offset * more, rtol=CLOSE, atol=1e-9):
        raise CannotEvaluateError
    return scales[0], bias, round(offset, 9) + 0.0


def _effect(
    trial: Trial, parameter: int, held: Mapping[int, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Give the result at 0 of a parameter, and what 1 adds to it."""
    none = trial.evaluate(trial.input, {**(held or {}), parameter: 0.0})
    one = trial.evaluate(trial.input, {**(held or {}), parameter: 1.0})
    return none, one - none


def _normalization(trial: Trial) -> dict[str, object] | None:
    scale, bias, offset = _roles(trial)
    held = {} if bias is None else {bias: 0.0}
    if scale is not None:
        held[scale] = 1.0 - offset
    found = trial.evaluate(trial.input * LARGE, held)
    if trial.n_normalized < 2 or not np.all(np.isfinite(found)):
        return None
    is_centred = np.allclose(np.mean(found, axis=trial.region.axes), 0.0, atol=CLOSE)
    norm = _norm(trial, found, is_centred=is_centred)
    if norm is None or not _is_input(trial, found, norm[1], is_centred=is_centred):
        return None
    moved = trial.input * (2.0 * LARGE) + (LARGE if is_centred else 0.0)
    again = trial.evaluate(moved, held)
    if not np.allclose(found, again, rtol=CLOSE, atol=CLOSE * norm[1]):
        return None
    # A row in which one entry dominates has length 1 as well: eˣ⁻ᵐᵃˣ, say. No norm
    # has a preferred sign.
    opposite = trial.evaluate(-trial.input * LARGE, held)
    if not np.allclose(opposite, -found, rtol=CLOSE, atol=CLOSE * norm[1]):
        return None
    kind = norm[0] or _kind(trial, is_centred=is_centred)
    details: dict[str, object] = {
        "kind": kind,
        "eps": 0.0 if norm[0] else _eps(trial, held, is_centred=is_centred),
        "axes": trial.region.axes,
        "is_identity": False,
    }
    if norm[0]:
        details["n_normalized"] = trial.n_normalized
    if offset:
        details["gain_offset"] = offset
    settings = {"details": details, "scale": scale, "bias": bias}
    return {"kind": Kind.NORMALIZE, "settings": settings}


def _is_input(
    trial: Trial, found: np.ndarray, size: float, *, is_centred: bool
) -> bool:
    """Say whether the result is the input times one number, where it is normalized."""
    axes = trial.region.axes
    x = trial.input - (trial.input.mean(axes, keepdims=True) if is_centred else 0.0)
    length = np.sum(x * x, axis=axes, keepdims=True)
    factor = np.sum(found * x, axis=axes, keepdims=True) / length
    return bool(np.allclose(found, factor * x, rtol=CLOSE, atol=CLOSE * size))


def _norm(
    trial: Trial, found: np.ndarray, *, is_centred: bool
) -> tuple[str, float] | None:
    """Say which norm is 1: "" for the mean square, "l2", "l1"; and the usual size.

    With the unbiased variance the mean square is 1 − 1/n.
    """
    axes, n = trial.region.axes, trial.n_normalized
    second_moment = np.mean(found**2, axis=axes)
    if np.allclose(second_moment, 1.0, rtol=CLOSE):
        return "", 1.0
    if is_centred:
        is_unbiased = np.allclose(second_moment, 1.0 - 1.0 / n, rtol=CLOSE)
        return ("", 1.0) if is_unbiased else None
    if np.allclose(second_moment * n, 1.0, rtol=CLOSE):
        return "l2", n**-0.5
    if np.allclose(np.abs(np.mean(np.abs(found), axis=axes)) * n, 1.0, rtol=CLOSE):
        return "l1", 1.0 / n
    return None


def _kind(trial: Trial, *, is_centred: bool) -> str:
    layout, axes = trial.facts[trial.region.entry].layout, trial.region.axes
    if axis_of(layout, BATCH) in axes:
        return "batch"
    if not is_centred:
        return "rms"
    with_units = {
        i for i, axis in enumerate(layout) if any(a.tag == UNIT for a in axis)
    }
    inside = {i for i in with_units if i in axes}
    if inside != with_units:
        return "group" if inside else "instance"
    return "layer"


def _eps(trial: Trial, held: Mapping[int, float], *, is_centred: bool) -> float:
    """Solve r² = t²v/(t²v + eps) for eps, at a scale t where r² is not near 1.

    Where eps is added to the root instead, no one number fits every scale; then it is
    that which fits at variance 1.
    """
    axes = trial.region.axes
    values = trial.input - (trial.input.mean(axes, keepdims=True) if is_centred else 0)
    power = float(np.mean(values**2, axis=axes).flat[0])
    whole = _share(trial, held, LARGE)
    for exponent in range(21):
        small = 10.0 ** (-exponent / 2)
        share = _share(trial, held, small) / whole
        if share < 0.9:
            eps = small**2 * power * (1.0 / share - 1.0)
            at_larger = _share(trial, held, 10.0 * small) / whole
            lost = eps / (100.0 * small**2 * power + eps)
            if abs(at_larger - (1.0 - lost)) > 0.1 * lost + 1e-7:
                eps = whole / _share(trial, held, power**-0.5) - 1.0
            return float(f"{eps:.3g}")
    return 0.0


def _share(trial: Trial, held: Mapping[int, float], size: float) -> float:
    found = trial.evaluate(trial.input * size, held)
    return float(np.mean(found**2, axis=trial.region.axes).flat[0])
