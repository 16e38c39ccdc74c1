"""Architectures that played no part in setting the rules' thresholds: no alarm.

Each is written in its usual way with its usual initial weights.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.rules import Severity, inspect, judge

BATCH, CLASSES = 32, 10


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 16, 3, padding=1)
        self.deep = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.head = nn.Conv2d(32, 3, 3, padding=1)

    def forward(self, x):
        skip = torch.relu(self.down(x))
        h = torch.relu(self.up(torch.relu(self.deep(skip))))
        return self.head(torch.cat([skip, h], dim=1))


class MobileNet(nn.Module):
    """Inverted bottlenecks, initialized as torchvision does."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.first, self.second = self.block(16, 16, 1), self.block(16, 24, 2)
        self.head = nn.Linear(24, CLASSES)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")

    @staticmethod
    def block(n_in, n_out, stride):
        wide = 4 * n_in
        return nn.Sequential(
            nn.Conv2d(n_in, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, n_out, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )

    def forward(self, x):
        h = self.stem(x)
        return self.head(self.second(h + self.first(h)).mean(dim=(2, 3)))


def vgg():
    layers, n_in = [], 3
    for width in (32, 32, 0, 64, 64, 0, 64, 64, 64, 0):
        if not width:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(n_in, width, 3, padding=1), nn.ReLU(inplace=True)]
        nn.init.kaiming_normal_(layers[-2].weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(layers[-2].bias)
        n_in = width
    head = [nn.Linear(256, 128), nn.ReLU(), nn.Dropout(), nn.Linear(128, CLASSES)]
    for layer in head[::3]:
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers, nn.Flatten(), *head)


class TiedLanguageModel(nn.Module):
    """GPT-2's scheme: std 0.02 everywhere, head and embedding tied."""

    def __init__(self, width=64, depth=4, n_words=50):
        super().__init__()
        self.words, self.places = nn.Embedding(n_words, width), nn.Embedding(16, width)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, 4, 4 * width, 0.1, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, n_words, bias=False)
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Embedding):
                nn.init.normal_(layer.weight, std=0.02)
        self.head.weight = self.words.weight

    def forward(self, tokens):
        x = self.words(tokens) + self.places(torch.arange(tokens.shape[1]))
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        for block in self.blocks:
            x = block(x, src_mask=mask, is_causal=True)
        return self.head(self.norm(x)).transpose(1, 2)


class VariationalAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(64, 64)
        self.mean, self.log_variance = nn.Linear(64, 8), nn.Linear(64, 8)
        self.decode = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        h = torch.relu(self.enter(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        noise = torch.randn_like(mean)
        return self.decode(mean + noise * torch.exp(log_variance / 2))


class Siamese(nn.Module):
    """The encoder's last bias cancels in the difference."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 16))
        self.head = nn.Linear(16, 2)

    def forward(self, a, b):
        return self.head((self.encode(a) - self.encode(b)).abs())


class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Linear(32, 4)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, CLASSES))
            for _ in range(4)
        )

    def forward(self, x):
        share = self.router(x).softmax(dim=-1)
        return sum(share[:, i : i + 1] * e(x) for i, e in enumerate(self.experts))


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Conv1d(4, 16, 1)
        dilations = [1, 2, 4, 8]
        self.values, self.gates = (
            nn.ModuleList(
                nn.Conv1d(16, 16, 2, dilation=d, padding=d) for d in dilations
            )
            for _ in range(2)
        )
        self.leave = nn.Conv1d(16, CLASSES, 1)

    def forward(self, x):
        h, skips = self.enter(x), 0
        for value, gate in zip(self.values, self.gates, strict=True):
            z = (torch.tanh(value(h)) * torch.sigmoid(gate(h)))[..., : h.shape[-1]]
            h, skips = h + z, skips + z
        return self.leave(torch.relu(skips)).mean(dim=-1)


class Highway(nn.Module):
    """Gates that a bias of −3 holds nearly shut."""

    def __init__(self, depth=10, width=64):
        super().__init__()
        self.enter = nn.Linear(32, width)
        self.values = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.gates = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.leave = nn.Linear(width, CLASSES)
        for gate in self.gates:
            nn.init.constant_(gate.bias, -3.0)

    def forward(self, x):
        x = self.enter(x)
        for value, gate in zip(self.values, self.gates, strict=True):
            share = torch.sigmoid(gate(x))
            x = share * torch.relu(value(x)) + (1 - share) * x
        return self.leave(x)


class Siren(nn.Module):
    """Sines of frequency 30, initialized as their paper says."""

    def __init__(self, width=64):
        super().__init__()
        sizes = [2, width, width, width]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.leave = nn.Linear(width, 1)
        nn.init.uniform_(self.layers[0].weight, -0.5, 0.5)
        bound = (6 / width) ** 0.5 / 30
        for layer in [*self.layers[1:], self.leave]:
            nn.init.uniform_(layer.weight, -bound, bound)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sin(30 * layer(x))
        return self.leave(x)


class PostNorm(nn.Module):
    def __init__(self, depth=6):
        super().__init__()
        self.enter = nn.Linear(32, 64)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True)
            for _ in range(depth)
        )
        self.leave = nn.Linear(64, CLASSES)

    def forward(self, x):
        x = self.enter(x)
        for block in self.blocks:
            x = block(x)
        return self.leave(x[:, 0])


class Graphs(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(16, 32), nn.Linear(32, CLASSES)
        edges = (torch.rand(BATCH, BATCH) < 0.2).float() + torch.eye(BATCH)
        self.register_buffer("edges", edges / edges.sum(dim=1, keepdim=True))

    def forward(self, x):
        return self.second(self.edges @ torch.relu(self.first(self.edges @ x)))


class Maxout(nn.Module):
    def __init__(self):
        super().__init__()
        self.pieces, self.head = nn.Linear(32, 128), nn.Linear(64, CLASSES)

    def forward(self, x):
        return self.head(self.pieces(x).view(-1, 64, 2).max(dim=-1).values)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 32)
        self.cell = nn.GRU(32, 48, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(96, CLASSES)

    def forward(self, tokens):
        return self.head(self.cell(self.words(tokens))[0].mean(dim=1))


def mse(*shape):
    x = torch.rand(BATCH, *shape)
    return Task(batch=x, loss="mse", target=x)


def classify(*shape, n_classes=CLASSES):
    return Task(
        batch=torch.randn(BATCH, *shape),
        loss="cross_entropy",
        target=torch.randint(n_classes, (BATCH,)),
    )


def tokens():
    found = torch.randint(50, (BATCH, 16))
    return Task(batch=found, loss="cross_entropy", target=found)


def words():
    found = torch.randint(50, (BATCH, 16))
    return Task(batch=found, loss="cross_entropy", target=found[:, 0] % CLASSES)


def pairs():
    batch = (torch.randn(BATCH, 32), torch.randn(BATCH, 32))
    return Task(batch=batch, loss="cross_entropy", target=torch.randint(2, (BATCH,)))


def places():
    x = 2 * torch.rand(BATCH, 2) - 1
    return Task(batch=x, loss=functional.mse_loss, target=x[:, :1])


MODELS = {
    "u-net": (UNet, lambda: mse(3, 16, 16)),
    "mobilenet": (MobileNet, lambda: classify(3, 16, 16)),
    "vgg": (vgg, lambda: classify(3, 16, 16)),
    "language-model": (TiedLanguageModel, tokens),
    "variational-autoencoder": (VariationalAutoencoder, lambda: mse(64)),
    "siamese": (Siamese, pairs),
    "mixture-of-experts": (Mixture, lambda: classify(32)),
    "wavenet": (WaveNet, lambda: classify(4, 20)),
    "highway": (Highway, lambda: classify(32)),
    "siren": (Siren, places),
    "post-norm": (PostNorm, lambda: classify(7, 32)),
    "graph-convolution": (Graphs, lambda: classify(16)),
    "maxout": (Maxout, lambda: classify(32)),
    "bidirectional-gru": (Reader, words),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_a_usual_architecture_raises_no_alarm(name):
    torch.manual_seed(0)
    make, task = MODELS[name]
    report = judge(inspect(framework, make(), task()))

    assert all(f.severity is Severity.INFO for f in report.findings), str(report)


def test_a_bias_that_cancels_is_a_note():
    torch.manual_seed(0)
    report = judge(inspect(framework, Siamese(), pairs()), select=["no-gradient"])

    assert [(f.severity, f.where) for f in report.findings] == [
        (Severity.INFO, "encode.2.bias")
    ]


def test_the_encoder_that_pytorch_clones_is_found():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    model = nn.Sequential(
        nn.TransformerEncoder(layer, 3), nn.Flatten(), nn.Linear(32 * 7, CLASSES)
    )
    report = judge(inspect(framework, model, classify(7, 32)))

    assert [f.code for f in report.warnings] == ["FAN803"]
