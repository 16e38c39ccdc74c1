"""Dense nets of one shape side by side in one Keras model, and their losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fanin.frameworks.keras.dense import function

if TYPE_CHECKING:
    from fanin.graph.cohort import Cohort


class StackedDense(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """A dense layer for every member: "sample member n_in" → "sample member n_out"."""

    def __init__(self, n_members: int, n_in: int, n_out: int, **options: Any) -> None:
        super().__init__(**options)
        self.kernel = self.add_weight(
            shape=(n_members, n_in, n_out), initializer="zeros", name="kernel"
        )
        self.bias = self.add_weight(
            shape=(n_members, n_out), initializer="zeros", name="bias"
        )

    def call(self, inputs: Any) -> Any:
        """Multiply each member's values by its own kernel."""
        return keras.ops.einsum("bmi,mio->bmo", inputs, self.kernel) + self.bias


class Nudge(keras.layers.Layer):  # type: ignore[misc]
    """Adds trainable zeros: their gradient is that of what they are added to."""

    def __init__(self, shape: tuple[int, ...], **options: Any) -> None:
        super().__init__(**options)
        self.added = self.add_weight(shape=shape, initializer="zeros", name="added")

    def call(self, inputs: Any) -> Any:
        """Add nothing, in value."""
        return inputs + self.added


class Latest(keras.metrics.Metric):  # type: ignore[misc]
    """The members' losses in the latest batch, one each."""

    def __init__(self, n_members: int) -> None:
        super().__init__(name="member_losses")
        self.value = self.add_variable((n_members,), initializer="zeros", name="value")

    def update_state(
        self, targets: Any, logits: Any, sample_weight: Any = None
    ) -> None:
        """Take over the losses of this batch."""
        del sample_weight
        self.value.assign(member_losses(targets, logits))

    def result(self) -> Any:
        """Give them: "member"."""
        return keras.ops.convert_to_tensor(self.value)


def member_losses(targets: Any, logits: Any) -> Any:
    """Mean loss of each member: "sample member …" → "member"; as in torch's."""
    if len(targets.shape) == 3:  # numbers, as many as outputs
        errors = keras.ops.square(keras.ops.subtract(logits, targets))
        return keras.ops.mean(errors, axis=(0, 2))
    each = keras.ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    return keras.ops.mean(each, axis=0)


def member_scores(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Share of right answers of each member, of a regression R²: "member"."""
    if targets.ndim == 2:
        right: np.ndarray = (logits.argmax(-1) == targets).mean(axis=0)
        return right
    wanted = targets.astype(np.float64)
    left = np.square(logits.astype(np.float64) - wanted).sum(axis=(0, 2))
    whole = np.square(wanted - wanted.mean(axis=0)).sum(axis=(0, 2))
    score: np.ndarray = 1 - left / whole
    return score


def build(cohort: Cohort, members: np.ndarray) -> Any:
    """Build the model of some members, with the cohort's weights.

    Args:
        cohort: as raced.
        members: their numbers in the cohort.
    """
    values = inputs = keras.Input((len(members), cohort.sizes[0]))
    apply = function(cohort.activation)
    layers = layers_of(cohort, members)
    for layer in layers[:-1]:
        values = apply(layer(values))
    return keras.Model(inputs, layers[-1](values))


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A cohort's nets, to be measured. The two models share their layers.

    logits: the model itself. values: the same, giving what comes after every layer.
    Layer i holds its kernel as "stacked_i/kernel", and as "nudge_i/added" what has the
    gradient of its sums.
    """

    logits: Any
    values: Any


def build_probe(cohort: Cohort, n_samples: int) -> Probe:
    """Build the nets of a cohort with a nudge behind every layer's sums."""
    every = np.arange(cohort.n_members)
    values = inputs = keras.Input(
        batch_shape=(n_samples, cohort.n_members, cohort.sizes[0])
    )
    apply = function(cohort.activation)
    layers = layers_of(cohort, every)
    outputs = []
    for i, layer in enumerate(layers):
        shape = (n_samples, cohort.n_members, layer.bias.shape[1])
        sums = Nudge(shape, name=f"nudge_{i}")(layer(values))
        values = sums if layer is layers[-1] else apply(sums)
        outputs.append(values)
    return Probe(
        logits=keras.Model(inputs, values), values=keras.Model(inputs, outputs)
    )


def layers_of(cohort: Cohort, members: np.ndarray) -> list[StackedDense]:
    """Make the layers and put the cohort's weights into them."""
    layers = []
    for i, weight in enumerate(cohort.weights):
        kernel = np.ascontiguousarray(weight[members].transpose(0, 2, 1))
        layer = StackedDense(*kernel.shape, name=f"stacked_{i}")
        layer.kernel.assign(kernel)
        layers.append(layer)
    return layers
