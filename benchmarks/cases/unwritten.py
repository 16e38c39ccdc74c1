"""Cases 29 to 37: starts that were never written, written over, or passed over."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from benchmarks.cases.case import (
    CLASSES,
    FEATURES,
    WIDTH,
    Case,
    Checked,
    classified,
    codes,
    sound,
)
from benchmarks.cases.scale import WORDS, language
from benchmarks.cases.stuck import GITHUB, adapted

if TYPE_CHECKING:
    from collections.abc import Callable


def built(build: Callable[[], nn.Module]) -> Checked:
    """Check what a function builds, and watch it build once more."""
    return classified(build(), factory=build)


class Output(nn.Module):
    """A projection W_O whose parameter is made by torch.empty."""

    def __init__(self, *, is_written: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.enter = nn.Linear(FEATURES, WIDTH)
        self.w_o = nn.Parameter(torch.empty(WIDTH, WIDTH))
        self.head = nn.Linear(WIDTH, CLASSES)
        if is_written:
            nn.init.kaiming_normal_(self.w_o)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Project and classify."""
        return self.head(torch.relu(torch.relu(self.enter(x)) @ self.w_o))


def with_head(number: float | None) -> Checked:
    """Build a classifier whose head holds one number that nobody wrote."""
    model = sound()
    if number is not None:
        model[-1].weight.data[0, 0] = number
    return classified(model)


def from_meta(*, is_drawn: bool) -> nn.Module:
    """Build on the meta device, give it memory, and draw the numbers or not."""
    with torch.device("meta"):
        model = nn.Sequential(
            nn.Linear(FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES)
        )
    model.to_empty(device="cpu")
    torch.manual_seed(0)
    for layer in model:
        if is_drawn and isinstance(layer, nn.Linear):
            layer.reset_parameters()
    return model


def like_another(*, is_drawn: bool) -> nn.Module:
    """Replace each weight by empty_like, as a shard's wrapper does; or draw it."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES)
    )
    for layer in (model[0], model[2]):
        layer.weight = nn.Parameter(torch.empty_like(layer.weight))
        if is_drawn:
            nn.init.kaiming_uniform_(layer.weight, a=5**0.5)
    return model


def mamba2(*, constant_steps: bool) -> Checked:
    """Build transformers' Mamba-2, with dt_bias as it draws it or all ones."""
    import transformers

    torch.manual_seed(0)
    config = transformers.Mamba2Config(
        vocab_size=WORDS,
        hidden_size=WIDTH,
        num_hidden_layers=2,
        state_size=8,
        num_heads=8,
        head_dim=16,
        n_groups=1,
        chunk_size=8,
    )
    model = transformers.Mamba2ForCausalLM(config)
    for path, parameter in model.named_parameters():
        if constant_steps and path.endswith("dt_bias"):
            nn.init.ones_(parameter)
    return language(model)


def drawn_again(*, again: bool) -> nn.Module:
    """Build adapters, and sweep over their factors, zero B's too."""
    torch.manual_seed(0)
    model = adapted()
    for path, parameter in model.named_parameters():
        if again and "lora_" in path:
            nn.init.normal_(parameter, std=0.02)
    return model


class Template(nn.Module):
    """A stack built by copying a template, which is kept and not used."""

    def __init__(self, *, is_kept: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        template = nn.Linear(FEATURES, FEATURES)
        if is_kept:
            self.template = template
        self.body = nn.Linear(FEATURES, FEATURES)
        self.head = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Classify."""
        return self.head(torch.relu(self.body(x)))


CASES = (
    Case(
        number="29",
        title="W_O stays torch.empty",
        source=GITHUB + "TransformerLensOrg/TransformerLens/issues/902",
        codes=codes("807"),
        broken=lambda: built(partial(Output, is_written=False)),
        mended=lambda: built(partial(Output, is_written=True)),
    ),
    Case(
        number="30a",
        title="NaN in a classifier's head",
        source=GITHUB + "huggingface/transformers/issues/46002",
        codes=codes("801"),
        broken=lambda: with_head(float("nan")),
        mended=lambda: with_head(None),
    ),
    Case(
        number="30b",
        title="NaN or huge numbers, by the order of imports",
        source=GITHUB + "huggingface/transformers/issues/30374",
        codes=codes("801 802"),
        broken=lambda: with_head(3.1e30),
        mended=lambda: with_head(None),
    ),
    Case(
        number="30c",
        title="empty_like in a sharded load",
        source=GITHUB + "huggingface/transformers/pull/45050",
        codes=codes("807"),
        broken=lambda: built(partial(like_another, is_drawn=False)),
        mended=lambda: built(partial(like_another, is_drawn=True)),
    ),
    Case(
        number="31",
        title="Mamba-2's dt_bias all ones",
        source=GITHUB + "fla-org/flash-linear-attention/pull/739",
        codes=codes("602"),
        broken=lambda: mamba2(constant_steps=True),
        mended=lambda: mamba2(constant_steps=False),
    ),
    Case(
        number="32",
        title="built on meta, then effectively empty",
        source=GITHUB + "fla-org/flash-linear-attention/pull/156",
        codes=codes("807"),
        broken=lambda: built(partial(from_meta, is_drawn=False)),
        mended=lambda: built(partial(from_meta, is_drawn=True)),
    ),
    Case(
        number="36",
        title="lora_B drawn at random after it was zero",
        source=GITHUB + "hao-ai-lab/FastVideo/pull/781",
        codes=codes("808"),
        broken=lambda: built(partial(drawn_again, again=True)),
        mended=lambda: built(partial(drawn_again, again=False)),
    ),
    Case(
        number="37",
        title="a template layer is registered and not used",
        source=GITHUB + "pytorch/pytorch/issues/39629",
        codes=codes("001"),
        broken=lambda: classified(Template(is_kept=True)),
        mended=lambda: classified(Template(is_kept=False)),
    ),
)
