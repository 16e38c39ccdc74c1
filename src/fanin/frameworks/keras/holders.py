"""How each variable of a Keras model is reached from it, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from fanin.frameworks.keras.variables import is_built, variables_of
from fanin.graph.holder import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

Trail = tuple[Step, ...]


def holders(model: Any) -> dict[str, Trail]:
    """Give the steps to each variable, by its path; none before the model is built."""
    if not is_built(model):
        return {}
    found = variables_of(model)
    trails: dict[int, Trail] = {id(model): ()}
    _walk(model, (), trails)
    return {
        path: (*trails.get(id(owner), ()), *_last(owner, found.parameters[path], path))
        for path, owner in found.owners.items()
    }


def _walk(layer: Any, trail: Trail, trails: dict[int, Trail]) -> None:
    for steps in _inner(layer):
        inner = steps[-1].child
        if id(inner) not in trails:
            trails[id(inner)] = (*trail, *steps)
            _walk(inner, (*trail, *steps), trails)


def _inner(layer: Any) -> Iterator[Trail]:
    """Yield the way to each layer held: as an attribute, in a list, in a network."""
    if isinstance(layer, keras.Sequential | keras.Model) and _is_network(layer):
        for step in _items(layer, layer.layers):
            yield (step,)
    # On the torch backend, attributes that are layers are kept in _modules.
    for name, value in {**vars(layer), **vars(layer).get("_modules", {})}.items():
        if isinstance(value, keras.layers.Layer):
            yield (Step(holder=layer, key=name, child=value, name=value.name),)
        elif isinstance(value, list | tuple | dict) and not name.startswith("_"):
            first = Step(holder=layer, key=name, child=value, name=name)
            for step in _listed(value):
                yield (first, step)


def _is_network(model: Any) -> bool:
    """Say whether a model is Sequential or Functional itself, no class of a user's."""
    return type(model).__module__.partition(".")[0] == "keras"


def _items(holder: Any, items: Any) -> Iterator[Step]:
    for index, item in enumerate(items):
        yield Step(
            holder=holder, key=index, child=item, name=item.name, siblings=tuple(items)
        )


def _listed(value: Any) -> Iterator[Step]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    held = tuple(value.values()) if isinstance(value, dict) else tuple(value)
    for key, item in pairs:
        if isinstance(item, keras.layers.Layer):
            yield Step(holder=value, key=key, child=item, name=item.name, siblings=held)


def _last(owner: Any, variable: Any, path: str) -> Iterator[Step]:
    for name, value in vars(owner).items():
        if value is variable:
            yield Step(holder=owner, key=name, child=variable, name=path)
            return
