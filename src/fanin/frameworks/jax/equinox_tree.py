"""Equinox modules taken apart: parameters are all arrays of real numbers in the tree.

An Equinox layer is written for one sample, and its user maps it over the batch. So a
module is tried on one sample by shapes alone, and mapped where it takes one; else it is
called on the whole batch.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax

from fanin.frameworks.jax.opened import Held, is_array, is_real
from fanin.frameworks.jax.paths import dotted, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class WithState:
    """A module and its state, as ``eqx.nn.make_with_state`` gives them."""

    module: Any
    state: Any


class EquinoxModel:
    """A module of Equinox, alone or in a pair with its ``eqx.nn.State``."""

    is_mutable = False
    is_tree_whole = False

    def __init__(self, model: Any) -> None:
        self.model = model
        self.has_state = isinstance(model, tuple)
        module = model[0] if self.has_state else model
        self.module_leaves = dotted(module)
        self.state_leaves = dotted(model[1]) if self.has_state else []
        parameters: dict[str, Held] = {}
        buffers: dict[str, Held] = {}
        for name, path, leaf in self.module_leaves:
            if is_array(leaf):
                held = parameters if is_real(leaf) else buffers
                held[name] = Held(array=leaf, owner=owner_of(module, path))
        for name, _, leaf in self.state_leaves:
            if is_array(leaf):
                buffers[f"state.{name}"] = Held(array=leaf, owner="State")
        self.parameters: Mapping[str, Held] = parameters
        self.buffers: Mapping[str, Held] = buffers

    def at(self, values: Mapping[str, Any], key: Any) -> Any:
        """Give the module with these arrays; in training mode where it can have one."""
        del key
        model = self._with(values)
        module, state = model if self.has_state else (model, None)
        if _takes_key(module) or not _drops(module):
            module = eqx.nn.inference_mode(module, value=False)
        return (module, state) if self.has_state else module

    def call(
        self,
        model: Any,
        positional: Sequence[Any],
        keywords: Mapping[str, Any],
        key: Any,
    ) -> Any:
        """Call the module on the batch, mapped over samples where it takes one."""
        module, state = model if self.has_state else (model, None)
        call = _Call(module=module, state=state, key=key)
        given = (tuple(positional), dict(keywords))
        n_samples = _count(given)
        if n_samples is None:
            return call.on(given, key)
        if _runs(call.on, _sample(given, n_samples), key):
            return call.mapped(given, n_samples)
        if _runs(call.on, given, key):
            return call.on(given, key)
        return call.mapped(given, n_samples)

    def written(self, arrays: Mapping[str, Any]) -> Any:
        """Give a new module that holds these parameters."""
        return self._with(arrays)

    def drawn(self, arrays: Mapping[str, Any]) -> Any:
        """Give the module's tree with these arrays and None elsewhere.

        ``eqx.combine(tree, module)`` takes it.
        """
        return self.numbered(arrays)

    def numbered(self, numbers: Mapping[str, Any]) -> Any:
        """Give the module's tree with a number at each parameter, and None elsewhere.

        As ``eqx.filter_grad`` gives gradients.
        """
        module = self.model[0] if self.has_state else self.model
        leaves = [numbers.get(name) for name, _, _ in self.module_leaves]
        return jax.tree.unflatten(jax.tree.structure(module), leaves)

    def _with(self, values: Mapping[str, Any]) -> Any:
        module = self.model[0] if self.has_state else self.model
        made = _rebuilt(module, self.module_leaves, values, "")
        if not self.has_state:
            return made
        return made, _rebuilt(self.model[1], self.state_leaves, values, "state.")


@dataclass(frozen=True, kw_only=True)
class _Call:
    """How a module is called: with its state and a key, where it takes them."""

    module: Any
    state: Any
    key: Any

    def on(self, given: tuple[tuple[Any, ...], dict[str, Any]], key: Any) -> Any:
        """Call it as it is."""
        positional, keywords = given
        extra: dict[str, Any] = {}
        if _takes_key(self.module) and "key" not in keywords:
            extra["key"] = key
        if self.state is None:
            return self.module(*positional, **(extra | keywords))
        leaves, structure = jax.tree.flatten(self.state)
        state = jax.tree.unflatten(structure, leaves)  # a state can be used but once
        output, _ = self.module(*positional, state, **(extra | keywords))
        return output

    def mapped(
        self, given: tuple[tuple[Any, ...], dict[str, Any]], n_samples: int
    ) -> Any:
        """Call it on each sample, with a key of its own."""
        axes = jax.tree.map(
            lambda leaf: 0 if _is_along(leaf, n_samples) else None, given
        )
        keys = jax.random.split(self.key, n_samples)
        name = _axis_name(self.module)
        return jax.vmap(self.on, in_axes=(axes, 0), axis_name=name)(given, keys)


def _rebuilt(
    tree: Any,
    leaves: Sequence[tuple[str, Any, Any]],
    values: Mapping[str, Any],
    prefix: str,
) -> Any:
    found = [values.get(prefix + name, leaf) for name, _, leaf in leaves]
    return jax.tree.unflatten(jax.tree.structure(tree), found)


def _takes_key(module: Any) -> bool:
    """Say whether the module is called with ``key=``, as a random one is."""
    found = inspect.signature(type(module).__call__).parameters.get("key")
    if found is None:
        return False
    return found.kind is inspect.Parameter.KEYWORD_ONLY or found.default is None


def _modules(tree: Any) -> list[Any]:
    """Give every module of the tree that is a layer of Equinox's own with a mode."""
    kinds = (eqx.nn.Dropout, eqx.nn.BatchNorm)
    leaves = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, kinds))
    return [leaf for leaf in leaves if isinstance(leaf, kinds)]


def _drops(module: Any) -> bool:
    return any(isinstance(layer, eqx.nn.Dropout) for layer in _modules(module))


def _axis_name(module: Any) -> Any:
    """Give the name of the batch axis that its batch normalizations speak of."""
    names = (getattr(layer, "axis_name", None) for layer in _modules(module))
    return next((name for name in names if name is not None), None)


def _is_along(leaf: Any, n_samples: int) -> bool:
    return is_array(leaf) and len(leaf.shape) > 0 and leaf.shape[0] == n_samples


def _count(given: Any) -> int | None:
    shapes = (leaf.shape for leaf in jax.tree.leaves(given) if is_array(leaf))
    return next((int(shape[0]) for shape in shapes if shape), None)


def _sample(given: Any, n_samples: int) -> Any:
    def one(leaf: Any) -> Any:
        return leaf[0] if _is_along(leaf, n_samples) else leaf

    return jax.eval_shape(lambda tree: jax.tree.map(one, tree), given)


def _runs(call: Callable[..., Any], given: Any, key: Any) -> bool:
    """Say whether a call goes through, by shapes alone."""
    try:
        eqx.filter_eval_shape(call, given, key)
    except Exception:  # whatever it raises, it does not take this
        return False
    return True
