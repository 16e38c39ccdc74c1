"""Sets the weights of a torch model in the five ways that people know, fanin's last.

Not a benchmark: what several of them share. Each initializer takes a model and a
batch, changes the model in place, draws from torch's global generator, and gives a few
words on what it says of its own result.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import fanin

if TYPE_CHECKING:
    from collections.abc import Callable

AFFINE = (nn.Linear, nn.modules.conv._ConvNd)  # noqa: SLF001 (torch has no public name)


def default(model: nn.Module, batch: Any) -> str:
    """Leave what the constructors of the framework's layers have drawn."""
    del model, batch
    return "–"


def he(model: nn.Module, batch: Any) -> str:
    """Give every layer's weight He's normal law for relu, by fan-in, and zero biases.

    As it is written by hand: ``kaiming_normal_`` over ``model.modules()``; the packed
    projection of an attention module, too.
    """
    del batch
    for module in model.modules():
        if isinstance(module, AFFINE):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.MultiheadAttention):
            nn.init.kaiming_normal_(module.in_proj_weight, nonlinearity="relu")
            nn.init.zeros_(module.in_proj_bias)
    return "–"


def lsuv(model: nn.Module, batch: Any) -> str:
    """Run LSUV 0.3.0 (Mishkin & Matas 2016) with its own settings."""
    from lsuv import lsuv_with_singlebatch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        lsuv_with_singlebatch(model, batch, verbose=False)
    return "warns" if said else "–"


def anyinit(model: nn.Module, batch: Any) -> str:
    """Run AnyInit 0.4.0 with the batch and a seed from torch's generator."""
    import anyinit as peer

    seed = int(torch.randint(2**31, ()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = peer.initialize(model, input_spec=batch, seed=seed)
    return own_verdict(report)


def own_verdict(report: Any) -> str:
    """Say what AnyInit's own ``assert_healthy`` says, in a word or two."""
    try:
        report.assert_healthy()
    except AssertionError as error:
        text = str(error).partition(": ")[2]
        return "unstable" if "depth-stable" in text else "prediction off"
    return "healthy"


def ours(model: nn.Module, batch: Any) -> str:
    """Run ``fanin.init(model, batch)``."""
    plan = fanin.init(model, batch)
    return "warns" if plan.warnings else "–"


INITIALIZERS: dict[str, Callable[[nn.Module, Any], str]] = {
    "default": default,
    "He": he,
    "LSUV": lsuv,
    "AnyInit": anyinit,
    "fanin": ours,
}
