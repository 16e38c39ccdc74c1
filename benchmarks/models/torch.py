"""Torch models of every kind, wide enough that the theory of wide layers speaks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils import parametrizations

from benchmarks.models import torch_build as build

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.models.torch_build import Builder

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
FLAT = (build.SAMPLES, build.FEATURES)
IMAGES = (build.SAMPLES // 4, 3, build.SIDE, build.SIDE)
TEXTS = (build.SAMPLES // 4, build.LENGTH)


def layer(n_in: int, n_out: int) -> nn.Linear:
    """Build a dense layer with torch's own default weights."""
    return nn.Linear(n_in, n_out)


def dense() -> dict[str, Builder]:
    """Give dense nets over activations and depths, and ways to hold a weight."""
    by_depth: dict[str, Builder] = {
        f"mlp {name} {depth}": partial(build.mlp, depth, activation)
        for name, activation in ACTIVATIONS.items()
        for depth in (3, 10, 50)
    }
    return by_depth | {
        "mlp sigmoid 10": partial(build.mlp, 10, nn.Sigmoid),
        "mlp prelu 10": partial(build.mlp, 10, nn.PReLU),
        "mlp selu 30": partial(build.mlp, 30, nn.SELU),
        "mlp layer norm, dropout": build.dropped,
        "mlp weight norm": partial(build.reparametrized, parametrizations.weight_norm),
        "mlp spectral norm": partial(
            build.reparametrized, parametrizations.spectral_norm
        ),
        "mlp low rank": lambda: build.written(
            build.low_rank,
            build.numbers(*FLAT),
            base=layer(32, 128),
            a=build.drawn(8, 32),
            b=build.drawn(128, 8),
            head=layer(128, 10),
        ),
        "mlp gated": lambda: build.written(
            build.gated,
            build.numbers(*FLAT),
            gate=layer(32, 128),
            up=layer(32, 128),
            down=layer(128, 10),
        ),
        "mlp experts": lambda: build.written(
            build.experts,
            build.numbers(*FLAT),
            router=layer(32, 4),
            up=torch.randn(4, 32, 64) / 32**0.5,
            down=torch.randn(4, 64, 10) / 64**0.5,
        ),
    }


def convolutional() -> dict[str, Builder]:
    """Give convolutional nets, with and without a stream that goes past."""
    return {
        "cnn relu 4": partial(build.cnn, 4, nn.ReLU),
        "cnn relu 10": partial(build.cnn, 10, nn.ReLU),
        "cnn tanh 10": partial(build.cnn, 10, nn.Tanh),
        "cnn batch norm 6": partial(build.cnn, 6, nn.ReLU, norm=True),
        "cnn separable": build.separable,
        "cnn along a sequence": lambda: build.written(
            build.strip,
            build.numbers(16, 8, 64),
            body=nn.Sequential(
                nn.Conv1d(8, 64, 5, padding="same", padding_mode="circular"),
                nn.GELU(),
                nn.Conv1d(64, 128, 3),
                nn.GLU(1),
                nn.AvgPool1d(2),
                nn.Conv1d(64, 64, 3),
                nn.Tanh(),
            ),
            head=layer(64, 10),
        ),
        "cnn in three dimensions": lambda: (
            nn.Sequential(
                nn.Conv3d(2, 32, 3),
                nn.InstanceNorm3d(32, affine=True),
                nn.ReLU(),
                nn.MaxPool3d(2),
                nn.Conv3d(32, 32, 2),
            ),
            build.numbers(8, 2, 8, 8, 8),
        ),
        "cnn u-net": lambda: build.written(
            build.u_net,
            build.numbers(*IMAGES),
            down=nn.Conv2d(3, 32, 3, padding=1),
            middle=nn.Conv2d(32, 64, 3, padding=1),
            up=nn.ConvTranspose2d(64, 32, 2, stride=2),
            out=nn.Conv2d(64, 2, 1),
        ),
        "residual cnn 4": partial(build.residual, 4, norm=False),
        "residual cnn 12": partial(build.residual, 12, norm=False),
        "residual cnn batch norm 4": partial(build.residual, 4, norm=True),
        "residual cnn batch norm 12": partial(build.residual, 12, norm=True),
        "residual mlp 8": partial(build.residual, 8, norm=False, dense=True),
        "residual mlp layer norm 8": partial(build.residual, 8, norm=True, dense=True),
    }


def sequential() -> dict[str, Builder]:
    """Give nets that attend, and nets that remember."""
    return {
        "transformer by hand": lambda: build.written(
            build.attention,
            build.numbers(*TEXTS, 64),
            norm=nn.LayerNorm(64),
            qkv=layer(64, 192),
            out=layer(64, 64),
            scale=torch.ones(64),
        ),
        "transformer pre-norm": partial(build.encoder, norm_first=True),
        "transformer post-norm": partial(build.encoder, norm_first=False),
        "transformer decoder": lambda: (
            nn.TransformerDecoderLayer(64, 4, 128, batch_first=True),
            (build.numbers(16, 6, 64), build.numbers(16, 12, 64)),
        ),
        "transformer tied": lambda: build.written(
            build.language_model,
            build.token_ids(*TEXTS),
            table=nn.Embedding(build.VOCABULARY, 64),
            places=build.drawn(16, 64),
            block=nn.TransformerEncoderLayer(64, 4, 128, batch_first=True),
        ),
        "recurrent rnn": partial(build.recurrent, nn.RNN),
        "recurrent lstm": partial(build.recurrent, nn.LSTM),
        "recurrent lstm, two ways": partial(
            build.recurrent, nn.LSTM, num_layers=2, bidirectional=True
        ),
        "recurrent gru": partial(build.recurrent, nn.GRU),
        "other bag": lambda: (
            nn.Sequential(
                nn.EmbeddingBag(build.VOCABULARY, 64, mode="mean"), layer(64, 10)
            ),
            build.token_ids(*TEXTS),
        ),
        "other bilinear": lambda: (
            nn.Bilinear(32, 48, 64),
            (build.numbers(*FLAT), build.numbers(build.SAMPLES, 48)),
        ),
    }


def zoo() -> dict[str, Builder]:
    """Give a builder of (model, batch) for each model, by name, kind first."""
    return dense() | convolutional() | sequential()


def kinds() -> dict[str, str]:
    """Say what kind of net each model is."""
    return {name: name.partition(" ")[0] for name in zoo()}
