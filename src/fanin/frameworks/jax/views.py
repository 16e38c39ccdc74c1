"""The values of a JAX model to look at, without a copy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fanin.frameworks._jaxpr.sharded import whole_of
from fanin.frameworks.jax.opened import is_abstract, numbers
from fanin.frameworks.jax.opening import opened
from fanin.frameworks.views import Views

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


def view(model: Any) -> Mapping[str, np.ndarray]:
    """Give the parameters' values by path, over JAX's own memory where it is the CPU's.

    Raises:
        NoStorageError: if one is only a shape.
    """
    held = {path: each.array for path, each in opened(model).parameters.items()}
    for path, array in held.items():
        if is_abstract(array):
            numbers(path, array)
    return Views({path: partial(whole_of, array) for path, array in held.items()})
