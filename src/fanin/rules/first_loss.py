"""The first loss in numbers: per sample, and what an ignorant predictor would get.

The losses are computed here again, in float64, from the model's output and the target.
A rule speaks only where that agrees with the loss the framework reported, so a loss
with label smoothing, class weights or another reduction is never judged by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, log
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.rules.inspection import Inspection

KINDS = {
    "cross_entropy": "cross_entropy",
    "CrossEntropyLoss": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "binary_cross_entropy": "binary_cross_entropy",
    "binary_cross_entropy_with_logits": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy",
    "mse": "mse",
    "mse_loss": "mse",
    "MSELoss": "mse",
}
# Agreement with the framework's own loss, in its float32 or bfloat16.
SAME_LOSS = 0.02
# As Keras clips probabilities before it takes their logarithm.
LEAST_SHARE = 1e-7


@dataclass(frozen=True, kw_only=True)
class FirstLoss:
    """The loss at the start.

    kind: "cross_entropy", "binary_cross_entropy" or "mse". per_sample: float64, nats
    or squared units, one for each prediction. n_classes: count (2 for binary, 0 for
    mse). shares: of each class among the targets; empty for mse. ignorant: the loss of
    the best constant prediction that knows nothing of the targets: ln K, ln 2; for
    mse, the targets' variance. output_std: of the logits or predictions. reads_shares:
    the outputs are probabilities, and the loss took them as such (Keras can).
    """

    kind: str
    per_sample: np.ndarray
    n_classes: int
    shares: np.ndarray
    ignorant: float
    output_std: float
    target_mean: float = 0.0
    reads_shares: bool = False

    @property
    def value(self) -> float:
        """Give the mean over samples."""
        return float(np.mean(self.per_sample))

    @property
    def error(self) -> float:
        """Give the standard error of the mean over samples."""
        n = max(self.per_sample.size, 1)
        return float(np.std(self.per_sample) / np.sqrt(n))

    @property
    def entropy(self) -> float:
        """Give the entropy of the targets' shares: −Σ p ln p, in nats."""
        p = self.shares[self.shares > 0.0]
        return float(-np.sum(p * np.log(p)))


def first_loss(inspection: Inspection) -> FirstLoss | None:
    """Compute the first loss, or None where it is of no known kind or disagrees."""
    measured, task = inspection.measured, inspection.task
    kind = KINDS.get(loss_name(task.loss))
    if kind is None or task.target is None or measured.loss is None:
        return None
    outputs = np.asarray(measured.outputs, dtype=np.float64)
    target = as_array(task.target)
    if (
        target is None
        or not np.all(np.isfinite(outputs))
        or not isfinite(measured.loss)
    ):
        return None
    compute = {
        "cross_entropy": _cross_entropy,
        "binary_cross_entropy": _binary_cross_entropy,
        "mse": _mean_square,
    }[kind]
    readings = [compute(outputs, target)]
    logits = _logits_of_shares(kind, outputs)
    if logits is not None:
        found = compute(logits, target)
        # First: where all shares are equal both readings agree, and nothing is wrong.
        readings.insert(0, found and replace(found, reads_shares=True))
    return _nearest(readings, measured.loss)


def _nearest(readings: list[FirstLoss | None], loss: float) -> FirstLoss | None:
    """Give the reading of the outputs that gives the loss that was measured."""
    known = [reading for reading in readings if reading is not None]
    if not known:
        return None
    best = min(known, key=lambda reading: abs(reading.value - loss))
    is_same = abs(best.value - loss) <= SAME_LOSS * abs(best.value)
    return best if is_same else None


def _logits_of_shares(kind: str, outputs: np.ndarray) -> np.ndarray | None:
    """Give the logits behind outputs that are probabilities already, else None.

    ln p are logits of a softmax that gave p, and ln(p/(1 − p)) of a sigmoid.
    """
    if outputs.size == 0 or outputs.min() < 0.0 or outputs.max() > 1.0:
        return None
    inside = np.clip(outputs, LEAST_SHARE, 1.0 - LEAST_SHARE)
    if kind == "binary_cross_entropy":
        return np.asarray(np.log(inside / (1.0 - inside)))
    if kind != "cross_entropy" or outputs.ndim < 2:
        return None
    sums = [outputs.sum(axis=axis) for axis in range(1, outputs.ndim)]
    is_share = any(np.allclose(total, 1.0, atol=1e-3) for total in sums)
    return np.asarray(np.log(inside)) if is_share else None


def loss_name(loss: object) -> str:
    """Give the name of a loss, a function or an object of a loss class."""
    if isinstance(loss, str):
        return loss
    name = getattr(loss, "__name__", None)
    return str(name) if name else type(loss).__name__


def as_array(target: object) -> np.ndarray | None:
    """Give a target as an array, or None where it is no plain array of numbers."""
    try:
        array = np.asarray(target)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "iufb" else None


def _cross_entropy(outputs: np.ndarray, target: np.ndarray) -> FirstLoss | None:
    axis = class_axis(outputs.shape, target)
    if axis is None:
        return None
    logits = np.moveaxis(outputs, axis, -1)
    n_classes = logits.shape[-1]
    logits = logits.reshape(-1, n_classes)
    if target.shape == outputs.shape:
        weights = np.moveaxis(target, axis, -1).reshape(-1, n_classes)
        picked = np.sum(weights * logits, axis=1)
        shares = weights.mean(axis=0, dtype=np.float64)
    else:
        labels = target.reshape(-1).astype(np.int64)
        if labels.min(initial=0) < 0 or labels.max(initial=0) >= n_classes:
            return None
        picked = logits[np.arange(len(labels)), labels]
        shares = np.bincount(labels, minlength=n_classes) / max(len(labels), 1)
    top = logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(logits - top), axis=1)) + top[:, 0]
    return FirstLoss(
        kind="cross_entropy",
        per_sample=log_sum - picked,
        n_classes=n_classes,
        shares=shares,
        ignorant=log(n_classes),
        output_std=float(np.mean(np.std(logits, axis=1))),
    )


def class_axis(shape: tuple[int, ...], target: np.ndarray) -> int | None:
    """Find the axis of the classes: the one that the target lacks.

    >>> class_axis((8, 5, 7), np.zeros((8, 7), dtype=int))
    1
    >>> class_axis((8, 7, 5), np.zeros((8, 7), dtype=int))
    2
    """
    if target.shape == shape:
        return 1 if len(shape) > 1 else None
    if target.shape == (*shape[:-1], 1):
        return len(shape) - 1
    fitting = [
        i for i in range(1, len(shape)) if shape[:i] + shape[i + 1 :] == target.shape
    ]
    return fitting[0] if fitting else None


def _binary_cross_entropy(outputs: np.ndarray, target: np.ndarray) -> FirstLoss | None:
    if outputs.size != target.size:
        return None
    logits, labels = outputs.reshape(-1), target.reshape(-1).astype(np.float64)
    losses = np.maximum(logits, 0.0) - logits * labels + np.log1p(np.exp(-abs(logits)))
    share = float(np.mean(labels))
    return FirstLoss(
        kind="binary_cross_entropy",
        per_sample=losses,
        n_classes=2,
        shares=np.array([1.0 - share, share]),
        ignorant=log(2.0),
        output_std=float(np.std(logits)),
    )


def _mean_square(outputs: np.ndarray, target: np.ndarray) -> FirstLoss | None:
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
