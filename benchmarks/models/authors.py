"""What the authors of each architecture in ``norm_free.py`` draw themselves.

The numbers are those of their code, for the widths that they publish; the nets here are
narrower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from benchmarks.models.norm_free import Residual

if TYPE_CHECKING:
    from collections.abc import Callable


def by_fan_out(net: nn.Module) -> None:
    """He's law by fan-out, as torchvision has it for ResNet and MobileNet."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def small(net: nn.Module, std: float = 0.02) -> None:
    """Draw N(0, 0.02²), whatever the width: ConvNeXt, DeiT, GPT-2, LLaMA."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.MultiheadAttention):
            nn.init.trunc_normal_(module.in_proj_weight, std=std)


def gpt2(net: nn.Module) -> None:
    """As ``small``, and 0.02/√(2 L) at the ends of the branches."""
    small(net)
    branches = [
        module.branch for module in net.modules() if isinstance(module, Residual)
    ]
    for branch in branches:
        ends = [m for m in branch.modules() if isinstance(m, nn.Linear)]
        nn.init.normal_(ends[-1].weight, std=0.02 / len(branches) ** 0.5)


def t5(net: nn.Module) -> None:
    """Draw N(0, 1/n_in), no bias: T5 1.1, whose layers are GEGLU."""
    for module in net.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5)
            nn.init.zeros_(module.bias)


def for_glu(net: nn.Module) -> None:
    """Draw N(0, 4/n_in): twice He's for relu (Gehring et al. 2017)."""
    for module in net.modules():
        if isinstance(module, nn.Conv1d):
            n_in = module.in_channels * module.kernel_size[0]
            nn.init.normal_(module.weight, std=(4 / n_in) ** 0.5)
            nn.init.zeros_(module.bias)


AUTHORS: dict[str, Callable[[nn.Module], None]] = {
    "residual cnn": by_fan_out,
    "mobilenet": by_fan_out,
    "convnext": small,
    "encoder": small,
    "decoder": gpt2,
    "swiglu": small,
    "geglu chain": t5,
    "gated conv": for_glu,
}
