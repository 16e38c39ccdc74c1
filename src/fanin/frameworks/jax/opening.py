"""Tells the kinds of JAX models apart, importing no library that is not loaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import jax

from fanin.frameworks.jax.opened import is_array

if TYPE_CHECKING:
    from fanin.frameworks.jax.opened import Opened


def owns(model: Any) -> bool:
    """Say whether it is a module of Flax NNX or Equinox, or a pair (apply, params).

    >>> owns((lambda params, x: x @ params, jax.numpy.ones((3, 2)))), owns((1, 2))
    (True, False)
    """
    return _is_nnx(model) or _is_equinox(model) or _is_pair(model)


def is_immutable(model: Any) -> bool:
    """Say whether the model cannot be changed, so that `write` gives another one.

    >>> is_immutable((lambda params, x: x @ params, jax.numpy.ones((3, 2))))
    True
    """
    return owns(model) and not _is_nnx(model)


def opened(model: Any) -> Opened:
    """Take a model apart that `owns` says yes to."""
    if _is_nnx(model):
        from fanin.frameworks.jax.flax_nnx import NnxModel

        return NnxModel(model)
    if _is_equinox(model):
        from fanin.frameworks.jax.equinox_tree import EquinoxModel

        return EquinoxModel(model)
    from fanin.frameworks.jax.pairs import PairModel

    return PairModel(model)


def _is_nnx(model: Any) -> bool:
    loaded = sys.modules.get("flax.nnx")
    return loaded is not None and isinstance(model, loaded.Module)


def _is_equinox(model: Any) -> bool:
    loaded = sys.modules.get("equinox")
    if loaded is None:
        return False
    if isinstance(model, tuple) and len(model) == 2:
        model, state = model
        if not isinstance(state, loaded.nn.State):
            return False
    return isinstance(model, loaded.Module) and callable(model)


def _is_pair(model: Any) -> bool:
    if not isinstance(model, tuple) or len(model) != 2 or not callable(model[0]):
        return False
    return any(is_array(leaf) for leaf in jax.tree.leaves(model[1]))
