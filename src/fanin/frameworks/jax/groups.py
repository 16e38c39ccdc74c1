"""Learning rates and decays as trees of numbers, in the shape of the gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks.jax.opening import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.rate import Rate


def groups(model: Any, rates: Mapping[str, Rate]) -> dict[str, Any]:
    """Give trees of one number a parameter, to be mapped with its gradients.

    The trees "learning_rate" and "weight_decay" have the structure of the gradients:
    of the params of a pair, of ``nnx.state(model, nnx.Param)``, or of an Equinox module
    through ``eqx.filter_grad``.
    """
    held = opened(model)
    return {
        "learning_rate": held.numbered(
            {path: rates[path].learning_rate for path in held.parameters}
        ),
        "weight_decay": held.numbered(
            {path: rates[path].weight_decay for path in held.parameters}
        ),
    }
