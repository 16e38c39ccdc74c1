"""Published architectures, small, with their normalization layers or without them.

Each net reads an image of 8 × 8 and gives ten logits. ``depth`` multiplies the number
of blocks. The layers stand in the order in which they run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE, CLASSES = 8, 10
CHANNELS, WIDTH, HEADS = 16, 32, 4
LAYER_SCALE = 1e-6


def left_out(_: int) -> nn.Module:
    """Stand where a normalization stood."""
    return nn.Identity()


def batch_norm(width: int) -> nn.Module:
    """Normalize by the batch's own statistics, running ones are not kept."""
    return nn.BatchNorm2d(width, track_running_stats=False)


def group_norm(width: int) -> nn.Module:
    """Normalize over all channels and positions of a sample."""
    return nn.GroupNorm(1, width)


class Residual(nn.Module):
    """x + branch(x), and an activation behind the sum where there is one."""

    def __init__(self, branch: nn.Module, behind: nn.Module | None = None) -> None:
        super().__init__()
        self.branch = branch
        self.behind = behind or nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the branch to the stream."""
        return self.behind(x + self.branch(x))


class Places(nn.Module):
    """Adds a learned vector to each position."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(SIDE, WIDTH))
        nn.init.normal_(self.table, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the table."""
        return x + self.table


class LayerScale(nn.Module):
    """Multiplies each channel by a learned number that starts at 10⁻⁶."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width, 1, 1), LAYER_SCALE))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale the channels."""
        return x * self.gamma


class Attention(nn.Module):
    """Causal self-attention with one matrix for queries, keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Attend to what came before."""
        n, length, _ = x.shape
        q, k, v = (
            part.reshape(n, length, HEADS, WIDTH // HEADS).transpose(1, 2)
            for part in self.qkv(x).chunk(3, -1)
        )
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(n, length, WIDTH))


class Gated(nn.Module):
    """A gated pair of layers and one behind their product (Shazeer 2020)."""

    def __init__(self, gate: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = gate
        self.gate = nn.Linear(WIDTH, 2 * WIDTH)
        self.up = nn.Linear(WIDTH, 2 * WIDTH)
        self.down = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply one layer by the activation of another."""
        return self.down(self.function(self.gate(x)) * self.up(x))


class Last(nn.Module):
    """The last position of a sequence."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give (samples, features)."""
        return x[:, -1]


class Mean(nn.Module):
    """The mean over positions of a sequence."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give (samples, features)."""
        return x.mean(1)


class Pool(nn.Module):
    """The mean over an image."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give (samples, channels)."""
        return x.mean((2, 3))


def resnet(depth: int, *, norm: bool) -> nn.Module:
    """Basic blocks (He et al. 2016): two convolutions, relu behind the sum."""
    normed = batch_norm if norm else left_out

    def block() -> nn.Module:
        branch = nn.Sequential(
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=not norm),
            normed(CHANNELS),
            nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=not norm),
            normed(CHANNELS),
        )
        return Residual(branch, nn.ReLU())

    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3, stride=2, padding=1),
        normed(CHANNELS),
        nn.ReLU(),
        *[block() for _ in range(4 * depth)],
        Pool(),
        nn.Linear(CHANNELS, CLASSES),
    )


def mobilenet(depth: int, *, norm: bool) -> nn.Module:
    """Inverted residuals (Sandler et al. 2018): expand, depthwise, project."""
    normed = batch_norm if norm else left_out
    wide = 3 * CHANNELS

    def block() -> nn.Module:
        branch = nn.Sequential(
            nn.Conv2d(CHANNELS, wide, 1, bias=not norm),
            normed(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=not norm),
            normed(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, CHANNELS, 1, bias=not norm),
            normed(CHANNELS),
        )
        return Residual(branch)

    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3, stride=2, padding=1),
        normed(CHANNELS),
        nn.ReLU6(),
        *[block() for _ in range(3 * depth)],
        nn.Conv2d(CHANNELS, 2 * CHANNELS, 1),
        normed(2 * CHANNELS),
        nn.ReLU6(),
        Pool(),
        nn.Linear(2 * CHANNELS, CLASSES),
    )


