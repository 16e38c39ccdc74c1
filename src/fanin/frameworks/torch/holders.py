"""How each parameter of a torch module is reached from it, module by module."""

from __future__ import annotations

from typing import Any

import torch

from fanin.frameworks.torch.wrapped import held_by, without_wrappers
from fanin.graph.holder import Step

CONTAINERS = (
    torch.nn.Sequential,
    torch.nn.ModuleList,
    torch.nn.ModuleDict,
    torch.nn.ParameterList,
    torch.nn.ParameterDict,
)


def holders(model: Any) -> dict[str, tuple[Step, ...]]:
    """Give the steps to each parameter, by each of its paths; wrappers are no steps.

    >>> net = torch.nn.Sequential(torch.nn.Linear(1, 1))
    >>> [(type(s.holder).__name__, s.key) for s in holders(net)["0.weight"]]
    [('Sequential', '0'), ('Linear', 'weight')]
    """
    names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    return {
        path: tuple(_steps(model, raw)) for raw, path in without_wrappers(model, names)
    }


def _steps(model: Any, path: str) -> list[Step]:
    found: list[Step] = []
    held, name = model, ""
    for part in path.split("."):
        members = {**held._modules, **held._parameters}  # noqa: SLF001 (public names run code)
        child = members[part]
        if held_by(held) != part:
            name = f"{name}.{part}" if name else part
            siblings = tuple(members.values()) if isinstance(held, CONTAINERS) else ()
            found.append(
                Step(holder=held, key=part, child=child, name=name, siblings=siblings)
            )
        held = child
    return found
