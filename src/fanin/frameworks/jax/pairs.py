"""Pairs of a function and its parameters: ``(apply, params)``, called apply(params, x).

Flax linen's ``(model.apply, variables)``, Haiku's ``(net.apply, params)`` and functions
written by hand are all such pairs.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import jax

from fanin.frameworks.jax.opened import Held, is_array, is_real
from fanin.frameworks.jax.paths import dotted, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLLECTION: Final = "params"
"""Flax linen keeps parameters under this key, beside other collections."""

KEYS: Final = frozenset({"key", "rng", "rng_key"})
"""Names of the second argument of a function that takes a random key there."""


class PairModel:
    """A function and a tree of arrays; arrays of real numbers are its parameters."""

    is_mutable = False
    is_tree_whole = True

    def __init__(self, model: Any) -> None:
        self.apply, params = model
        self.params = params
        self.leaves = [(name or COLLECTION, *rest) for name, *rest in dotted(params)]
        is_linen = isinstance(self.params, dict) and COLLECTION in self.params
        parameters: dict[str, Held] = {}
        buffers: dict[str, Held] = {}
        for name, path, leaf in self.leaves:
            if is_array(leaf):
                is_trained = not is_linen or word(path[0]) == COLLECTION
                held = parameters if is_trained and is_real(leaf) else buffers
                held[name] = Held(array=leaf)
        self.parameters: Mapping[str, Held] = parameters
        self.buffers: Mapping[str, Held] = buffers

    def at(self, values: Mapping[str, Any], key: Any) -> Any:
        """Give the pair with these arrays."""
        del key
        return self.written(values)

    def call(
        self,
        model: Any,
        positional: Sequence[Any],
        keywords: Mapping[str, Any],
        key: Any,
    ) -> Any:
        """Call the function; with a random key where it takes one."""
        apply, params = model
        names = _names(apply)
        if len(names) > 1 and names[1] in KEYS and names[1] not in keywords:
            positional = (key, *positional)
        extra = {}
        if "rngs" in names and "rngs" not in keywords:
            extra["rngs"] = {"dropout": key}
        return apply(params, *positional, **(extra | dict(keywords)))

    def written(self, arrays: Mapping[str, Any]) -> Any:
        """Give a new pair whose tree holds these arrays."""
        leaves = [arrays.get(name, leaf) for name, _, leaf in self.leaves]
        structure = jax.tree.structure(self.params)
        return self.apply, jax.tree.unflatten(structure, leaves)

    def drawn(self, arrays: Mapping[str, Any]) -> Any:
        """Give the tree with these arrays, and all others as they are."""
        return self.written(arrays)[1]

    def numbered(self, numbers: Mapping[str, Any]) -> Any:
        """Give the tree with a number at each parameter, and 0 at what is not one."""
        leaves = [numbers.get(name, 0.0) for name, _, _ in self.leaves]
        return jax.tree.unflatten(jax.tree.structure(self.params), leaves)


def _names(apply: Any) -> list[str]:
    try:
        return list(inspect.signature(apply).parameters)
    except (TypeError, ValueError):
        return []
