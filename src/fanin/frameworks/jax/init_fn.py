"""A function without arguments that gives a model's parameters, to be run under jit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import jax
import numpy as np

from fanin.errors import NoStorageError
from fanin.frameworks.jax.computed import computed
from fanin.frameworks.jax.opened import is_abstract
from fanin.frameworks.jax.opening import opened
from fanin.frameworks.jax.parameters import place_of, require_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.frameworks.jax.opened import Opened
    from fanin.graph.draws import Draw
    from fanin.graph.formula import Formula

MOST_WRITTEN_DOWN: Final = 1 << 14
"""Numbers of a parameter that are put into the program, where it has no formula."""


def init_fn(
    model: Any, draws: Mapping[str, Draw], formulas: Mapping[str, Formula | None]
) -> Callable[[], Any]:
    """Give a pure function that makes the parameters' tree.

    A parameter with a formula is computed where it lies, each device its own part. One
    without (an orthogonal matrix) is drawn whole by the host while the function runs.

    Args:
        model: shapes suffice.
        draws: by path.
        formulas: by path; None where there is none.

    Raises:
        UnknownParameterError: if a path is not the model's.
        ShapeError: if a draw has not its parameter's shape.
        NoStorageError: if another array of a pair is only a shape.
    """
    held = opened(model)
    places = {path: place_of(path, held.parameters) for path in draws}
    for path, place in places.items():
        require_shape(path, held.parameters[place].array, draws[path].shape)
    _require_the_rest(held, set(places.values()))

    def init() -> Any:
        arrays = {
            place: _array(held.parameters[place].array, draws[path], formulas[path])
            for path, place in places.items()
        }
        return held.drawn(arrays)

    return init


def _array(like: Any, draw: Draw, formula: Formula | None) -> Any:
    dtype = np.dtype(like.dtype)
    if formula is not None:
        found = computed(formula).astype(dtype)
    elif draw.shape and int(np.prod(draw.shape)) > MOST_WRITTEN_DOWN:
        shape = jax.ShapeDtypeStruct(draw.shape, dtype)  # type: ignore[no-untyped-call]
        found = jax.pure_callback(partial(_whole, draw, dtype), shape)
    else:
        found = jax.numpy.asarray(_whole(draw, dtype))
    return _laid_out(found, like)


def _whole(draw: Draw, dtype: Any) -> np.ndarray:
    out = np.empty(draw.shape, dtype=dtype)
    draw.fill(out)
    return out


def _laid_out(array: Any, like: Any) -> Any:
    """Lay an array out as another one is, or as a shape says; the caller may differ."""
    sharding = getattr(like, "sharding", None)
    if not isinstance(sharding, jax.sharding.NamedSharding):
        return array
    is_free = set(sharding.mesh.axis_types) == {jax.sharding.AxisType.Auto}
    has_devices = not isinstance(sharding.mesh, jax.sharding.AbstractMesh)
    if not is_free or not (has_devices or _is_set(sharding.mesh)):
        return array
    return jax.lax.with_sharding_constraint(array, sharding)  # type: ignore[no-untyped-call]


def _is_set(mesh: Any) -> bool:
    return bool(jax.sharding.get_abstract_mesh() == mesh)


def _require_the_rest(held: Opened, drawn: set[str]) -> None:
    """Refuse a tree that would hold shapes beside numbers.

    Raises:
        NoStorageError: it names the first.
    """
    if not held.is_tree_whole:
        return
    for kind, those in (("abstract", held.parameters), ("buffer", held.buffers)):
        for path, each in those.items():
            if path not in drawn and is_abstract(each.array):
                raise NoStorageError.of(path, kind)
