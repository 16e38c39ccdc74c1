"""fanin decides, explains, checks and applies the initial weights of neural networks.

``import fanin`` loads no framework, no SymPy and no Numba: each arrives when needed.

    fanin.explain("zero")              the lesson, proved with symbols
    fanin.check(model, batch, …)       what will not learn, before training
    fanin.plan(model, batch, …)        a scheme and a scale for each parameter, and why
    fanin.init(model, batch, …)        plan, verify, write: all parameters, or none
    fanin.apply(plan, model)           write a plan that was made or loaded
    fanin.groups(plan, model, lr=…)    an optimizer's groups, at the plan's rates
    fanin.compare(…)                   schemes raced on real data
    fanin.theory                       what depth does to numbers: maps, fixed points
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fanin import schemes as schemes
from fanin.api import activation as activation
from fanin.api import apply as apply
from fanin.api import check as check
from fanin.api import compare as compare
from fanin.api import draw as draw
from fanin.api import explain as explain
from fanin.api import groups as groups
from fanin.api import init as init
from fanin.api import plan as plan
from fanin.errors import FaninError as FaninError

if TYPE_CHECKING:
    from types import ModuleType

    from fanin import theory as theory

__all__ = [
    "FaninError",
    "activation",
    "apply",
    "check",
    "compare",
    "draw",
    "explain",
    "groups",
    "init",
    "plan",
    "schemes",
    "theory",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> ModuleType:
    """Bring ``fanin.theory`` when it is asked for: it loads every quadrature."""
    if name == "theory":
        return import_module("fanin.theory")
    msg = f"module 'fanin' has no attribute {name!r}"
    raise AttributeError(msg)
