"""One name for every variable of a Keras model, the same however often it is built.

Keras numbers the layers of a whole process: the first ``Dense`` is ``dense``, the next
``dense_1``, in whichever model it stands. So a model that is built twice has two sets
of paths, and numbers drawn from (seed, path) would differ between the two. Here the
numbers that Keras gave count from the model's own first layer: the path of a model
that is built alone in a fresh process, which is what its author sees first. Names that
the author gave are kept.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SNAKE: Final = (
    (re.compile(r"\W+"), ""),
    (re.compile(r"(.)([A-Z][a-z]+)"), r"\1_\2"),
    (re.compile(r"([a-z])([A-Z])"), r"\1_\2"),
)
"""How Keras names a layer after its class; ``keras.src.utils.naming`` is not public."""

NUMBERED: Final = re.compile(r"(?P<stem>.+?)(?:_(?P<number>\d+))?")


def layers_of(model: Any) -> tuple[Any, ...]:
    """Give the model and every layer within it, each once, outer before inner.

    ``model.layers`` stops at the first level and misses layers held in attributes of
    a plain ``Layer``; the list of tracked layers has them all.
    """
    found: dict[int, Any] = {}

    def visit(layer: Any) -> None:
        if id(layer) in found:
            return
        found[id(layer)] = layer
        for inner in vars(layer).get("_layers", ()):
            visit(inner)

    visit(model)
    return tuple(found.values())


def canonical_components(layers: tuple[Any, ...]) -> dict[str, str]:
    """Map each layer name that Keras numbered to the number within these layers.

    A name counts as Keras's own if it is the layer's class in snake case, alone or
    with a number behind it.
    """
    numbers: dict[str, set[int]] = {}
    for layer in layers:
        match = NUMBERED.fullmatch(layer.name)
        if match and match["stem"] == to_snake_case(type(layer).__name__):
            numbers.setdefault(match["stem"], set()).add(int(match["number"] or 0))
    return {
        _numbered(stem, number): _numbered(stem, rank)
        for stem, given in numbers.items()
        for rank, number in enumerate(sorted(given))
    }


def canonical_paths(model: Any, variables: list[Any]) -> tuple[str, ...]:
    """Give each variable's canonical path, all different: the second of a name is #2.

    Two layers of one name can stand in a subclassed model; their variables then have
    one Keras path and are told apart by their order alone.
    """
    components = canonical_components(layers_of(model))
    return tuple(_distinct("/".join(_renamed(v.path, components)) for v in variables))


def scope_reader(model: Any) -> Callable[[str], str]:
    """Give a function from a name scope to the canonical path of the layer in it.

    A scope is what Keras opens around a layer's call, ``functional_4/dense_9``; what
    stands behind the last name of a layer (an operation's own scope) is left out. Of
    several layers of that name it is the one whose path ends most like the scope.
    """
    layers = layers_of(model)
    components = canonical_components(layers)
    paths: dict[str, list[list[str]]] = {}
    for layer in layers:
        known = paths.setdefault(layer.name, [])
        if getattr(layer, "path", None):
            known.append(layer.path.split("/"))

    def path(scope: str) -> str:
        parts = scope.split("/")
        while parts and parts[-1] not in paths:
            parts.pop()
        if not parts:
            return ""
        known = paths[parts[-1]] or [parts]
        held = max(known, key=lambda held: _alike_from_the_end(held, parts))
        return "/".join(_renamed("/".join(held), components))

    return path


def _alike_from_the_end(left: list[str], right: list[str]) -> int:
    """Count the components that two paths share, from the last one backwards."""
    pairs = zip(reversed(left), reversed(right), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _renamed(path: str, components: dict[str, str]) -> Iterator[str]:
    for component in path.split("/"):
        yield components.get(component, component)


def _distinct(paths: Iterator[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for path in paths:
        seen[path] += 1
        yield path if seen[path] == 1 else f"{path}#{seen[path]}"


def to_snake_case(class_name: str) -> str:
    """Give the stem of the names that Keras gives to layers of that class.

    >>> to_snake_case("Conv2DTranspose"), to_snake_case("MyBlock")
    ('conv2d_transpose', 'my_block')
    """
    for pattern, replacement in SNAKE:
        class_name = pattern.sub(replacement, class_name)
    return class_name.lower()


def _numbered(stem: str, number: int) -> str:
    return f"{stem}_{number}" if number else stem
