"""init_fn: a plan's numbers as a function that JAX compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.api.task import find_framework
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.prescription import Plan


def init_fn(plan: Plan, model: object, *, seed: int | None = None) -> Callable[[], Any]:
    """Give a pure function without arguments that makes a JAX model's parameters.

    It is meant for ``jax.jit``, with ``out_shardings`` where the parameters are to lie
    on several devices: each computes its own part, and the bits are those that
    `fanin.init` writes. Where the model's arrays (or shapes) name shardings, the result
    has them unless ``out_shardings`` says otherwise.

    Args:
        plan: as made by `plan`, or loaded.
        model: a module of Flax NNX or Equinox, or a pair (apply, params); shapes alone
            suffice (``nnx.eval_shape``, ``jax.eval_shape``). Its values are not read.
        seed: draws the same laws from another seed; None for the plan's.

    Returns:
        A function () → tree. Of Flax NNX an ``nnx.State`` of the drawn parameters, for
        ``nnx.update(model, state)``; of Equinox the module with None for all else, for
        ``eqx.combine(tree, model)``; of a pair its ``params``, where what is not drawn
        stays.

    Raises:
        ArgumentError: if the model is not of JAX.
        UnknownParameterError, ShapeError: if the plan is of another model.
        NoStorageError: if ``params`` would hold shapes beside numbers.

    >>> import fanin, jax, jax.numpy as jnp
    >>> net = (lambda params, x: x @ params["w"], {"w": jnp.zeros((3, 2))})
    >>> plan = fanin.plan(net, jnp.ones((4, 3)), seed=0)
    >>> params = jax.jit(fanin.init_fn(plan, net))()
    >>> bool((params["w"] == fanin.apply(plan, net)[1]["w"]).all())
    True
    """
    framework = find_framework(model)
    if framework.NAME != "jax":
        expected = (
            "a module of Flax NNX or Equinox, or a pair (apply, params): fanin.init "
            "writes into a model of any other framework"
        )
        received = type(model).__name__
        raise ArgumentError.of(argument="model", received=received, expected=expected)
    from fanin.frameworks.jax.init_fn import init_fn as init_fn_of
    from fanin.prescription.formulas import formula_of

    values = framework.read(model) if plan.kept_weights else {}
    draws = plan.draws(values, seed=seed)
    own = plan.seed if seed is None else seed
    formulas = {path: formula_of(plan[path], own) for path in draws}
    return init_fn_of(model, draws, formulas)
