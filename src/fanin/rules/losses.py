"""Losses computed again, in float64, one number a prediction.

Weights of classes, label smoothing, labels that are passed over and weights of
positives are read off the loss where it is an object that has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

# PyTorch's label for "no target here", in losses that were not told another.
IGNORED: Final = -100


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a loss was told.

    smoothing: share of each target that is spread over all classes, in [0, 1).
    class_weights: by class, or None. positive_weight: of positives in binary entropy.
    ignored: the label that is passed over.
    """

    smoothing: float = 0.0
    class_weights: np.ndarray | None = None
    positive_weight: np.ndarray | None = None
    ignored: int = IGNORED


@dataclass(frozen=True, kw_only=True)
class FirstLoss:
    """The loss at the start.

    kind: "cross_entropy", "binary_cross_entropy" or "mse". per_sample: float64, nats
    or squared units, one for each prediction. weights: of each prediction in the mean,
    None for equal ones. n_classes: count (2 for binary, 0 for mse). shares: of each
    class among the targets, weighted and smoothed as the loss does; empty for mse.
    ignorant: what knowing nothing costs: ln K, ln 2; for mse, the targets' variance.
    factor: by which weights raise that, where they are not divided by. output_std: of
    the logits or predictions. reads_shares: the outputs are probabilities, and the loss
    took them as such (Keras can). is_sum: the loss adds predictions up where others
    take the mean.
    """

    kind: str
    per_sample: np.ndarray
    n_classes: int
    shares: np.ndarray
    ignorant: float
    output_std: float
    target_mean: float = 0.0
    weights: np.ndarray | None = None
    factor: float = 1.0
    reads_shares: bool = False
    is_sum: bool = False

    @property
    def value(self) -> float:
        """Give the mean over samples."""
        return float(np.average(self.per_sample, weights=self.weights))

    @property
    def total(self) -> float:
        """Give the sum over samples, as ``reduction="sum"`` does."""
        weights = 1.0 if self.weights is None else self.weights
        return float(np.sum(self.per_sample * weights))

    @property
    def error(self) -> float:
        """Give the standard error of the mean over samples."""
        n = max(self.per_sample.size, 1)
        return float(np.std(self.per_sample) / np.sqrt(n))

    @property
    def entropy(self) -> float:
        """Give the least that a constant prediction costs: −Σ p ln p, in nats."""
        p = self.shares[self.shares > 0.0]
        return self.factor * float(-np.sum(p * np.log(p)))


def cross_entropy(
    outputs: np.ndarray, target: np.ndarray, options: Options
) -> FirstLoss | None:
    """Compute −Σ t ln softmax(z), weighted and smoothed as PyTorch defines it.

    The uniform prediction costs ln K under weights or smoothing; under both PyTorch
    weights what smoothing spreads and does not divide by it: `factor` is not 1 there.
    """
    axis = class_axis(outputs.shape, target)
    if axis is None:
        return None
    logits = np.moveaxis(outputs, axis, -1)
    n_classes = logits.shape[-1]
    logits = logits.reshape(-1, n_classes)
    if target.shape == outputs.shape:
        shares = np.moveaxis(target, axis, -1).reshape(-1, n_classes)
        return _of_shares(logits, shares.astype(np.float64), options)
    labels = target.reshape(-1).astype(np.int64)
    is_counted = labels != options.ignored
    if not np.all(is_counted):
        logits, labels = logits[is_counted], labels[is_counted]
    is_fitting = labels.size and labels.min() >= 0 and labels.max() < n_classes
    return _of_labels(logits, labels, options) if is_fitting else None


def _of_labels(
    logits: np.ndarray, labels: np.ndarray, options: Options
) -> FirstLoss | None:
    """Cross-entropy of class numbers: logits "n n_classes", labels "n"."""
    n_classes = logits.shape[1]
    costs = options.class_weights
    if costs is not None and (costs.shape != (n_classes,) or costs.min() <= 0.0):
        return None
    log_sum = _log_sum(logits)
    losses = log_sum - logits[np.arange(len(labels)), labels]
    weights = None if costs is None else costs[labels].astype(np.float64)
    share = options.smoothing
    each = np.ones(n_classes) if costs is None else costs.astype(np.float64)
    if share > 0.0:
        spread = (log_sum * each.sum() - logits @ each) / n_classes
        own = 1.0 if weights is None else weights
        losses = (1.0 - share) * losses + share * spread / own
    counts = np.bincount(labels, weights=weights, minlength=n_classes)
    masses = (1.0 - share) * counts + share * each * len(labels) / n_classes
    factor = float(masses.sum() / counts.sum())
    return FirstLoss(
        kind="cross_entropy",
        per_sample=losses,
        weights=weights,
        n_classes=n_classes,
        shares=masses / masses.sum(),
        ignorant=factor * log(n_classes),
        factor=factor,
        output_std=float(np.mean(np.std(logits, axis=1))),
    )


