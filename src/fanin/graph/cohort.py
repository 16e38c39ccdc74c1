"""What a race hands to a framework, and what comes back: arrays and nothing else.

A cohort is a set of dense nets of one shape that train side by side: they differ in
their initial weights, their learning rate and the order of their batches. One batched
matrix product then serves all of them, which on a CPU is several times faster than one
small net after another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")
"""Plain gradient descent; heavy ball with 0.9; Adam with (0.9, 0.999) and 1e-8; the
same with decoupled weight decay 0.01."""

TASKS = ("classification", "regression")


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Dense nets of one shape, and all that their training depends on.

    sizes: units of the input, of each hidden layer, and of the output (the classes).
    activation: the name of the function after every hidden layer.
    weights: of each layer, float32 "n_members n_out n_in"; biases start at 0.
    learning_rates: float64 "n_members". batches: rows of ``inputs`` that each member
    sees at each step, int64 "n_members n_steps batch_size".
    inputs, test_inputs, valid_inputs: float32 "n_samples n_in"; valid_inputs may be
    missing. targets, …: int64 classes; of a regression float32 "n_samples n_out".
    probe: rows of ``inputs`` on which the start is measured, int64.
    task: "classification" (cross-entropy) or "regression" (mean squared error).
    guess: the score of who knows nothing; None: 1 / n_classes, 0 for a regression.
    """

    sizes: tuple[int, ...]
    activation: str
    optimizer: str
    weights: tuple[np.ndarray, ...]
    learning_rates: np.ndarray
    batches: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    test_inputs: np.ndarray
    test_targets: np.ndarray
    probe: np.ndarray
    valid_inputs: np.ndarray | None = None
    valid_targets: np.ndarray | None = None
    task: str = "classification"
    guess: float | None = None

    @property
    def n_members(self) -> int:
        """How many nets there are: a count."""
        return len(self.learning_rates)

    @property
    def n_steps(self) -> int:
        """How many updates each net makes at most: a count."""
        return int(self.batches.shape[1])

    @property
    def lost_score(self) -> float:
        """Give the score of a net that diverged: a guess."""
        if self.guess is not None:
            return self.guess
        return 0.0 if self.task == "regression" else 1 / self.sizes[-1]


@dataclass(frozen=True, kw_only=True)
class StartProfile:
    """What one pass over the probe showed before the first update, layer by layer.

    Layer 0 is the input and has no gradient; the last one is the output.
    rms: root mean square of the layer's values (after the activation), "n_layers+1".
    between: standard deviation over samples, root mean square over units, "n_layers+1":
    how far different inputs still look different.
    gradient_rms: of one sample's dL/dz, z the sums before the activation, "n_layers".
    weight_gradient_rms: of dL/dW for the mean loss of the probe, "n_layers".
    samples: for each hidden layer values after the activation, at most 512 each.
    """

    rms: np.ndarray
    between: np.ndarray
    gradient_rms: np.ndarray
    weight_gradient_rms: np.ndarray
    samples: tuple[np.ndarray, ...]


@dataclass(frozen=True, kw_only=True)
class MemberRun:
    """How the training of one net went.

    losses: mean loss of each step's batch, before its update, float64; NaN from the
    step at which it was no longer finite. diverged_at: that step, or None. The loss is
    cross-entropy, of a regression the mean squared error.
    first_loss, final_loss: over the whole training set, before the first and after the
    last update. Accuracies are shares in [0, 1]; of a regression they are R². For a
    net that diverged, final_loss is NaN and the accuracies are a guess's.
    valid_loss, valid_accuracy: on the validation part; NaN where there is none.
    weight_change: of each layer, max |W_end − W_start|; infinite or NaN if it diverged.
    unit_spread: of each hidden layer, the largest difference between any two of its
    units in one incoming weight, bias or outgoing weight: 0 where all are twins.
    seconds: wall time of the cohort divided by its members.
    """

    losses: np.ndarray
    diverged_at: int | None
    first_loss: float
    final_loss: float
    train_accuracy: float
    test_accuracy: float
    weight_change: np.ndarray
    unit_spread: np.ndarray
    start: StartProfile
    seconds: float
    valid_loss: float = nan
    valid_accuracy: float = nan


Train = Callable[[Cohort], tuple[MemberRun, ...]]
"""Trains every member; the one thing that a race asks of a framework."""
