"""Which parameters an optimizer would step, and the gradients of those alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.errors import NothingToTrainError
from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.parameters import parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


def trainable_paths(model: Any) -> frozenset[str]:
    """Give the paths of the parameters that an optimizer would step.

    Raises:
        NothingToTrainError: if there are none.
    """
    listed = parameters(model)
    trainable = frozenset(p.path for p in listed if p.is_trainable)
    if not trainable:
        raise NothingToTrainError.of(len(listed))
    return trainable


def only_trainable(
    found: Mapping[str, Any], trainable: frozenset[str]
) -> dict[str, np.ndarray | None]:
    """Copy out the gradients, None for a frozen parameter."""
    return {
        path: to_numpy(gradient) if gradient is not None and path in trainable else None
        for path, gradient in found.items()
    }


def gradients_of(loss: Any, leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Give d(loss)/d(leaf) by path in torch; None where it does not depend on it."""
    import torch

    if not loss.requires_grad:
        return dict.fromkeys(leaves)
    found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    return dict(zip(leaves, found, strict=True))