def _of_shares(
    logits: np.ndarray, target: np.ndarray, options: Options
) -> FirstLoss | None:
    """Cross-entropy of distributions over classes, both "n n_classes"."""
    if options.class_weights is not None:
        return None  # PyTorch does not divide by them here
    n_classes = logits.shape[1]
    share = options.smoothing
    smooth = (1.0 - share) * target + share / n_classes if share > 0.0 else target
    return FirstLoss(
        kind="cross_entropy",
        per_sample=_log_sum(logits) * smooth.sum(axis=1)
        - np.einsum("nk,nk->n", smooth, logits),
        n_classes=n_classes,
        shares=smooth.mean(axis=0),
        ignorant=log(n_classes),
        output_std=float(np.mean(np.std(logits, axis=1))),
    )


def _log_sum(logits: np.ndarray) -> np.ndarray:
    """Give ln Σ exp(z) of each row, without overflow."""
    top = logits.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.sum(np.exp(logits - top), axis=1)) + top[:, 0])


def class_axis(shape: tuple[int, ...], target: np.ndarray) -> int | None:
    """Find the axis of the classes: the one that the target lacks.

    A target in one row has the samples and positions in order, the classes last.

    >>> class_axis((8, 5, 7), np.zeros((8, 7), dtype=int))
    1
    >>> class_axis((8, 7, 5), np.zeros((8, 7), dtype=int))
    2
    >>> class_axis((8, 7, 5), np.zeros(56, dtype=int))
    2
    """
    if target.shape == shape:
        return 1 if len(shape) > 1 else None
    if target.shape == (*shape[:-1], 1):
        return len(shape) - 1
    fitting = [
        i for i in range(1, len(shape)) if shape[:i] + shape[i + 1 :] == target.shape
    ]
    if fitting:
        return fitting[0]
    is_row = target.ndim == 1 and len(shape) > 2
    return len(shape) - 1 if is_row and target.size == np.prod(shape[:-1]) else None


def binary_cross_entropy(
    outputs: np.ndarray, target: np.ndarray, options: Options
) -> FirstLoss | None:
    """Compute −c·y ln σ(z) − (1 − y) ln(1 − σ(z)), c being the weight of positives."""
    if outputs.size != target.size:
        return None
    labels = target.reshape(outputs.shape).astype(np.float64)
    half = options.smoothing / 2.0
    labels = labels * (1.0 - options.smoothing) + half
    cost = 1.0 if options.positive_weight is None else options.positive_weight
    try:
        positive = np.broadcast_to(cost, outputs.shape) * labels
    except ValueError:
        return None
    # ln(1 + e^z), without overflow
    above = np.maximum(outputs, 0.0) + np.log1p(np.exp(-np.abs(outputs)))
    losses = positive * (above - outputs) + (1.0 - labels) * above
    factor = float(np.mean(positive + 1.0 - labels))
    share = float(np.mean(positive)) / factor if factor > 0.0 else 0.0
    return FirstLoss(
        kind="binary_cross_entropy",
        per_sample=losses.reshape(-1),
        n_classes=2,
        shares=np.array([1.0 - share, share]),
        ignorant=factor * log(2.0),
        factor=factor,
        output_std=float(np.std(outputs)),
    )


def mean_square(
    outputs: np.ndarray, target: np.ndarray, options: Options
) -> FirstLoss | None:
    """Compute (z − y)²; knowing nothing costs the variance of y."""
    del options
    if outputs.size != target.size:
        return None
    wanted = target.reshape(outputs.shape).astype(np.float64)
    return FirstLoss(
        kind="mse",
        per_sample=np.square(outputs - wanted).reshape(-1),
        n_classes=0,
        shares=np.zeros(0),
        ignorant=float(np.mean(np.var(wanted, axis=0))),
        output_std=float(np.std(outputs)),
        target_mean=float(np.mean(wanted)),
    )


LOSSES: Final = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "mse": mean_square,
}
