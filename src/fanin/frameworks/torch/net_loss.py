"""The loss of a net that someone else built, after a look at what it puts out."""

from __future__ import annotations

from typing import Any

import torch

from fanin.errors import ModelError
from fanin.frameworks.torch.stacked import member_losses


def loss_of(outputs: Any, targets: torch.Tensor) -> torch.Tensor:
    """Give the mean loss: cross-entropy of classes, mean square of numbers.

    Raises:
        ModelError: if the outputs do not fit the targets.
    """
    is_fitting = (
        isinstance(outputs, torch.Tensor)
        and outputs.ndim == 2
        and len(outputs) == len(targets)
        and (targets.ndim == 1 or outputs.shape == targets.shape)
    )
    if not is_fitting:
        shape = tuple(getattr(outputs, "shape", ())) or type(outputs).__name__
        message = (
            "A raced net must put out a row of numbers for each sample: a score for "
            f"each class, or one for each target. It put out {shape} for targets "
            f"{tuple(targets.shape)}."
        )
        raise ModelError(message)
    return member_losses(outputs[None], targets[None])[0]
