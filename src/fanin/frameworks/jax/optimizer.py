"""Read a gradient transformation of optax by trying it: it cannot be looked into.

Two functions, ``init`` and ``update``, are all there is. What they do to made-up
gradients tells the family: a step that doubles with its gradient is proportional; one
that stays is divided by the gradient's size, and the size at which it begins to shrink
is eps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from fanin.errors import ArgumentError
from fanin.frameworks.jax.opening import opened
from fanin.graph.optimizer import UNKNOWN, OptimizerFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.optimizer import FirstStep

SAME = 0.02
"""How far a ratio may be from 1 or 2: float32, and the eps of the method."""
SMALL = 1e-7
"""A gradient at which the usual eps, 1e-8, shows, and whose square float32 holds."""


def optimizer_facts(model: Any, optimizer: Any) -> OptimizerFacts:
    """Find out what an optimizer will do to a model's parameters; neither is changed.

    Args:
        model: of Flax NNX, of Equinox, or a pair (apply, params).
        optimizer: an ``optax.GradientTransformation`` or an ``nnx.Optimizer``.
            Schedules are at step 0.

    Raises:
        ArgumentError: if it has no ``init`` and ``update``.
    """
    inner = getattr(optimizer, "tx", optimizer)
    if not callable(getattr(inner, "init", None)) or not callable(
        getattr(inner, "update", None)
    ):
        expected = "an optax.GradientTransformation, or the name of an optimizer"
        raise ArgumentError.of(
            argument="optimizer", received=optimizer, expected=expected
        )
    step = _first_step(model, inner)
    family, rate, eps = _tried(model, step)
    return OptimizerFacts(family=family, rate=rate, eps=eps, first_step=step)


def _tried(model: Any, step: FirstStep) -> tuple[str, float | None, float]:
    """Give family, rate and eps, as steps from made-up gradients show them.

    The parameters are zeros meanwhile, so that weight decay does nothing.
    """
    shapes = {path: each.array.shape for path, each in opened(model).parameters.items()}
    zeros = {path: np.zeros(shape, np.float32) for path, shape in shapes.items()}
    sizes = []
    for gradient in (1e-3, 2e-3, SMALL):
        given = {p: np.full(s, gradient, np.float32) for p, s in shapes.items()}
        found = step(zeros, given).values()
        sizes.append(max((float(np.abs(a).max(initial=0.0)) for a in found), default=0))
    once, twice, small = sizes
    if once == 0.0 or small == 0.0:
        return UNKNOWN, None, 0.0
    if abs(twice / once - 2.0) < SAME and abs(once / small * SMALL / 1e-3 - 1.0) < SAME:
        return "sgd", once / 1e-3, 0.0
    if abs(twice / once - 1.0) < SAME:
        return "adam", once, max(SMALL * (once / small - 1.0), 0.0)
    return UNKNOWN, None, 0.0


def _first_step(model: Any, optimizer: Any) -> FirstStep:
    """Give a function that runs ``init`` and ``update`` on the tree of gradients.

    Parameters without a gradient have one of zeros, and their own values.
    """

    def change(
        values: Mapping[str, np.ndarray], gradients: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        held = opened(model)
        paths = list(held.parameters)
        own = {p: held.parameters[p].array for p in paths}
        shapes = {p: array.shape for p, array in own.items()}
        full = {p: gradients.get(p, np.zeros(shapes[p])) for p in paths}
        places = jax.tree.leaves(held.numbered({p: i for i, p in enumerate(paths, 1)}))
        params, given = _tree(held, {**own, **values}), _tree(held, full)
        try:
            updates, _ = optimizer.update(given, optimizer.init(params), params)
        except (RuntimeError, TypeError, ValueError, KeyError, AttributeError):
            return {}  # a method that needs more than gradients: nothing is known
        leaves = jax.tree.leaves(updates)
        if len(leaves) != len(places):
            return {}
        by_place = zip(places, leaves, strict=True)
        found = {paths[int(i) - 1]: leaf for i, leaf in by_place if i}
        return {p: np.asarray(found[p], dtype=np.float64) for p in gradients}

    return change


def _tree(held: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Give a tree of arrays in the shape of the gradients."""
    wide = {p: jax.numpy.asarray(a, jax.numpy.float32) for p, a in arrays.items()}
    return held.numbered(wide)
