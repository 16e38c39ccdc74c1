"""The first loss in numbers: per sample, and what an ignorant predictor would get.

The losses are computed here again, in float64, from the model's output and the target.
A rule speaks only where that agrees with the loss the framework reported, so a loss
with further terms is never judged by mistake. A loss of unknown name, as a lambda is,
is known by its value: what gives the same number to a thousandth is the same loss.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fanin.rules.losses import IGNORED, LOSSES, FirstLoss, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.rules.inspection import Inspection

KINDS: Final = {
    "cross_entropy": "cross_entropy",
    "CrossEntropyLoss": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "SparseCategoricalCrossentropy": "cross_entropy",
    "CategoricalCrossentropy": "cross_entropy",
    "binary_cross_entropy": "binary_cross_entropy",
    "binary_cross_entropy_with_logits": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy",
    "BinaryCrossentropy": "binary_cross_entropy",
    "mse": "mse",
    "mse_loss": "mse",
    "MSELoss": "mse",
    "MeanSquaredError": "mse",
}
# Agreement with the framework's own loss, in its float32 or bfloat16.
SAME_LOSS = 0.02
# Where nothing but the value tells what the loss is.
SAME_VALUE = 1e-3
# As Keras clips probabilities before it takes their logarithm.
LEAST_SHARE = 1e-7


def first_loss(inspection: Inspection) -> FirstLoss | None:
    """Give the first loss, or None where it is of no known kind or disagrees.

    It is computed once and kept with the inspection, as its cached properties are.
    """
    kept = vars(inspection)
    if "first_loss" not in kept:
        kept["first_loss"] = _computed(inspection)
    found: FirstLoss | None = kept["first_loss"]
    return found


def _computed(inspection: Inspection) -> FirstLoss | None:
    measured, task = inspection.measured, inspection.task
    if task.target is None or measured.loss is None or task.objective is not None:
        return None
    outputs = np.asarray(measured.outputs, dtype=np.float64)
    target = as_array(task.target)
    is_known = target is not None and outputs.size and np.all(np.isfinite(outputs))
    if target is None or not is_known or not isfinite(measured.loss):
        return None
    kind = KINDS.get(loss_name(task.loss))
    options = options_of(task.loss)
    if kind is not None:
        readings = _readings(kind, outputs, target, options)
        return _nearest(list(readings), measured.loss, SAME_LOSS)
    every = [
        reading
        for one in LOSSES
        for y, t in _shifts(outputs, target)
        for reading in _readings(one, y, t, options)
    ]
    return _nearest(every, measured.loss, SAME_VALUE)


def _readings(
    kind: str, outputs: np.ndarray, target: np.ndarray, options: Options
) -> Iterator[FirstLoss]:
    """Give what the loss may be, probabilities first.

    Where all shares are equal both readings agree, and nothing is wrong.
    """
    logits = _logits_of_shares(kind, outputs)
    if logits is not None:
        found = LOSSES[kind](logits, target, options)
        if found is not None:
            yield replace(found, reads_shares=True)
    found = LOSSES[kind](outputs, target, options)
    if found is not None:
        yield found


def _shifts(
    outputs: np.ndarray, target: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give outputs and targets as they are, and as a next-word loss pairs them."""
    yield outputs, target
    is_sequence = outputs.ndim == 3 and target.ndim == 2 and outputs.shape[1] > 1
    if is_sequence and target.shape == outputs.shape[:2]:
        yield outputs[:, :-1], target[:, 1:]
    if is_sequence and target.shape[1] == outputs.shape[1] - 1:
        yield outputs[:, :-1], target


def _nearest(readings: list[FirstLoss], loss: float, most: float) -> FirstLoss | None:
    """Give the reading of the outputs that gives the loss that was measured."""
    sums = [
        replace(r, is_sum=True) for r in readings if not r.reads_shares and _is_many(r)
    ]
    both = [(r.value, r) for r in readings] + [(r.total, r) for r in sums]
    if not both:
        return None
    value, best = min(both, key=lambda pair: abs(pair[0] - loss))
    return best if abs(value - loss) <= most * abs(value) else None


def _is_many(reading: FirstLoss) -> bool:
    return reading.per_sample.size > 1


def options_of(loss: object) -> Options:
    """Read what a loss object was told; the defaults for anything else.

    >>> options_of("cross_entropy").ignored
    -100
    """
    if isinstance(loss, str) or loss is None:
        return Options()
    told: dict[str, Any] = {**getattr(loss, "_fn_kwargs", {}), **_numbers_of(loss)}
    ignored = told.get("ignore_index", told.get("ignore_class"))
    return Options(
        smoothing=float(told.get("label_smoothing") or 0.0),
        class_weights=as_array(told.get("weight")),
        positive_weight=as_array(told.get("pos_weight")),
        ignored=IGNORED if ignored is None else int(ignored),
    )


def _numbers_of(loss: object) -> dict[str, Any]:
    """Give the settings that losses of PyTorch and Keras keep as attributes."""
    names = ("label_smoothing", "weight", "pos_weight", "ignore_index", "ignore_class")
    found = {name: getattr(loss, name, None) for name in names}
    return {name: value for name, value in found.items() if value is not None}


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
    if target is None:
        return None
    try:
        array = np.asarray(
            target.detach().cpu() if hasattr(target, "detach") else target
        )
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "iufb" else None
