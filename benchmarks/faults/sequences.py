"""Healthy nets that read sequences: attention and recurrence, by torch's own layers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from benchmarks.faults.dense import CLASSES, numbers
from benchmarks.faults.subject import Base, Layer
from benchmarks.models import norm_free

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH, LENGTH, FEATURES, WIDTH, WORDS = 32, 10, 32, 64, 50

Model = tuple[nn.Module, Any]


def words(seed: int, *shape: int) -> torch.Tensor:
    """Give whole numbers below the vocabulary."""
    source = torch.Generator().manual_seed(seed)
    return torch.randint(WORDS, shape, generator=source)


def decoder(seed: int) -> Model:
    """Build GPT-2's blocks over the rows of an image."""
    torch.manual_seed(seed)
    return norm_free.NETS["decoder"](2, norm=True), numbers(seed, BATCH, 1, 8, 8)


class Recurrent(nn.Module):
    """Tokens, a recurrent layer, the last state classified."""

    def __init__(self, cell: Callable[..., nn.RNNBase]) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.net = cell(WIDTH, WIDTH, batch_first=True)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(b, t) → (b, classes)."""
        return self.head(self.net(self.words(tokens))[0][:, -1])


def recurrent(cell: Callable[..., nn.RNNBase], seed: int) -> Model:
    """Build a recurrent net."""
    torch.manual_seed(seed)
    return Recurrent(cell), words(seed, BATCH, LENGTH)


class Translator(nn.Module):
    """Torch's encoder and decoder, normalized in front, each layer drawn anew."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.places = nn.Parameter(torch.randn(LENGTH, WIDTH))
        self.net = nn.Transformer(
            WIDTH, 4, 2, 2, 2 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )
        self.head = nn.Linear(WIDTH, WORDS)

    def forward(self, source: torch.Tensor, so_far: torch.Tensor) -> torch.Tensor:
        """(b, t), (b, t) → (b, t, words)."""
        source, so_far = (self.words(x) + self.places for x in (source, so_far))
        return self.head(self.net(source, so_far))


def translator(seed: int) -> Model:
    """Build the two stacks."""
    torch.manual_seed(seed)
    pair = (words(seed, BATCH, LENGTH), words(seed + 1000, BATCH, LENGTH))
    return Translator(), pair


def _mlp(stem: str, up: str, down: str, activation: str) -> Layer:
    return Layer(
        weight=f"{stem}.{up}.weight",
        bias=f"{stem}.{up}.bias",
        activation=activation,
        reader=f"{stem}.{down}.weight",
        in_branch=True,
    )


BASES: list[Base] = [
    Base(
        name="gpt-like",
        make=decoder,
        layers=tuple(_mlp(f"{i}.1.branch", "1", "3", "gelu") for i in range(3, 7)),
        head="9.weight",
        head_bias="9.bias",
        depth=4,
        first_is_bare=True,
        reads="images",
    ),
    Base(
        name="encoder-decoder",
        make=translator,
        layers=tuple(
            _mlp(f"net.{stack}.layers.{i}", "linear1", "linear2", "relu")
            for stack in ("encoder", "decoder")
            for i in range(2)
        ),
        head="head.weight",
        head_bias="head.bias",
        classes=WORDS,
        per_token=True,
        depth=4,
        reads="words",
    ),
    *[
        Base(
            name=name,
            make=partial(recurrent, cell),
            head="head.weight",
            head_bias="head.bias",
            reads="words",
            table="words.weight",
        )
        for name, cell in (("lstm", nn.LSTM), ("gru", nn.GRU))
    ],
]
