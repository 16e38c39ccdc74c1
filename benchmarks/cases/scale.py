"""Cases 18 to 28: weights, outputs or inputs of the wrong size."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from benchmarks.cases.case import (
    BATCH,
    CLASSES,
    FEATURES,
    WIDTH,
    Case,
    Checked,
    classified,
    codes,
    drawn,
    labels,
    numbers,
    sound,
)
from benchmarks.cases.stuck import GITHUB
from benchmarks.cases.symmetric import STACK

WORDS, LENGTH = 200, 12
EXAMPLES = "aymericdamien/TensorFlow-Examples"


def tokens() -> torch.Tensor:
    """Give whole numbers below the vocabulary."""
    source = torch.Generator().manual_seed(0)
    return torch.randint(3, WORDS, (16, LENGTH), generator=source)


def language(model: Any, batch: Any = None) -> Checked:
    """Check a language model on the next words, drawn at random."""
    target = tokens().flip(0)
    return Checked(
        model=model,
        batch=tokens() if batch is None else batch,
        loss="cross_entropy",
        target=target,
    )


def t5(*, head_std: float | None) -> Checked:
    """Build transformers' T5 with a head of its own; None leaves its std as it is."""
    import transformers

    torch.manual_seed(0)
    config = transformers.T5Config(
        vocab_size=WORDS,
        d_model=128,
        d_kv=32,
        d_ff=256,
        num_layers=2,
        num_heads=4,
        tie_word_embeddings=False,
        decoder_start_token_id=0,
    )
    model = transformers.T5ForConditionalGeneration(config)
    if head_std is None:  # as the issue has it: factor 1, whatever d is
        head_std = 1.0
    nn.init.normal_(model.lm_head.weight, std=head_std)
    pair = {"input_ids": tokens(), "decoder_input_ids": tokens()}
    return language(model, pair)


class Language(nn.Module):
    """A table, positions, one block, a normalization, and the table or a head."""

    def __init__(self, *, table_std: float, head_std: float | None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(WORDS, WIDTH)
        nn.init.normal_(self.table.weight, std=table_std)
        self.places = nn.Parameter(0.02 * torch.randn(LENGTH, WIDTH))
        self.block = nn.TransformerEncoderLayer(
            WIDTH, 4, 2 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, WORDS, bias=False)
        if head_std is None:
            self.head.weight = self.table.weight
        else:
            nn.init.normal_(self.head.weight, std=head_std)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(b, t) → (b, t, words)."""
        return self.head(self.norm(self.block(self.table(ids) + self.places)))


def fixed(std: float, *sizes: int, bias_std: float = 0.0) -> nn.Sequential:
    """Build a ReLU net with one std for all weights."""
    return drawn(sizes, nn.ReLU, lambda *_: std, bias_std=bias_std)


def glorot(*sizes: int, activation: Any = nn.ReLU, bias: float = 0.0) -> nn.Sequential:
    """Build a net of Glorot's std with constant biases in the hidden layers."""
    model = drawn(sizes, activation, lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)))
    for layer in model[:-1]:
        if isinstance(layer, nn.Linear):
            nn.init.constant_(layer.bias, bias)
    return model


def digits() -> torch.Tensor:
    """Give 784 numbers from 0 to 1 a sample, four fifths of them 0, as MNIST has."""
    shown = numbers(BATCH, 784)
    return torch.clamp(shown - 0.84, min=0.0).clamp(max=1.0)


def ranged(limit: float) -> Checked:
    """Build a sigmoid net of Glorot's std on inputs in ±limit."""
    torch.manual_seed(0)
    batch = limit * (2.0 * torch.rand(BATCH, FEATURES) - 1.0)
    model = glorot(FEATURES, WIDTH, WIDTH, 1, activation=nn.Sigmoid)
    target = labels(2)[:, None].float()
    return Checked(model=model, batch=batch, loss="binary_cross_entropy", target=target)


