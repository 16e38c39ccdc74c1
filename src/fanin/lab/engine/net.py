"""A dense net, forwards and backwards, in the type of its weights.

Products of very small numbers are subnormal, which a processor computes up to a hundred
times more slowly; the lesson's own case of weights that are too small is full of them.
So factors whose numbers are all small, or very large, are scaled by powers of two,
which is exact; entries below 2⁻⁶⁰ of the largest are left out, as rounding would; and
what is below `FLUSHED` afterwards is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.lab.engine.functions import FUNCTIONS

if TYPE_CHECKING:
    from fanin.lab.engine.draws import Weights

FLUSHED: Final = 1e-30
"""Numbers below this count as 0; float32 keeps full precision down to 1.2e-38."""
SMALL: Final = 2.0**-60
ORDINARY: Final = 2.0**-40
"""Above this, a layer's largest number is of an ordinary size: few are subnormal."""


@dataclass(frozen=True, kw_only=True)
class Forward:
    """One run. inputs: of each layer, "n_samples n_in"; outputs: of each, before φ."""

    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]

    @property
    def logits(self) -> np.ndarray:
        """Give the last layer's outputs."""
        return self.outputs[-1]


@dataclass(frozen=True, kw_only=True)
class Backward:
    """Gradients of the mean loss. outputs: by each layer's output before φ."""

    outputs: tuple[np.ndarray, ...]
    matrices: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @property
    def parameters(self) -> tuple[np.ndarray, ...]:
        """Give the gradients in the order of `Weights.parameters`."""
        return (*self.matrices, *self.biases)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Give a @ b without subnormal numbers.

    >>> tiny = np.full((1, 1), 1e-25, np.float32)
    >>> product(tiny, tiny).item()
    0.0
    >>> product(np.array([[3.0]]), np.array([[2.0]])).item()
    6.0
    """
    left, up = _scaled(a)
    right, down = _scaled(b)
    found = left @ right
    power = up + down
    return flushed(np.ldexp(found, power)) if power else found


def flushed(values: np.ndarray) -> np.ndarray:
    """Give the values, where all are small those below `FLUSHED` set to 0, in place.

    >>> flushed(np.array([1e-20, 1e-31])).tolist()
    [1e-20, 0.0]
    """
    if not largest_of(values) > ORDINARY:
        values[np.abs(values) < FLUSHED] = 0
    return values


def largest_of(values: np.ndarray) -> float:
    """Give the largest |value|, 0 of none; NaN where one is."""
    if not values.size:
        return 0.0
    return float(max(values.max(), -values.min()))


def _scaled(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Give values of at most 1 and the power of two that they lack.

    Values of an ordinary size are given back as they are.
    """
    largest = largest_of(values)
    if not 0.0 < largest < np.inf or ORDINARY < largest < 1 / ORDINARY:
        return values, 0
    power = int(np.frexp(largest)[1])
    scaled = np.ldexp(values, -power)
    scaled[np.abs(scaled) < SMALL] = 0
    return scaled, power


def forward(weights: Weights, x: np.ndarray, activation: str) -> Forward:
    """Run the net.

    Args:
        weights: of every layer.
        x: inputs, "n_samples n_in".
        activation: a key of `FUNCTIONS`, applied after all layers but the last.
    """
    value = FUNCTIONS[activation].value
    inputs, outputs = [x.astype(weights.matrices[0].dtype, copy=False)], []
    with np.errstate(all="ignore"):
        for matrix, bias in zip(weights.matrices, weights.biases, strict=True):
            outputs.append(product(inputs[-1], matrix.T) + bias)
            if len(outputs) < len(weights.matrices):
                inputs.append(flushed(value(outputs[-1])))
    return Forward(inputs=tuple(inputs), outputs=tuple(outputs))


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Give the mean of −ln p(target), and its gradient by the logits.

    >>> loss, gradient = cross_entropy(np.zeros((1, 2)), np.array([0]))
    >>> round(loss, 6), gradient.tolist()
    (0.693147, [[-0.5, 0.5]])
    """
    rows = np.arange(len(targets))
    with np.errstate(all="ignore"):
        shifted = logits - logits.max(axis=1, keepdims=True)
        sums = np.exp(shifted).sum(axis=1, keepdims=True)
        loss = float((np.log(sums[:, 0]) - shifted[rows, targets]).mean())
        gradient = np.exp(shifted) / sums
    gradient[rows, targets] -= 1
    return loss, gradient / np.asarray(len(targets), dtype=logits.dtype)


def backward(
    weights: Weights, run: Forward, gradient: np.ndarray, activation: str
) -> Backward:
    """Give every gradient of the loss.

    Args:
        weights: of every layer.
        run: what `forward` gave.
        gradient: of the loss by the logits.
        activation: as in `forward`.
    """
    slope = FUNCTIONS[activation].slope
    by_output = [gradient]
    with np.errstate(all="ignore"):
        for layer in range(len(weights.matrices) - 1, 0, -1):
            behind = product(by_output[-1], weights.matrices[layer])
            local = slope(run.outputs[layer - 1], run.inputs[layer])
            by_output.append(flushed(behind * local))
        by_output.reverse()
        matrices = tuple(
            product(error.T, x) for error, x in zip(by_output, run.inputs, strict=True)
        )
        biases = tuple(error.sum(axis=0) for error in by_output)
    return Backward(outputs=tuple(by_output), matrices=matrices, biases=biases)
