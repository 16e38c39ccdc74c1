"""Healthy torch models, legitimate zeros among them: no error and no warning."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.rules import Severity, Verdict, inspect, judge

BATCH, FEATURES, WIDTH, CLASSES, LENGTH, WORDS = 64, 32, 64, 10, 12, 50


def inputs(*shape):
    return torch.randn((BATCH, *shape), generator=torch.Generator().manual_seed(0))


def classes(n_classes=CLASSES):
    return torch.randint(
        n_classes, (BATCH,), generator=torch.Generator().manual_seed(1)
    )


def mlp(n_hidden, activation=nn.ReLU, init=None, width=WIDTH, n_out=CLASSES):
    layers, n_in = [], FEATURES
    for _ in range(n_hidden):
        layers += [nn.Linear(n_in, width), activation()]
        n_in = width
    model = nn.Sequential(*layers, nn.Linear(n_in, n_out))
    for layer in model:
        if init and isinstance(layer, nn.Linear):
            init(layer.weight)
            nn.init.zeros_(layer.bias)
    if init:  # a deep net's head is given unit gain, not the hidden layers'
        nn.init.normal_(model[-1].weight, std=0.5 * width**-0.5)
    return model


def zero_head(model):
    nn.init.zeros_(model[-1].weight)
    nn.init.zeros_(model[-1].bias)
    return model


def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1, groups=32),
        nn.Conv2d(32, 32, 1),
        nn.ReLU6(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, CLASSES),
    )


class Residual(nn.Module):
    def __init__(self, width, *, zero_gain):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        if zero_gain:
            nn.init.zeros_(self.body[-1].weight)

    def forward(self, x):
        return torch.relu(x + self.body(x))


def residual_cnn(*, zero_gain):
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        *[Residual(16, zero_gain=zero_gain) for _ in range(4)],
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, CLASSES),
    )


class Block(nn.Module):
    """A pre-norm transformer block by hand, no bias in the attention."""

    def __init__(self, width, heads=4, layer_scale=None):
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.scale = (
            None
            if layer_scale is None
            else nn.Parameter(torch.full((width,), layer_scale))
        )

    def attend(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (z.reshape(b, t, self.heads, -1).transpose(1, 2) for z in (q, k, v))
        weights = torch.softmax(q @ k.transpose(-2, -1) / (d // self.heads) ** 0.5, -1)
        return self.out((weights @ v).transpose(1, 2).reshape(b, t, d))

    def forward(self, x):
        branch = self.attend(self.norm_1(x))
        x = x + (branch if self.scale is None else self.scale * branch)
        branch = self.mlp(self.norm_2(x))
        return x + (branch if self.scale is None else self.scale * branch)


class Transformer(nn.Module):
    def __init__(self, depth=4, layer_scale=None):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH, padding_idx=0)
        self.places = nn.Parameter(0.02 * torch.randn(LENGTH, WIDTH))
        self.blocks = nn.Sequential(
            *[Block(WIDTH, layer_scale=layer_scale) for _ in range(depth)]
        )
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, tokens):
        x = self.blocks(self.words(tokens) + self.places)
        return self.head(self.norm(x).mean(dim=1))


class Lora(nn.Module):
    def __init__(self, n_in, n_out, rank=4, zero="up"):
        super().__init__()
        self.dense = nn.Linear(n_in, n_out).requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, n_in) / n_in**0.5)
        self.up = nn.Parameter(0.1 * torch.randn(n_out, rank))
        nn.init.zeros_(self.up if zero == "up" else self.down)

    def forward(self, x):
        return self.dense(x) + x @ self.down.T @ self.up.T


class ReZero(nn.Module):
    def __init__(self, depth=12):
        super().__init__()
        self.enter = nn.Linear(FEATURES, WIDTH)
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(depth))
        self.gates = nn.ParameterList(torch.zeros(1) for _ in range(depth))
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        h = self.enter(x)
        for layer, gate in zip(self.layers, self.gates, strict=True):
            h = h + gate * torch.relu(layer(h))
        return self.head(h)


class Fixup(nn.Module):
    """No normalization; branches end in zeros, and so does the head."""

    def __init__(self, depth=8):
        super().__init__()
        self.enter = nn.Linear(FEATURES, WIDTH)
        self.first = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(depth))
        self.second = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(depth))
        self.head = nn.Linear(WIDTH, CLASSES)
        for first, second in zip(self.first, self.second, strict=True):
            nn.init.normal_(first.weight, std=(2 / WIDTH) ** 0.5 * depth**-0.5)
            nn.init.zeros_(first.bias)
            nn.init.zeros_(second.weight)
            nn.init.zeros_(second.bias)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        h = torch.relu(self.enter(x))
        for first, second in zip(self.first, self.second, strict=True):
            h = torch.relu(h + second(torch.relu(first(h))))
        return self.head(h)


class ControlNet(nn.Module):
    """A frozen base and a trainable copy between two zero convolutions."""

    def __init__(self):
        super().__init__()
        self.base = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.base.requires_grad_(False)
        self.enter = nn.Conv2d(3, 3, 1)
        self.copy = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.leave = nn.Conv2d(8, 8, 1)
        for zero in (self.enter, self.leave):
            nn.init.zeros_(zero.weight)
            nn.init.zeros_(zero.bias)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        h = self.base(x) + self.leave(self.copy(x + self.enter(x)))
        return self.head(h.mean(dim=(2, 3)))


class Bag(nn.Module):
    """An embedding classifier."""

    def __init__(self):
        super().__init__()
        self.words = nn.EmbeddingBag(WORDS, WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, tokens):
        return self.head(self.words(tokens))


class Gated(nn.Module):
    """SwiGLU by hand."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(FEATURES, WIDTH, bias=False)
        self.value = nn.Linear(FEATURES, WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        return self.head(nn.functional.silu(self.gate(x)) * self.value(x))


class Recurrent(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell = cell(FEATURES, WIDTH, batch_first=True)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


def zero_logistic(n_out):
    model = nn.Linear(FEATURES, n_out)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model


def he(weight):
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


def orthogonal(weight):
    nn.init.orthogonal_(weight)


TABULAR = Task(batch=inputs(FEATURES), loss="cross_entropy", target=classes())
IMAGES = Task(batch=inputs(3, 8, 8), loss="cross_entropy", target=classes())
SEQUENCES = Task(batch=inputs(LENGTH, FEATURES), loss="cross_entropy", target=classes())
TOKENS = Task(
    batch=torch.randint(
        WORDS, (BATCH, LENGTH), generator=torch.Generator().manual_seed(2)
    ),
    loss="cross_entropy",
    target=classes(),
)
BINARY = Task(
    batch=inputs(FEATURES),
    loss="binary_cross_entropy",
    target=classes(2).float()[:, None],
)
REGRESSION = Task(batch=inputs(FEATURES), loss="mse", target=inputs(1))

HEALTHY = {
    "mlp-2": (lambda: mlp(2), TABULAR),
    "mlp-3": (lambda: mlp(3), TABULAR),
    "mlp-3-tanh": (lambda: mlp(3, nn.Tanh), TABULAR),
    "mlp-3-gelu": (lambda: mlp(3, nn.GELU), TABULAR),
    "wide-mlp-2": (lambda: mlp(2, width=512), TABULAR),
    "mlp-regression": (lambda: mlp(2, n_out=1), REGRESSION),
    "mlp-binary": (lambda: mlp(2, n_out=1), BINARY),
    "sigmoid-1": (lambda: mlp(1, nn.Sigmoid), TABULAR),
    "sigmoid-2": (lambda: mlp(2, nn.Sigmoid), TABULAR),
    "he-relu-12": (lambda: mlp(12, nn.ReLU, he), TABULAR),
    "he-relu-30": (lambda: mlp(30, nn.ReLU, he, 128), TABULAR),
    "he-leaky-20": (lambda: mlp(20, nn.LeakyReLU, he, 128), TABULAR),
    "glorot-tanh-12": (lambda: mlp(12, nn.Tanh, nn.init.xavier_normal_), TABULAR),
    "glorot-tanh-30": (lambda: mlp(30, nn.Tanh, nn.init.xavier_uniform_), TABULAR),
    "orthogonal-tanh-20": (lambda: mlp(20, nn.Tanh, orthogonal), TABULAR),
    "glorot-relu-8": (lambda: mlp(8, nn.ReLU, nn.init.xavier_normal_), TABULAR),
    "cnn-batch-norm": (cnn, IMAGES),
    "residual-cnn": (lambda: residual_cnn(zero_gain=False), IMAGES),
    "residual-cnn-zero-gain": (lambda: residual_cnn(zero_gain=True), IMAGES),
    "transformer-4": (Transformer, TOKENS),
    "transformer-layer-scale": (lambda: Transformer(6, 1e-6), TOKENS),
    "embedding-classifier": (Bag, TOKENS),
    "swiglu": (Gated, TABULAR),
    "lstm": (lambda: Recurrent(nn.LSTM), SEQUENCES),
    "gru": (lambda: Recurrent(nn.GRU), SEQUENCES),
    "zero-head": (lambda: zero_head(mlp(3)), TABULAR),
    "zero-head-he-12": (lambda: zero_head(mlp(12, nn.ReLU, he)), TABULAR),
    "lora-up-zero": (
        lambda: nn.Sequential(Lora(FEATURES, WIDTH), nn.ReLU(), Lora(WIDTH, CLASSES)),
        TABULAR,
    ),
    "lora-down-zero": (
        lambda: nn.Sequential(
            Lora(FEATURES, WIDTH, zero="down"),
            nn.ReLU(),
            Lora(WIDTH, CLASSES, zero="down"),
        ),
        TABULAR,
    ),
    "rezero-12": (ReZero, TABULAR),
    "fixup-8": (Fixup, TABULAR),
    "controlnet": (ControlNet, IMAGES),
    "zero-softmax-regression": (lambda: zero_logistic(CLASSES), TABULAR),
    "zero-logistic-regression": (lambda: zero_logistic(1), BINARY),
    "zero-linear-regression": (lambda: zero_logistic(1), REGRESSION),
}
CASES = [pytest.param(*case, id=name) for name, case in HEALTHY.items()]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("make", "task"), CASES)
def test_a_healthy_model_raises_no_alarm(make, task, seed):
    torch.manual_seed(seed)
    report = judge(inspect(framework, make(), task))

    assert all(f.severity is Severity.INFO for f in report.findings), str(report)
    assert report.verdict is Verdict.HEALTHY


@pytest.mark.parametrize(
    "name", ["zero-head", "lora-up-zero", "rezero-12", "fixup-8", "controlnet"]
)
def test_a_zero_on_purpose_is_a_note_on_when_it_wakes(name):
    make, task = HEALTHY[name]
    torch.manual_seed(0)
    report = judge(inspect(framework, make(), task), select=["late-start"])

    assert [f.code for f in report.findings] == ["FAN102"]


def test_fixup_with_a_zero_head_waits_two_steps():
    make, task = HEALTHY["fixup-8"]
    torch.manual_seed(0)
    inspection = inspect(framework, make(), task)

    assert max(inspection.awakening.rounds.values()) == 3
