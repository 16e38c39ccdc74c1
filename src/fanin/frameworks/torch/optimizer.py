"""Read an optimizer of torch: what it steps, how fast, and its first step."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import ArgumentError
from fanin.frameworks.torch.parameters import as_tensor, identity, trainable
from fanin.graph.optimizer import DIVIDING, UNKNOWN, OptimizerFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.frameworks.torch.parameters import Identity
    from fanin.graph.optimizer import FirstStep

FAMILIES = DIVIDING | {
    "sgd",
    "asgd",
    "radam",
    "adadelta",
    "adafactor",
    "lion",
    "muon",
    "rprop",
    "lbfgs",
    "sparseadam",
}
NEEDS_MORE = frozenset({"lbfgs", "sparseadam"})
"""Methods that cannot step on dense gradients alone."""
Owned = dict[int, str]


def optimizer_facts(model: Any, optimizer: Any) -> OptimizerFacts:
    """Read what an optimizer will do to the parameters of a model; neither is changed.

    Args:
        model: a module.
        optimizer: of ``torch.optim``, or any with ``param_groups``.

    Returns:
        The facts; ``unstepped`` are trainable parameters in no group.

    Raises:
        ArgumentError: if it has no parameter groups.

    >>> net = torch.nn.Linear(2, 1)
    >>> facts = optimizer_facts(net, torch.optim.SGD([net.weight], lr=0.5))
    >>> facts.family, dict(facts.rates), facts.unstepped
    ('sgd', {'weight': 0.5}, ('bias',))
    """
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list):
        expected = "a torch.optim.Optimizer, or the name of one"
        raise ArgumentError.of(
            argument="optimizer", received=optimizer, expected=expected
        )
    names = {identity(tensor): path for path, tensor in trainable(model)}
    rates = {
        path: float(group["lr"])
        for group in groups
        for path in _paths(group, names)
        if "lr" in group
    }
    stepped = {path for group in groups for path in _paths(group, names)}
    family = _family(optimizer)
    first = groups[0] if groups else {}
    return OptimizerFacts(
        family=family,
        rates=rates,
        momentum=float(first.get("momentum", 0.0)),
        betas=tuple(float(b) for b in first.get("betas", ())),
        eps=_number(first.get("eps", 0.0)),
        weight_decay=max((_number(g.get("weight_decay")) for g in groups), default=0.0),
        unstepped=tuple(p for p in names.values() if p not in stepped),
        first_step=None if family in NEEDS_MORE else _first_step(optimizer, names),
    )


def _family(optimizer: Any) -> str:
    """Give the name of the nearest class above that is a known method's."""
    names = (kind.__name__.lower() for kind in type(optimizer).__mro__)
    return next((name for name in names if name in FAMILIES), UNKNOWN)


def _number(value: Any) -> float:
    """Give one number; of several (Adafactor has two eps) the first."""
    if isinstance(value, (tuple, list)):
        value = next((each for each in value if each is not None), 0.0)
    return float(value or 0.0)


def _paths(group: Mapping[str, Any], names: Mapping[Identity, str]) -> list[str]:
    found = (names.get(identity(tensor)) for tensor in group["params"])
    return [path for path in found if path is not None]


def _first_step(optimizer: Any, names: Mapping[Identity, str]) -> FirstStep:
    """Give a function that runs the optimizer's own next step, on float64 copies."""

    def change(
        values: Mapping[str, np.ndarray], gradients: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        copies = {
            path: _with_gradient(values[path], gradient)
            for path, gradient in gradients.items()
            if path in values
        }
        before = {path: tensor.detach().clone() for path, tensor in copies.items()}
        try:
            _stand_in(optimizer, names, copies).step()
        except (RuntimeError, TypeError, ValueError, KeyError, AttributeError):
            return {}  # a method that needs more than gradients: nothing is known
        return {
            path: (tensor.detach() - before[path]).numpy()
            for path, tensor in copies.items()
        }

    return change


def _with_gradient(value: np.ndarray, gradient: np.ndarray) -> torch.nn.Parameter:
    copy = torch.nn.Parameter(as_tensor(value, torch.float64))
    copy.grad = as_tensor(gradient, torch.float64)
    return copy


def _stand_in(
    optimizer: Any,
    names: Mapping[Identity, str],
    copies: Mapping[str, torch.nn.Parameter],
) -> Any:
    """Give another object of the optimizer's class that owns the copies.

    Its hooks are left out, and a ``step`` that a scheduler put on the object: the
    class's own takes the step. Weight decay is 0.
    """
    own = vars(optimizer)
    kept = {k: v for k, v in own.items() if k != "step" and not k.endswith("_hooks")}
    hooks: dict[str, Any] = {k: OrderedDict() for k in own if k.endswith("_hooks")}
    state: dict[Any, dict[str, Any]] = defaultdict(dict)
    groups = []
    for group in optimizer.param_groups:
        held = [(t, copies.get(names.get(identity(t), ""))) for t in group["params"]]
        pairs = [(tensor, copy) for tensor, copy in held if copy is not None]
        for tensor, copy in pairs:
            if tensor in optimizer.state:
                state[copy] = {k: _own(v) for k, v in optimizer.state[tensor].items()}
        groups.append({**group, **_plain(group), "params": [c for _, c in pairs]})
    made = object.__new__(type(optimizer))
    vars(made).update({**kept, **hooks, "param_groups": groups, "state": state})
    return made


def _plain(group: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings that a step on float64 copies without decay needs."""
    wanted = {"weight_decay": 0.0, "foreach": False, "fused": None, "capturable": False}
    return {key: value for key, value in wanted.items() if key in group}


def _own(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    is_real = value.is_floating_point() and value.ndim > 0
    return value.detach().to("cpu", torch.float64 if is_real else None, copy=True)
