"""Small torch models of every kind, each with a batch that it takes."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from benchmarks.models.torch_build import Written


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def tokens(*shape: int) -> torch.Tensor:
    return torch.randint(0, 50, shape, generator=torch.Generator().manual_seed(0))


def residual_block(m, x):
    y = m.gn(m.depthwise(functional.relu(m.bn(m.conv(x)))))
    y = m.point(functional.silu(y)) * m.gate
    y += m.short(x)
    return m.head(m.ln(y).mean((2, 3)))


def gated(m, x):
    return m.down(functional.silu(m.gate(x)) * m.up(x))


def u_net(m, x):
    down = functional.relu(m.down(x))
    up = m.up(functional.relu(m.middle(functional.max_pool2d(down, 2))))
    return m.out(torch.cat([down, up], 1))


def attention(m, x):
    n, length, width = x.shape
    q, k, v = m.qkv(m.norm(x)).view(n, length, 3, 2, -1).permute(2, 0, 3, 1, 4)
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(width // 2)
    seen = torch.ones(length, length, device=x.device).tril().bool()
    shares = scores.masked_fill(~seen, -math.inf).softmax(-1)
    mixed = torch.einsum("bhqk,bhkd->bqhd", shares, v).reshape(n, length, width)
    return x + m.scale * m.out(mixed)


def language_model(m, ids):
    x = m.table(ids) * math.sqrt(8) + m.places[: ids.shape[1]]
    x = m.block(x)
    return x @ m.table.weight.T


def rms_gated(m, x):
    y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * m.gain
    return torch.einsum("bi,hio->bho", y, m.heads).flatten(1) @ m.out + m.shift


def low_rank(m, x):
    return m.base(x) + (x @ m.a.T) @ m.b.T * 0.5


def experts(m, x):
    shares = functional.softmax(m.router(x), -1)
    hidden = functional.gelu(torch.einsum("bi,eio->beo", x, m.up))
    return torch.einsum("beo,eoi,be->bi", hidden, m.down, shares)


def cumulative(m, x):
    return m.b(torch.cumsum(torch.sort(m.a(x), -1).values, -1))


def shared():
    layer = nn.Linear(6, 6)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.PReLU())


ZOO = {
    "mlp": (
        lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)
        ),
        (numbers(6, 3, 4),),
    ),
    "convnet": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 8, 3, groups=2),
            nn.ELU(),
            nn.AvgPool2d(2),
            nn.ConvTranspose2d(8, 4, 2, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 2),
        ),
        (numbers(6, 3, 16, 16),),
    ),
    "residual": (
        lambda: Written(
            residual_block,
            conv=nn.Conv2d(3, 4, 3, padding=1, bias=False),
            bn=nn.BatchNorm2d(4),
            depthwise=nn.Conv2d(4, 4, 3, padding=1, groups=4),
            gn=nn.GroupNorm(2, 4),
            point=nn.Conv2d(4, 6, 1),
            gate=torch.ones(6, 1, 1),
            short=nn.Conv2d(3, 6, 1),
            ln=nn.LayerNorm((6, 8, 8)),
            head=nn.Linear(6, 2),
        ),
        (numbers(5, 3, 8, 8),),
    ),
    "u-net": (
        lambda: Written(
            u_net,
            down=nn.Conv2d(3, 4, 3, padding=1),
            middle=nn.Conv2d(4, 8, 3, padding=1),
            up=nn.ConvTranspose2d(8, 4, 2, stride=2),
            out=nn.Conv2d(8, 2, 1),
        ),
        (numbers(5, 3, 8, 8),),
    ),
    "gated": (
        lambda: Written(
            gated, gate=nn.Linear(6, 8), up=nn.Linear(6, 8), down=nn.Linear(8, 6)
        ),
        (numbers(5, 7, 6),),
    ),
    "attention": (
        lambda: Written(
            attention,
            norm=nn.LayerNorm(8),
            qkv=nn.Linear(8, 24),
            out=nn.Linear(8, 8),
            scale=torch.ones(8),
        ),
        (numbers(5, 7, 8),),
    ),
    "encoder": (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True),
            2,
            enable_nested_tensor=False,
        ),
        (numbers(5, 7, 8),),
    ),
    "decoder": (
        lambda: nn.TransformerDecoderLayer(8, 2, 16, batch_first=True),
        (numbers(5, 4, 8), numbers(5, 7, 8)),
    ),
    "language model": (
        lambda: Written(
            language_model,
            table=nn.Embedding(50, 8),
            places=torch.zeros(10, 8),
            block=nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        ),
        (tokens(5, 7),),
    ),
    "lstm": (
        lambda: Written(
            lambda m, x: m.head(m.rnn(x)[0][:, -1]),
            rnn=nn.LSTM(6, 4, num_layers=2, batch_first=True, bidirectional=True),
            head=nn.Linear(8, 2),
        ),
        (numbers(5, 3, 6),),
    ),
    "gru": (lambda: nn.GRU(6, 4), (numbers(3, 5, 6),)),
    "bag": (
        lambda: nn.Sequential(nn.EmbeddingBag(50, 6, mode="mean"), nn.Linear(6, 2)),
        (tokens(5, 7),),
    ),
    "bilinear": (lambda: nn.Bilinear(4, 6, 3), (numbers(5, 4), numbers(5, 6))),
    "by hand": (
        lambda: Written(
            rms_gated,
            gain=torch.ones(6),
            heads=torch.randn(2, 6, 3),
            out=torch.randn(6, 4),
            shift=torch.zeros(4),
        ),
        (numbers(5, 6),),
    ),
    "low rank": (
        lambda: Written(
            low_rank, base=nn.Linear(6, 6), a=torch.randn(2, 6), b=torch.randn(6, 2)
        ),
        (numbers(5, 6),),
    ),
    "experts": (
        lambda: Written(
            experts,
            router=nn.Linear(6, 3),
            up=torch.randn(3, 6, 4),
            down=torch.randn(3, 4, 6),
        ),
        (numbers(5, 6),),
    ),
    "weight norm": (
        lambda: torch.nn.utils.parametrizations.weight_norm(nn.Linear(6, 3)),
        (numbers(5, 6),),
    ),
    "spectral norm": (
        lambda: torch.nn.utils.parametrizations.spectral_norm(nn.Linear(6, 3)),
        (numbers(5, 6),),
    ),
    "unknown operations": (
        lambda: Written(cumulative, a=nn.Linear(6, 4), b=nn.Linear(4, 2)),
        (numbers(5, 6),),
    ),
    "shared": (
        shared,
        (numbers(5, 6),),
    ),
    "in three dimensions": (
        lambda: nn.Sequential(
            nn.Conv3d(2, 4, 3), nn.InstanceNorm3d(4, affine=True), nn.MaxPool3d(2)
        ),
        (numbers(5, 2, 6, 6, 6),),
    ),
    "in one dimension": (
        lambda: nn.Sequential(
            nn.Conv1d(3, 8, 3, padding="same", padding_mode="circular"),
            nn.GLU(1),
            nn.MaxPool1d(2),
            nn.Upsample(scale_factor=2),
            nn.LocalResponseNorm(2),
        ),
        (numbers(5, 3, 8),),
    ),
}
