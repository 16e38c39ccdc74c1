"""The architectures of the suite in PyTorch's own layers and layout."""

from __future__ import annotations

import torch
from torch import nn

from fanin.frameworks import torch as framework
from fanin.graph import Task


class ChannelsLast(nn.Module):
    """Layer normalization over the channels of (batch, channels, h, w)."""

    def __init__(self, n_channels):
        super().__init__()
        self.norm = nn.LayerNorm(n_channels, eps=1e-5)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(6, eps=1e-5),
                nn.ReLU(),
                nn.Conv2d(6, 6, 1, bias=False),
                ChannelsLast(6),
                nn.SELU(),
                nn.Conv2d(6, 6, 1),
            )
            for _ in range(2)
        )
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        for branch in self.branches:
            x = x + branch(x)
        return self.head(x.mean((2, 3)))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(8, eps=1e-5) for _ in range(2))
        self.query = nn.Linear(8, 8)
        self.key = nn.Linear(8, 8)
        self.value = nn.Linear(8, 8)
        self.out = nn.Linear(8, 8)
        self.wide = nn.Linear(8, 32)
        self.narrow = nn.Linear(32, 8)

    def attend(self, x):
        heads = [
            layer(x).unflatten(-1, (2, 4)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        ]
        mixed = nn.functional.scaled_dot_product_attention(*heads)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def forward(self, x):
        x = x + self.attend(self.norms[0](x))
        return x + self.narrow(nn.functional.gelu(self.wide(self.norms[1](x))))


class LSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(4, 3, batch_first=True)
        self.head = nn.Linear(3, 5)

    def forward(self, x):
        return self.head(self.cell(x)[0])


def mlp():
    return nn.Sequential(
        nn.Linear(12, 16),
        nn.Tanh(),
        nn.Linear(16, 16),
        nn.GELU(),
        nn.Dropout(0.25),
        nn.Linear(16, 16),
        nn.SiLU(),
        nn.Linear(16, 5),
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(4, 8, 3),
        nn.ReLU(),
        nn.BatchNorm2d(8, eps=1e-5),
        nn.Conv2d(8, 8, 3, stride=2, groups=2),
        nn.ELU(),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.LeakyReLU(0.2),
        nn.AvgPool2d(2),
        nn.ConvTranspose2d(8, 6, 4, stride=2),
        nn.Mish(),
        nn.Flatten(),
        nn.Linear(96, 5),
    )


MODELS = {
    "mlp": (mlp, (7, 12)),
    "cnn": (cnn, (7, 4, 12, 12)),
    "residual": (Residual, (7, 6, 8, 8)),
    "transformer": (Transformer, (7, 6, 8)),
    "lstm": (LSTM, (7, 3, 4)),
}


def graphs():
    """Give the graph of each architecture, by name."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: framework.record(
            make(), Task(batch=torch.randn(shape, generator=generator))
        )
        for name, (make, shape) in MODELS.items()
    }
