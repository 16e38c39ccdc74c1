"""What a program closes over: a batch that the caller's own function brought along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jax.extend.core import ClosedJaxpr

if TYPE_CHECKING:
    from collections.abc import Sequence


def with_arrays_as_inputs(closed: Any, kept: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Turn the arrays that a program closes over into inputs, but for the ``kept``.

    A function of the caller's that brings its own batch along closes over it. Single
    numbers stay constants.

    Returns:
        The program with further inputs behind its own, and the arrays for them.

    >>> import jax
    >>> x = jax.numpy.ones((4, 2))
    >>> closed, brought = with_arrays_as_inputs(
    ...     jax.make_jaxpr(lambda w: x @ w)(x.T), ()
    ... )
    >>> len(closed.jaxpr.invars), [array.shape for array in brought]
    (2, [(4, 2)])
    """
    names: list[Any] = []
    arrays: list[Any] = []
    moved: list[Any] = []
    brought: list[Any] = []
    own = {id(array) for array in kept}
    pairs = zip(closed.jaxpr.constvars, closed.consts, strict=True)
    for name, array in pairs:
        is_given = np.size(array) > 1 and id(array) not in own
        (moved if is_given else names).append(name)
        (brought if is_given else arrays).append(array)
    jaxpr = closed.jaxpr.replace(constvars=names, invars=[*closed.jaxpr.invars, *moved])
    return ClosedJaxpr(jaxpr, arrays), brought
