"""fanin decides, explains, checks and applies the initial weights of neural networks.

``import fanin`` loads nothing: verbs, frameworks, SymPy and LLVM arrive when needed.

    fanin.explain("zero")              the lesson, proved with symbols
    fanin.check(model, batch, …)       what will not learn, before training
    fanin.watch(model, optimizer, …)   what the first steps of training do
    fanin.fix(report, model)           draw again what a check found, and check again
    fanin.plan(model, batch, …)        a scheme and a scale for each parameter, and why
    fanin.init(model, batch, …)        plan, verify, write: all parameters, or none
    fanin.apply(plan, model)           write a plan that was made or loaded
    fanin.init_fn(plan, model)         the same numbers as a function for jax.jit
    fanin.weightless()                 a model whose parameters take no memory
    fanin.seed_checkpoint(plan, dir)   the same numbers to disk, model never in memory
    fanin.verify(model, plan)          are these weights the plan's, to the bit?
    fanin.groups(plan, model, lr=…)    an optimizer's groups, at the plan's rates
    fanin.compare(…)                   schemes raced on real data
    fanin.depth_study, width_study     one factor measured, beside theory
    fanin.theory                       what depth does to numbers: maps, fixed points
    fanin.testing, fanin.callbacks     the check in tests and in training loops
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fanin import callbacks as callbacks
    from fanin import schemes as schemes
    from fanin import testing as testing
    from fanin import theory as theory
    from fanin.api import activation as activation
    from fanin.api import apply as apply
    from fanin.api import check as check
    from fanin.api import compare as compare
    from fanin.api import depth_study as depth_study
    from fanin.api import draw as draw
    from fanin.api import explain as explain
    from fanin.api import fix as fix
    from fanin.api import groups as groups
    from fanin.api import init as init
    from fanin.api import init_fn as init_fn
    from fanin.api import plan as plan
    from fanin.api import seed_checkpoint as seed_checkpoint
    from fanin.api import verify as verify
    from fanin.api import weightless as weightless
    from fanin.api import width_study as width_study
    from fanin.errors import FaninError as FaninError
    from fanin.watching import probe as probe
    from fanin.watching import watch as watch

__all__ = [
    "FaninError",
    "activation",
    "apply",
    "callbacks",
    "check",
    "compare",
    "depth_study",
    "draw",
    "explain",
    "fix",
    "groups",
    "init",
    "init_fn",
    "plan",
    "probe",
    "schemes",
    "seed_checkpoint",
    "testing",
    "theory",
    "verify",
    "watch",
    "weightless",
    "width_study",
]
__version__ = "0.1.0"

ROOMS: Final = ("callbacks", "schemes", "testing", "theory")
HOMES: Final = {
    "FaninError": "fanin.errors",
    "probe": "fanin.watching",
    "watch": "fanin.watching",
}
"""Where a public name lives that is no verb of ``fanin.api``."""

if not TYPE_CHECKING:  # so that a type checker still refuses a name that is not there

    def __getattr__(name: str) -> object:
        """Bring a verb, or a room, when it is first asked for."""
        if name in ROOMS:
            return import_module(f"fanin.{name}")
        if name in __all__:
            return getattr(import_module(HOMES.get(name, "fanin.api")), name)
        msg = f"module 'fanin' has no attribute {name!r}"
        raise AttributeError(msg)


def __dir__() -> list[str]:
    """List the public names, those not loaded yet as well."""
    return sorted({*globals(), *__all__})
