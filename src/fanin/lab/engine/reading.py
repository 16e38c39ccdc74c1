"""One moment of a net, layer by layer: sizes forward and back, units, histograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.lab.engine.functions import FUNCTIONS
from fanin.lab.engine.net import backward, cross_entropy, forward, largest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.lab.engine.draws import Weights
    from fanin.lab.engine.net import Backward, Forward
    from fanin.race.data import Dataset

N_PROBE: Final = 128
"""Training samples that are looked at, the first ones, the same at every moment."""
N_BINS: Final = 31
MOST_COUNTED: Final = 4096
"""Entries of a layer that a histogram counts, evenly spaced."""
REACH: Final = 3.0
"""A histogram reaches to so many root mean squares of the largest layer."""
FLAT: Final = 0.05
"""A slope below this share of the steepest is flat, as in `fanin.activations`."""
TINY: Final = 2.0**-30
"""Squares of numbers between this and its inverse keep all digits of float32."""
KINDS: Final = ("outputs", "activations", "gradients", "weights")


@dataclass(frozen=True, kw_only=True)
class Histograms:
    """Counts of one kind of number, a row a layer, over one span for all layers.

    reach: the span is (−reach, reach); what lies beyond stands in the outermost bins.
    """

    reach: float
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one run forward and back over the probe showed.

    By layer, the last being the output: rms of the outputs before φ; between, the root
    mean square of what differs between samples; likeness, the mean cosine between two
    samples; gradient_rms by outputs, weight_gradient_rms by weights; weight_rms. By
    hidden layer: dead, the share of units flat at every sample; flat, the share of all
    entries. loss: mean cross-entropy; accuracy: share of the probe classified rightly.
    """

    loss: float
    accuracy: float
    rms: tuple[float, ...]
    between: tuple[float, ...]
    likeness: tuple[float, ...]
    gradient_rms: tuple[float, ...]
    weight_gradient_rms: tuple[float, ...]
    weight_rms: tuple[float, ...]
    dead: tuple[float, ...]
    flat: tuple[float, ...]
    histograms: dict[str, Histograms]


def read(weights: Weights, data: Dataset, activation: str) -> Reading:
    """Run the probe forwards and backwards, and look.

    Args:
        weights: of every layer.
        data: its first `N_PROBE` training samples are the probe.
        activation: a key of `FUNCTIONS`.
    """
    x, targets = data.inputs[:N_PROBE], data.targets[:N_PROBE]
    run = forward(weights, x, activation)
    loss, gradient = cross_entropy(run.logits, targets)
    back = backward(weights, run, gradient, activation)
    right = run.logits.argmax(axis=1) == targets
    is_flat = [_is_flat(run, layer, activation) for layer in range(1, len(run.inputs))]
    return Reading(
        loss=loss,
        accuracy=float(right.mean()),
        rms=tuple(map(root_mean_square, run.outputs)),
        between=tuple(map(_between, run.outputs)),
        likeness=tuple(map(_likeness, run.outputs)),
        gradient_rms=tuple(map(root_mean_square, back.outputs)),
        weight_gradient_rms=tuple(map(root_mean_square, back.matrices)),
        weight_rms=tuple(map(root_mean_square, weights.matrices)),
        dead=tuple(float(flat.all(axis=0).mean()) for flat in is_flat),
        flat=tuple(float(flat.mean()) for flat in is_flat),
        histograms=_histograms(weights, run, back),
    )


def root_mean_square(values: np.ndarray) -> float:
    """Give √mean(x²), with no overflow or underflow on the way.

    >>> root_mean_square(np.array([3e-30, -4e-30], np.float32))
    3.535...e-30
    """
    largest = largest_of(values)
    if not 0.0 < largest < np.inf:
        return largest
    if TINY < largest < 1 / TINY:
        return float(np.sqrt(np.mean(values * values, dtype=np.float64)))
    shares = values / np.asarray(largest, dtype=values.dtype)
    return largest * float(np.sqrt(np.mean(shares * shares, dtype=np.float64)))


def _between(outputs: np.ndarray) -> float:
    """Give the root mean square of what is left without each unit's mean."""
    with np.errstate(all="ignore"):
        return root_mean_square(outputs - outputs.mean(axis=0, dtype=np.float64))


def _likeness(outputs: np.ndarray) -> float:
    """Give the mean cosine between two different samples; NaN where all are 0.

    The sum of all cosines is |Σ uᵢ|² for unit vectors u, so no pair is looked at.
    """
    wide = outputs.astype(np.float64)
    lengths = np.sqrt((wide * wide).sum(axis=1))
    is_there = (lengths > 0) & np.isfinite(lengths)
    n = int(is_there.sum())
    if n < 2:
        return float("nan")
    units = wide[is_there] / lengths[is_there, None]
    total = units.sum(axis=0)
    return float((total @ total - n) / (n * (n - 1)))


def _is_flat(run: Forward, layer: int, activation: str) -> np.ndarray:
    """Say of each sample and unit that feeds a layer whether φ is flat there."""
    with np.errstate(all="ignore"):
        slopes = FUNCTIONS[activation].slope(run.outputs[layer - 1], run.inputs[layer])
    return np.asarray(~(np.abs(slopes) >= FLAT * steepest(activation)))


def steepest(activation: str) -> float:
    """Give the largest |φ′| on (−4, 4).

    >>> steepest("sigmoid")
    0.25
    """
    z = np.linspace(-4.0, 4.0, 513)
    function = FUNCTIONS[activation]
    return float(np.abs(function.slope(z, function.value(z))).max())


def _histograms(
    weights: Weights, run: Forward, back: Backward
) -> dict[str, Histograms]:
    shown = (run.outputs, run.inputs[1:], back.outputs, weights.matrices)
    return {kind: _counted(a) for kind, a in zip(KINDS, shown, strict=True)}


def _counted(layers: Sequence[np.ndarray]) -> Histograms:
    samples = [_spaced(each) for each in layers]
    sizes = [root_mean_square(each) for each in samples]
    reach = REACH * max((size for size in sizes if np.isfinite(size)), default=0.0)
    if reach == 0.0:
        reach = 1.0
    return Histograms(
        reach=reach, counts=tuple(_counts(each, reach) for each in samples)
    )


def _spaced(values: np.ndarray) -> np.ndarray:
    flat = values.reshape(-1)
    return flat[:: max(1, -(-flat.size // MOST_COUNTED))]


def _counts(values: np.ndarray, reach: float) -> tuple[int, ...]:
    """Count values over (−reach, reach); NaN is left out."""
    places = (np.clip(values, -reach, reach) / reach + 1) * (N_BINS / 2)
    kept = places[~np.isnan(places)].astype(np.int64)
    found = np.bincount(np.minimum(kept, N_BINS - 1), minlength=N_BINS)
    return tuple(found.tolist())
