"""What the nets of a cohort show before their first step, measured in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.gradients import gradients
from fanin.frameworks.keras.stacked import build_probe, member_losses
from fanin.graph.cohort import StartProfile
from fanin.graph.task import Task

if TYPE_CHECKING:
    from fanin.graph.cohort import Cohort

MOST_SAMPLES = 512  # of each hidden layer, kept for histograms


def start_profiles(cohort: Cohort) -> list[StartProfile]:
    """Run the probe forward and backward once, before any update."""
    n_samples = len(cohort.probe)
    probe = build_probe(cohort, n_samples)
    every = [cohort.n_members]
    inputs = np.repeat(cohort.inputs[cohort.probe][:, None], every, axis=1)
    targets = np.repeat(cohort.targets[cohort.probe][:, None], every, axis=1)
    task = Task(batch=inputs, loss=_total, target=targets)
    found = gradients(probe.logits, task, {})
    outputs = [to_numpy(values) for values in probe.values(inputs, training=False)]
    layers = [values.astype(np.float64) for values in (inputs, *outputs)]
    n_layers = len(cohort.weights)
    of_sums = [_named(found, f"nudge_{i}/added") * n_samples for i in range(n_layers)]
    of_weights = [_named(found, f"stacked_{i}/kernel") for i in range(n_layers)]
    kept = [_thinned(values) for values in outputs[:-1]]
    return [
        StartProfile(
            rms=_roots([values[:, m] ** 2 for values in layers]),
            between=_roots([values[:, m].var(axis=0) for values in layers]),
            gradient_rms=_roots([gradient[:, m] ** 2 for gradient in of_sums]),
            weight_gradient_rms=_roots([gradient[m] ** 2 for gradient in of_weights]),
            samples=tuple(values[:, m] for values in kept),
        )
        for m in range(cohort.n_members)
    ]


def _total(logits: Any, targets: Any) -> Any:
    return keras.ops.sum(member_losses(targets, logits))


def _named(found: dict[str, np.ndarray | None], ending: str) -> np.ndarray:
    """Give the gradient of the one parameter whose path ends so; None is 0."""
    (gradient,) = (value for path, value in found.items() if path.endswith(ending))
    return np.zeros(()) if gradient is None else gradient.astype(np.float64)


def _roots(squares: list[np.ndarray]) -> np.ndarray:
    return np.array([np.sqrt(square.mean()) for square in squares])


def _thinned(values: np.ndarray) -> np.ndarray:
    """At most 512 entries of each member, evenly spaced: "entry member"."""
    flat = values.transpose(0, 2, 1).reshape(-1, values.shape[1])
    step = max(1, -(-len(flat) // MOST_SAMPLES))
    step += 1 - step % 2  # odd, so that not every entry is of the same few units
    return flat[::step].copy()