def convnext(depth: int, *, norm: bool) -> nn.Module:
    """Depthwise, two pointwise, LayerScale at 10⁻⁶ (Liu et al. 2022)."""
    normed = group_norm if norm else left_out

    def block() -> nn.Module:
        branch = nn.Sequential(
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS),
            normed(CHANNELS),
            nn.Conv2d(CHANNELS, 4 * CHANNELS, 1),
            nn.GELU(),
            nn.Conv2d(4 * CHANNELS, CHANNELS, 1),
            LayerScale(CHANNELS),
        )
        return Residual(branch)

    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, 2, stride=2),
        normed(CHANNELS),
        *[block() for _ in range(3 * depth)],
        Pool(),
        nn.LayerNorm(CHANNELS) if norm else nn.Identity(),
        nn.Linear(CHANNELS, CLASSES),
    )


def encoder(depth: int, *, norm: bool) -> nn.Module:
    """Torch's own encoder layers, norm first, over the rows of the image."""
    blocks = []
    for _ in range(2 * depth):
        block = nn.TransformerEncoderLayer(
            WIDTH,
            HEADS,
            2 * WIDTH,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        if not norm:
            block.norm1 = block.norm2 = nn.Identity()  # type: ignore[assignment]
        blocks.append(block)
    last = nn.LayerNorm(WIDTH) if norm else nn.Identity()
    return nn.Sequential(
        nn.Flatten(1, 2),
        nn.Linear(SIDE, WIDTH),
        Places(),
        *blocks,
        last,
        Mean(),
        nn.Linear(WIDTH, CLASSES),
    )


def decoder(depth: int, *, norm: bool) -> nn.Module:
    """Causal blocks as GPT-2 has them (Radford et al. 2019), read at the last row."""
    normed = nn.LayerNorm if norm else left_out

    def block() -> nn.Module:
        attend = nn.Sequential(normed(WIDTH), Attention())
        think = nn.Sequential(
            normed(WIDTH),
            nn.Linear(WIDTH, 2 * WIDTH),
            nn.GELU(approximate="tanh"),
            nn.Linear(2 * WIDTH, WIDTH),
        )
        return nn.Sequential(Residual(attend), Residual(think))

    return nn.Sequential(
        nn.Flatten(1, 2),
        nn.Linear(SIDE, WIDTH),
        Places(),
        *[block() for _ in range(2 * depth)],
        normed(WIDTH),
        Last(),
        nn.Linear(WIDTH, CLASSES),
    )


def swiglu(depth: int, *, norm: bool) -> nn.Module:
    """Residual SwiGLU blocks, as LLaMA's feed-forward (Touvron et al. 2023)."""
    normed = nn.RMSNorm if norm else left_out
    blocks = [
        Residual(nn.Sequential(normed(WIDTH), Gated(functional.silu)))
        for _ in range(3 * depth)
    ]
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(SIDE * SIDE, WIDTH),
        *blocks,
        normed(WIDTH),
        nn.Linear(WIDTH, CLASSES),
    )


def geglu(depth: int, *, norm: bool) -> nn.Module:
    """GEGLU layers one behind the other, with no way around them."""
    normed = nn.LayerNorm if norm else left_out
    blocks = [
        nn.Sequential(normed(WIDTH), Gated(functional.gelu)) for _ in range(2 * depth)
    ]
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(SIDE * SIDE, WIDTH),
        *blocks,
        nn.Linear(WIDTH, CLASSES),
    )


def gated_conv(depth: int, *, norm: bool) -> nn.Module:
    """Gated convolutions along the rows in residual blocks (Dauphin et al. 2017)."""
    normed = group_norm if norm else left_out

    def layer() -> nn.Module:
        return nn.Sequential(
            nn.Conv1d(WIDTH, 2 * WIDTH, 3, padding=1), nn.GLU(1), normed(WIDTH)
        )

    return nn.Sequential(
        nn.Flatten(1, 2),
        nn.Conv1d(SIDE, WIDTH, 1),
        *[Residual(nn.Sequential(layer(), layer())) for _ in range(2 * depth)],
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(WIDTH, CLASSES),
    )


NETS: dict[str, Callable[..., nn.Module]] = {
    "residual cnn": resnet,
    "mobilenet": mobilenet,
    "convnext": convnext,
    "encoder": encoder,
    "decoder": decoder,
    "swiglu": swiglu,
    "geglu chain": geglu,
    "gated conv": gated_conv,
}
