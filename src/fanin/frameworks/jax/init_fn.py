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
    """Make one parameter in the dtype and the layout of another array, or shape."""
    make = partial(_made, draw, formula, np.dtype(like.dtype))
    sharding = getattr(like, "sharding", None)
    if not isinstance(sharding, jax.sharding.NamedSharding):
        return make()
    mesh = sharding.mesh
    is_set = jax.sharding.get_abstract_mesh() == mesh.abstract_mesh
    kinds = set(mesh.axis_types)
    if kinds == {jax.sharding.AxisType.Auto}:
        if not is_set and isinstance(mesh, jax.sharding.AbstractMesh):
            return make()  # of a mesh that is not there
        return jax.lax.with_sharding_constraint(make(), sharding)  # type: ignore[no-untyped-call]
    if is_set and kinds == {jax.sharding.AxisType.Explicit}:
        return jax.sharding.auto_axes(make, out_sharding=sharding.spec)()
    return make()


def _made(draw: Draw, formula: Formula | None, dtype: np.dtype[Any]) -> Any:
    if formula is not None:
        return computed(formula).astype(dtype)
    if int(np.prod(draw.shape)) <= MOST_WRITTEN_DOWN:
        return jax.numpy.asarray(_whole(draw, dtype))
    shape = jax.ShapeDtypeStruct(draw.shape, dtype)  # type: ignore[no-untyped-call]
    return jax.pure_callback(partial(_whole, draw, dtype), shape)


def _whole(draw: Draw, dtype: Any) -> np.ndarray:
    out = np.empty(draw.shape, dtype=dtype)
    draw.fill(out)
    return out


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
