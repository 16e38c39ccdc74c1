"""groups: a plan's learning rates, as the optimizers of a framework take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.api.task import find_framework
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from fanin.prescription import Plan


def groups(
    plan: Plan,
    model: object,
    *,
    lr: float,
    optimizer: str = "adam",
    weight_decay: float = 0.0,
) -> Any:  # noqa: ANN401 (each framework's own kind)
    """Give each parameter its learning rate and decay, as the plan has them.

    Args:
        plan: of the model, by a policy with rules for learning rates ("mup"); under
            others all parameters get the same.
        model: with the parameters of the plan; frozen ones are left out.
        lr: the learning rate that fits the base.
        optimizer: by name: "sgd", or "adam", "adamw" and others whose steps do not grow
            with the gradient. Steps of the two families scale differently.
        weight_decay: that fits the base; scaled so that it takes the same share of a
            weight a step at every width.

    Returns:
        PyTorch: parameter groups for ``torch.optim``. Keras: a list of groups, an
        optimizer each: "variables", "learning_rate", "weight_decay". JAX: the trees
        "learning_rate" and "weight_decay", shaped as the gradients are.

    Raises:
        ArgumentError: if a number is out of range, or the model has other parameters.
        UnknownNameError: if no rule for the optimizer is known.

    >>> import fanin, torch
    >>> def net(n):
    ...     return torch.nn.Sequential(
    ...         torch.nn.Linear(4, n), torch.nn.Tanh(), torch.nn.Linear(n, 2)
    ...     )
    >>> model, x = net(64), torch.zeros(8, 4)
    >>> plan = fanin.plan(model, policy="mup", base=net(16), seed=0)
    >>> found = fanin.groups(plan, model, lr=0.01)
    >>> [(len(group["params"]), group["lr"]) for group in found]
    [(3, 0.01), (1, 0.0025)]
    """
    from fanin.prescription.widening.multipliers import rates

    framework = find_framework(model)
    found = rates(plan, lr=lr, optimizer=optimizer, weight_decay=weight_decay)
    for parameter in framework.parameters(model):
        if parameter.is_trainable and parameter.path not in found:
            expected = (
                f"the one that the plan is for, which has no parameter "
                f"{parameter.path!r}"
            )
            received = type(model).__name__
            raise ArgumentError.of(
                argument="model", received=received, expected=expected
            )
    return framework.groups(model, found)