CASES = (
    Case(
        number="18",
        # The pull request's 1/d leaves half a nat over ln V (11 for 10.4): 1/4d here.
        title="T5's own head has variance 1: first loss ~110",
        source=GITHUB + "huggingface/transformers/pull/26441",
        codes=codes("501"),
        broken=lambda: t5(head_std=None),
        mended=lambda: t5(head_std=0.5 * 128**-0.5),
    ),
    Case(
        number="19",
        title="a resized vocabulary is drawn with another std: loss 10 times too high",
        source=GITHUB + "AnswerDotAI/ModernBERT/pull/96",
        codes=codes("501"),
        broken=lambda: language(Language(table_std=0.02, head_std=2.0)),
        mended=lambda: language(Language(table_std=0.02, head_std=0.02)),
    ),
    Case(
        number="20",
        title="embeddings of std 0.6 in place of 0.02, tied",
        source=GITHUB + "lmsdss/LayerNorm-Scaling/issues/6",
        codes=codes("501"),
        broken=lambda: language(Language(table_std=0.6, head_std=None)),
        mended=lambda: language(Language(table_std=0.02, head_std=None)),
    ),
    Case(
        number="21",
        title="apply(init) draws a tied table again with std 1",
        source=GITHUB + "fastai/fastai/pull/2090",
        codes=codes("501"),
        broken=lambda: language(Language(table_std=1.0, head_std=None)),
        mended=lambda: language(Language(table_std=0.02, head_std=None)),
    ),
    Case(
        number="22",
        title="N(0, 0.001) in three ReLU layers: the optimizer stops",
        source="https://www.e-learn.cn/topic/463140",
        codes=codes("201 202 301 302 701"),
        broken=lambda: classified(fixed(1e-3, FEATURES, WIDTH, WIDTH, WIDTH, CLASSES)),
        mended=lambda: classified(
            glorot(FEATURES, WIDTH, WIDTH, WIDTH, CLASSES, bias=0.1)
        ),
    ),
    Case(
        number="25",
        title="weights become NaN: initial variance too high",
        source=STACK + "36565430",
        codes=codes("201 204 501 701"),
        broken=lambda: classified(fixed(1.0, FEATURES, 256, 256, 256, CLASSES)),
        mended=lambda: classified(sound((FEATURES, 256, 256, 256, CLASSES))),
    ),
    Case(
        number="26a",
        title="weights and biases N(0, 1) on MNIST, two hidden layers",
        source=GITHUB + EXAMPLES + "/issues/368",
        codes=codes("501"),
        broken=lambda: classified(
            fixed(1.0, 784, 256, 256, CLASSES, bias_std=1.0), digits()
        ),
        mended=lambda: classified(sound((784, 256, 256, CLASSES)), digits()),
    ),
    Case(
        number="26b",
        title="logistic regression from N(0, 1) on MNIST",
        source=GITHUB + EXAMPLES + "/issues/333",
        codes=codes("501"),
        broken=lambda: classified(fixed(1.0, 784, CLASSES), digits()),
        mended=lambda: classified(
            drawn((784, CLASSES), nn.ReLU, lambda *_: 0.0), digits()
        ),
    ),
    Case(
        number="26c",
        title="500-500-500 of N(0, 1)",
        source="TheDeepChecker, SO_buggy_examples/IPS_4",
        codes=codes("501 701"),
        broken=lambda: classified(fixed(1.0, 784, 500, 500, 500, CLASSES), digits()),
        mended=lambda: classified(sound((784, 500, 500, 500, CLASSES)), digits()),
    ),
    Case(
        number="26d",
        title="sigmoid layers of N(0, 1)",
        source="TheDeepChecker, SO_buggy_examples/IPS_7",
        codes=codes("401 501"),
        broken=lambda: classified(
            drawn((784, 300, 100, CLASSES), nn.Sigmoid, lambda *_: 1.0), digits()
        ),
        mended=lambda: classified(
            glorot(784, 300, 100, CLASSES, activation=nn.Sigmoid), digits()
        ),
    ),
    Case(
        number="27",
        title="He in the output layer too: first loss far over ln C",
        source="https://stats.stackexchange.com/questions/351001",
        codes=codes("501"),
        broken=lambda: classified(
            drawn(
                (FEATURES, WIDTH, WIDTH, CLASSES),
                nn.ReLU,
                lambda n_in, _: math.sqrt(2.0 / n_in),
            )
        ),
        mended=lambda: classified(sound()),
    ),
    Case(
        number="28",
        title="inputs in ±100: the sigmoids saturate",
        source=STACK + "52800582",
        codes=codes("203"),
        broken=lambda: ranged(100.0),
        mended=lambda: ranged(1.0),
    ),
)
