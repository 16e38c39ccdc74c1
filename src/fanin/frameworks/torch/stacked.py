"""Dense nets of one shape, stacked along a first axis: forward and backward for all.

Backpropagation is written out, with autograd for the activation's derivative alone. So
a layer may be updated as soon as its gradient has passed through it, and no gradient of
a weight need be stored: on a CPU that halves the time, most of which moves memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from fanin.frameworks.torch.dense import function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fanin.graph.cohort import Cohort


@dataclass(kw_only=True)
class Tape:
    """One pass: each layer's input, and each hidden layer's sums and activations."""

    values: list[torch.Tensor]
    hidden: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    logits: torch.Tensor = field(default_factory=lambda: torch.empty(0))


@dataclass(frozen=True, kw_only=True)
class Nets:
    """All members' parameters: weights "member n_in n_out", biases "member 1 n_out"."""

    weights: tuple[torch.Tensor, ...]
    biases: tuple[torch.Tensor, ...]
    activation: Callable[[torch.Tensor], torch.Tensor]

    @classmethod
    def of(cls, cohort: Cohort) -> Nets:
        """Put a cohort's arrays into torch."""
        weights = [
            torch.from_numpy(array.astype(np.float32)).transpose(1, 2).contiguous()
            for array in cohort.weights
        ]
        biases = [torch.zeros(cohort.n_members, 1, n) for n in cohort.sizes[1:]]
        return cls(
            weights=tuple(weights),
            biases=tuple(biases),
            activation=function(cohort.activation),
        )

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run forward: "member sample n_in" → "member sample class"."""
        values = inputs
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values = self.activation(torch.baddbmm(bias, values, weight))
        return torch.baddbmm(self.biases[-1], values, self.weights[-1])

    def forward(self, inputs: torch.Tensor) -> Tape:
        """Run forward and keep what the way back needs."""
        tape = Tape(values=[inputs])
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            total = torch.baddbmm(bias, tape.values[-1], weight).requires_grad_()
            result = self.activation(total)
            tape.hidden.append((total, result))
            tape.values.append(result.detach())
        tape.logits = torch.baddbmm(self.biases[-1], tape.values[-1], self.weights[-1])
        tape.logits.requires_grad_()
        return tape


def backward(
    nets: Nets, tape: Tape, loss: torch.Tensor
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield each layer and dL/d(its sums), from the last; its weights may then change.

    What goes further back is computed before a layer is yielded.
    """
    (delta,) = torch.autograd.grad(loss, tape.logits)
    for layer in range(len(nets.weights) - 1, 0, -1):
        back = torch.bmm(delta, nets.weights[layer].transpose(1, 2))
        yield layer, delta
        total, result = tape.hidden[layer - 1]
        (delta,) = torch.autograd.grad(result, total, back)
    yield 0, delta


def member_losses(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean loss of each member's samples: "member".

    Args:
        logits: "member sample output".
        targets: classes "member sample", then cross-entropy; or numbers "member sample
            output", then the mean squared error.
    """
    if targets.ndim == 3:
        return (logits - targets).square().mean((1, 2))
    each = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), reduction="none"
    )
    return each.view(targets.shape).mean(1)


def member_scores(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Share of right answers of each member, of a regression R²: "member", float64.

    R² is 1 − Σ(output − target)² / Σ(target − its mean)², over all outputs together:
    0 for who always says the mean of these targets.
    """
    if targets.ndim == 2:
        return (logits.argmax(-1) == targets).double().mean(1)
    wanted = targets.double()
    left = (logits.double() - wanted).square().sum((1, 2))
    whole = (wanted - wanted.mean(1, keepdim=True)).square().sum((1, 2))
    return 1 - left / whole
