"""Nets of any width, and what they are trained on, for the coordinate check.

Not a benchmark: `coordinates` is. Of each net only widths are chosen here; LLaMA and
GPT-2 are their library's, built from configs alone.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch
import transformers
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    Data = tuple[torch.Tensor, torch.Tensor]

HEAD = 16
VOCABULARY, LENGTH = 32, 8
N_ROWS = 256
"""Digits of the coordinate check, and of the batch that plans are calibrated on."""


def mlp(width: int) -> nn.Module:
    """Build a net for digits, with biases and two hidden layers."""
    return nn.Sequential(
        nn.Linear(64, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, 10),
    )


def gpt2(width: int) -> nn.Module:
    """Build a GPT-2 of two blocks: tied embeddings, heads of one length."""
    config = transformers.GPT2Config(
        n_embd=width,
        n_head=width // HEAD,
        n_layer=2,
        vocab_size=VOCABULARY,
        n_positions=LENGTH,
        **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0),
    )
    return _logits_of(transformers.GPT2LMHeadModel(config))


def llama(width: int) -> nn.Module:
    """Build a LLaMA of two blocks: gated, queries share keys and values in pairs."""
    config = transformers.LlamaConfig(
        hidden_size=width,
        num_attention_heads=width // HEAD,
        num_key_value_heads=width // HEAD // 2,
        num_hidden_layers=2,
        intermediate_size=2 * width,
        vocab_size=VOCABULARY,
        max_position_embeddings=LENGTH,
    )
    return _logits_of(transformers.LlamaForCausalLM(config))


class Logits(nn.Module):
    """A language model that gives its logits alone, a row a position."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Give a row of logits for each position."""
        return self.model(tokens).logits.flatten(0, 1)


def _logits_of(model: nn.Module) -> nn.Module:
    return Logits(model).train()


@cache
def digits() -> Data:
    """Give all of the digits, each pixel of mean 0 and variance 1 over all."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32)
    return (x - x.mean()) / x.std(), torch.tensor(labels)


def some_digits() -> Data:
    """Give the first of the digits."""
    x, y = digits()
    return x[:N_ROWS], y[:N_ROWS]


def text() -> Data:
    """Give random tokens, and for each the one to be learned."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, VOCABULARY, (4, LENGTH + 1), generator=generator)
    return tokens[:, :-1], tokens[:, 1:].flatten()


NETS: dict[str, tuple[Callable[[int], nn.Module], Callable[[], Data]]] = {
    "MLP": (mlp, some_digits),
    "GPT-2": (gpt2, text),
    "LLaMA": (llama, text),
}
