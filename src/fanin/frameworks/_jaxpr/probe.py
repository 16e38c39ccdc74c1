"""Sees gradients go by while JAX differentiates."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def probe(on_gradient: Callable[[int, Any], None]) -> Callable[[Any, int], Any]:
    """Give an identity function that reports the gradient that passes it.

    JAX runs a function's own derivative rule where it works the gradient out: on
    arrays, or inside ``jit`` on values of the program that it is writing. Where no
    gradient arrives (the objective does not depend on the value, or only through
    ``stop_gradient`` or a comparison) the rule is not run.

    Args:
        on_gradient: called with the number of the place and dL/d(value) there.

    >>> seen = {}
    >>> watch = probe(seen.__setitem__)
    >>> _ = jax.grad(lambda x: 3.0 * watch(x * 2.0, 1))(5.0)
    >>> float(seen[1])
    3.0
    """

    @partial(jax.custom_vjp, nondiff_argnums=(1,))
    def watched(value: Any, place: int) -> Any:
        del place
        return value

    def forward(value: Any, place: int) -> tuple[Any, None]:
        del place
        return value, None

    def backward(place: int, _: None, gradient: Any) -> tuple[Any]:
        on_gradient(place, gradient)
        return (gradient,)

    watched.defvjp(forward, backward)
    return watched


def gradients(
    objective: Callable[[Sequence[Any]], Any], values: Sequence[Any]
) -> tuple[Any, list[Any | None]]:
    """Give the objective and its gradient at each value; None where none arrives.

    JAX itself gives zeros for what an objective does not depend on.

    >>> loss, (first, second) = gradients(lambda v: 2.0 * v[0], [1.0, 1.0])
    >>> float(loss), float(first), second
    (2.0, 2.0, None)
    """
    arrived: set[int] = set()
    watch = probe(lambda place, _: arrived.add(place))

    def of_probed(given: Sequence[Any]) -> Any:
        return objective([watch(value, place) for place, value in enumerate(given)])

    loss, found = jax.value_and_grad(of_probed)([jnp.asarray(v) for v in values])
    return loss, [g if place in arrived else None for place, g in enumerate(found)]
