"""fanin decides, explains, checks and applies the initial weights of neural networks.

``import fanin`` loads no framework, no SymPy and no Numba: each arrives when needed.

    fanin.explain("zero")              the lesson, proved with symbols
    fanin.check(model, batch, …)       what will not learn, before training
    fanin.plan(model, batch, …)        a scheme and a scale for each parameter, and why
    fanin.init(model, batch, …)        plan, verify, write: all parameters, or none
    fanin.compare(…)                   schemes raced on real data
"""

from fanin import schemes as schemes
from fanin.api import activation as activation
from fanin.api import apply as apply
from fanin.api import check as check
from fanin.api import compare as compare
from fanin.api import draw as draw
from fanin.api import explain as explain
from fanin.api import init as init
from fanin.api import plan as plan
from fanin.errors import FaninError as FaninError

__all__ = [
    "FaninError",
    "activation",
    "apply",
    "check",
    "compare",
    "draw",
    "explain",
    "init",
    "plan",
    "schemes",
]
__version__ = "0.1.0"
