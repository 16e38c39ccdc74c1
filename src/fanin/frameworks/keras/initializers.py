"""Which stream of random numbers each variable was drawn from.

Keras draws the same numbers each time that one initializer *object* is called on one
shape, seeded or not: an unseeded one takes a seed when it is made and keeps it. So two
layers that share an object, or two objects with one seed, start as copies of each
other, and Keras 3 does not warn. The object is known from the layer's own attributes:
the variable ``kernel`` comes from ``kernel_initializer``.
"""

from __future__ import annotations

from typing import Any

from fanin.frameworks.keras.variables import variables_of


def initializer_of(layer: Any, variable: Any) -> str:
    """Name the stream that the variable was drawn from, or "" where there is none.

    Two variables have one name here exactly if their initializers are of one class
    and hold one seed: ``HeNormal(seed=42)``. Constants draw nothing, and an initializer
    with a ``SeedGenerator`` never draws the same twice: neither has a name.
    """
    for attribute in (variable.name, str(variable.name).removesuffix("_kernel")):
        initializer = getattr(layer, f"{attribute}_initializer", None)
        seed = getattr(initializer, "seed", None)
        if isinstance(seed, int):
            return f"{type(initializer).__name__}(seed={seed})"
    return ""


def shared_initializers(model: Any) -> dict[str, list[str]]:
    """Map each stream that several parameters were drawn from to their paths.

    Raises:
        NoStorageError: if the model is not built.
    """
    found = variables_of(model)
    made: dict[str, list[str]] = {}
    for path, variable in found.parameters.items():
        name = initializer_of(found.owners[path], variable)
        made.setdefault(name, []).append(path)
    return {name: paths for name, paths in made.items() if name and len(paths) > 1}
