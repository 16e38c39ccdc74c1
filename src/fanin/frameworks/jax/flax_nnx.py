"""Flax NNX modules taken apart: parameters are what ``nnx.Param`` holds."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

import jax
from flax import nnx

from fanin.frameworks.jax.opened import Held, is_abstract, is_array, is_real

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TRAINING: Final = {
    "deterministic": False,
    "train": True,
    "training": True,
    "is_training": True,
    "use_running_average": False,
}
"""Names that Flax's models give the mode of training, and its value."""


class NnxModel:
    """A module of Flax NNX; a run works on a copy that is made within the trace."""

    is_mutable = True
    is_tree_whole = False

    def __init__(self, model: Any) -> None:
        self.model = model
        self.graphdef, state = nnx.split(model)
        self.flat = dict(nnx.to_flat_state(state))
        self.names = {path: ".".join(map(str, path)) for path in self.flat}
        aliases = _aliases(model, self.names)
        parameters: dict[str, Held] = {}
        buffers: dict[str, Held] = {}
        for path, variable in self.flat.items():
            array = _array(variable)
            if not is_array(array):
                continue
            is_parameter = isinstance(variable, nnx.Param) and is_real(array)
            held = parameters if is_parameter else buffers
            name = self.names[path]
            owner = _owner(model, path)
            held[name] = Held(array=array, aliases=aliases.get(name, ()), owner=owner)
        self.parameters: Mapping[str, Held] = parameters
        self.buffers: Mapping[str, Held] = buffers

    def at(self, values: Mapping[str, Any], key: Any) -> Any:
        """Give a copy with these arrays in training mode, its streams from ``key``."""
        state = nnx.from_flat_state(
            [
                (path, self._at(index, path, values, key))
                for index, path in enumerate(self.flat)
            ]
        )
        model = nnx.merge(self.graphdef, state)
        model.train()
        return model

    def _at(
        self, index: int, path: tuple[Any, ...], values: Mapping[str, Any], key: Any
    ) -> Any:
        variable, name = self.flat[path], self.names[path]
        array = values.get(name, _array(variable))
        if not isinstance(variable, nnx.Variable):
            return array
        if isinstance(variable, nnx.RngKey):
            array = jax.random.fold_in(key, index)
        elif isinstance(variable, nnx.RngCount) and is_abstract(array):
            array = jax.numpy.zeros(array.shape, array.dtype)
        return variable.replace(array)

    def call(
        self,
        model: Any,
        positional: Sequence[Any],
        keywords: Mapping[str, Any],
        key: Any,
    ) -> Any:
        """Call the copy, with what its signature knows of training and of noise."""
        taken = inspect.signature(type(model).__call__).parameters
        modes: dict[str, Any] = {
            name: value for name, value in TRAINING.items() if name in taken
        }
        if "rngs" in taken:
            modes["rngs"] = nnx.Rngs(key)
        bound = inspect.signature(model.__call__).bind_partial(*positional)
        free = {k: v for k, v in modes.items() if k not in bound.arguments}
        return model(*positional, **(free | dict(keywords)))

    def written(self, arrays: Mapping[str, Any]) -> Any:
        """Change the module itself."""
        paths = {name: path for path, name in self.names.items()}
        changed = [
            (paths[name], self.flat[paths[name]].replace(array))
            for name, array in arrays.items()
        ]
        nnx.update(self.model, nnx.from_flat_state(changed))
        return self.model

    def drawn(self, arrays: Mapping[str, Any]) -> Any:
        """Give a state of these parameters: ``nnx.update(model, state)`` takes it."""
        return self.numbered(arrays)

    def numbered(self, numbers: Mapping[str, Any]) -> Any:
        """Give a state with a number in each parameter, as ``nnx.grad`` gives them."""
        return nnx.from_flat_state(
            [
                (path, variable.replace(numbers[self.names[path]]))
                for path, variable in self.flat.items()
                if self.names[path] in numbers
            ]
        )


def _array(variable: Any) -> Any:
    """Give what a variable holds; a module may hold a bare array as well."""
    return variable.get_value() if isinstance(variable, nnx.Variable) else variable


def _owner(model: Any, path: Sequence[Any]) -> str:
    held, owner = model, type(model).__name__
    for part in path[:-1]:
        held = _child(held, part)
        if isinstance(held, nnx.Module):
            owner = type(held).__name__
    return owner


def _child(held: Any, part: Any) -> Any:
    if isinstance(held, nnx.Module) and hasattr(held, str(part)):
        return getattr(held, str(part))
    try:
        return held[part]
    except (LookupError, TypeError):
        return None


def _aliases(
    model: Any, names: Mapping[tuple[Any, ...], str]
) -> dict[str, tuple[str, ...]]:
    """Give the other names of each variable that hangs in more than one place."""
    places: dict[int, list[str]] = {}
    for name, variable in _variables(model, (), ()):
        places.setdefault(id(variable), []).append(name)
    known = set(names.values())
    found = {}
    for given in places.values():
        first = next((name for name in given if name in known), None)
        if first is not None and len(given) > 1:
            found[first] = tuple(name for name in given if name != first)
    return found


def _variables(
    node: Any, path: tuple[str, ...], around: tuple[int, ...]
) -> Iterator[tuple[str, Any]]:
    if isinstance(node, nnx.Variable):
        yield ".".join(path), node
        return
    if id(node) in around:
        return
    for name, child in _children(node):
        yield from _variables(child, (*path, name), (*around, id(node)))


def _children(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, nnx.Module):
        held = vars(node).items()
        return [(name, child) for name, child in held if not name.startswith("_py")]
    if isinstance(node, dict):
        return [(str(name), child) for name, child in node.items()]
    if isinstance(node, list | tuple):
        return [(str(index), child) for index, child in enumerate(node)]
    return []
