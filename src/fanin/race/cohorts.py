"""From trials to a cohort: draw the weights, lay out the batches."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fanin.activations import find_activation
from fanin.graph.cohort import Cohort
from fanin.graph.fans import AxisRoles
from fanin.prescription.resolve import resolve
from fanin.race.data import batches
from fanin.sampler import draw
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.race.data import Dataset
    from fanin.race.experiment import Experiment
    from fanin.race.setting import Trial
    from fanin.schemes.scheme import Scheme

N_PROBE = 256  # training samples on which the start is measured
ROLES = AxisRoles(outputs=(0,), inputs=(1,))


def cohort_of(experiment: Experiment, trials: Sequence[Trial], data: Dataset) -> Cohort:
    """Make the cohort of trials of one scheme in one setting.

    Trials of one seed share their batches; their weights share the random numbers with
    those of any other scheme, as a draw depends on seed and name alone.
    """
    setting = trials[0].setting
    sizes = experiment.sizes(data.n_in, data.n_out, setting)
    scheme = find_scheme(trials[0].scheme)
    seeds = sorted({trial.seed for trial in trials})
    weights = {seed: draw_weights(scheme, sizes, seed=seed) for seed in seeds}
    n_samples = len(data.targets)
    orders = {
        seed: batches(n_samples, experiment.n_steps, experiment.batch_size, seed=seed)
        for seed in seeds
    }
    return Cohort(
        sizes=sizes,
        activation=find_activation(setting.activation).name,
        optimizer=setting.optimizer,
        weights=tuple(
            np.stack([weights[trial.seed][layer] for trial in trials])
            for layer in range(len(sizes) - 1)
        ),
        learning_rates=np.array([trial.learning_rate for trial in trials]),
        batches=np.stack([orders[trial.seed] for trial in trials]),
        inputs=data.inputs,
        targets=data.targets,
        test_inputs=data.test_inputs,
        test_targets=data.test_targets,
        probe=np.arange(min(N_PROBE, n_samples)),
        valid_inputs=data.valid_inputs,
        valid_targets=data.valid_targets,
        task=data.task,
        guess=data.guess,
    )


def draw_weights(
    scheme: Scheme, sizes: Sequence[int], *, seed: int
) -> tuple[np.ndarray, ...]:
    """Draw the weights of a dense net, float32 "n_out n_in" each; biases are 0.

    The scheme has its own gain (√2 for He, 1 for Glorot) whatever the activation: that
    is what is being compared.
    """
    return tuple(
        draw(f"layers.{layer}.weight", shape, resolve(scheme, shape, ROLES), seed=seed)
        for layer, shape in enumerate((b, a) for a, b in pairwise(sizes))
    )


def variances(scheme: Scheme, sizes: Sequence[int]) -> tuple[float, ...] | None:
    """Give each layer's variance of one weight; None where weights are not random."""
    if scheme.law in {"constant", "identity"}:
        return None
    shapes = [(b, a) for a, b in pairwise(sizes)]
    return tuple(
        float(scheme.std(scheme.fan_of(shape, ROLES))) ** 2 for shape in shapes
    )
