"""The example batch as arguments of a JAX model, without NaN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from fanin.errors import BatchError
from fanin.frameworks.jax.opened import is_abstract, is_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph import Task


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What the model is called with.

    call: in place of arguments, a function of the model that gives its output.
    """

    positional: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    call: Callable[[Any], Any] | None = None

    @property
    def leaves(self) -> list[Any]:
        """All arrays among the arguments, in order."""
        tree = (self.positional, dict(self.keywords))
        return [leaf for leaf in jax.tree.leaves(tree) if is_array(leaf)]

    def with_leaves(self, leaves: Sequence[Any]) -> Arguments:
        """Give the same arguments with other arrays."""
        waiting = iter(leaves)
        positional, keywords = jax.tree.map(
            lambda leaf: next(waiting) if is_array(leaf) else leaf,
            (self.positional, dict(self.keywords)),
        )
        return replace(self, positional=positional, keywords=keywords)


def arguments_of(task: Task) -> Arguments:
    """Turn a task's batch into arguments: arrays of JAX, float64 as float32.

    Raises:
        BatchError: if an array holds NaN or infinity, or there is none.
    """
    if task.objective is not None:
        return Arguments(call=task.objective)
    if callable(task.batch) and not is_array(task.batch):
        return Arguments(call=task.batch)
    if task.batch is None:
        what = (
            "There is no batch. Give one (an array, a tuple, a dict of keywords or a "
            "function of the model), or an objective."
        )
        raise BatchError(what)
    if isinstance(task.batch, Mapping):
        return Arguments(keywords={k: _placed(v) for k, v in task.batch.items()})
    if isinstance(task.batch, tuple | list):
        return Arguments(positional=tuple(_placed(item) for item in task.batch))
    return Arguments(positional=(_placed(task.batch),))


def _placed(tree: Any) -> Any:
    return jax.tree.map(_as_array, tree)


def _as_array(leaf: Any) -> Any:
    if not is_array(leaf) or is_abstract(leaf):
        return leaf
    if jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return leaf
    array = narrowed(leaf)
    is_float = jax.numpy.issubdtype(array.dtype, jax.numpy.floating)
    if is_float and not bool(jax.numpy.isfinite(array).all()):
        what = (
            f"The batch's array of shape {tuple(array.shape)} holds NaN or infinity. "
            "Give finite numbers: every statistic behind them would be NaN too."
        )
        raise BatchError(what)
    return array


def narrowed(leaf: Any) -> Any:
    """Give an array as JAX's, in the widest type that JAX is set to, unwarned."""
    array = np.asarray(leaf) if not isinstance(leaf, jax.Array) else leaf
    return jax.numpy.asarray(array, dtype=jax.dtypes.canonicalize_dtype(array.dtype))
