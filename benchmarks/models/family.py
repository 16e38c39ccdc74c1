"""What the families of ``transformers`` share: sizes, batches, and how one is built."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import transformers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VOCABULARY, WIDTH, HEADS, LAYERS, FEEDFORWARD = 100, 64, 4, 2, 128
SAMPLES, LENGTH = 4, 16

Batch = Any
Model = Any


def source() -> torch.Generator:
    """Give a fresh generator: every batch is the same each time it is built."""
    return torch.Generator().manual_seed(0)


def token_ids() -> torch.Tensor:
    """Give (samples, length) whole numbers; the special ones, 0 to 2, are left out."""
    return torch.randint(3, VOCABULARY, (SAMPLES, LENGTH), generator=source())


def image(side: int) -> torch.Tensor:
    """Give (samples, 3, side, side) standard normal numbers."""
    return torch.randn(SAMPLES, 3, side, side, generator=source())


def sound(length: int) -> torch.Tensor:
    """Give (samples, length) standard normal numbers."""
    return torch.randn(SAMPLES, length, generator=source())


def text_pair() -> dict[str, torch.Tensor]:
    """Give what an encoder and a decoder read."""
    return {"input_ids": token_ids(), "decoder_input_ids": token_ids()}


def spectrogram() -> dict[str, torch.Tensor]:
    """Give what a speech encoder and its decoder read."""
    features = torch.randn(SAMPLES, 16, 64, generator=source())
    return {"input_features": features, "decoder_input_ids": token_ids()}


def captioned() -> dict[str, torch.Tensor]:
    """Give texts and images side by side."""
    return {"input_ids": token_ids(), "pixel_values": image(32)}


@dataclass(frozen=True, kw_only=True)
class Family:
    """model, config: names in ``transformers``; settings: of the config."""

    model: str
    config: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    batch: Callable[[], Batch] = token_ids
    kind: str = "transformer"

    def build(self) -> tuple[Model, Batch]:
        """Build the model, in the training mode that it starts in, and its batch."""
        transformers.logging.set_verbosity_error()
        config = getattr(transformers, self.config)(**self.settings)
        return getattr(transformers, self.model)(config), self.batch()


SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
TEXT = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": FEEDFORWARD,
    "max_position_embeddings": 64,
    **SPECIAL,
}
GROUPED = {**TEXT, "num_key_value_heads": 2}
HEAD_DIM = {**GROUPED, "head_dim": 16}
PATCHES = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": FEEDFORWARD,
    "image_size": 32,
    "patch_size": 8,
}
TWO_STACKS = {
    "vocab_size": VOCABULARY,
    "d_model": WIDTH,
    "encoder_layers": LAYERS,
    "decoder_layers": LAYERS,
    "encoder_attention_heads": HEADS,
    "decoder_attention_heads": HEADS,
    "encoder_ffn_dim": FEEDFORWARD,
    "decoder_ffn_dim": FEEDFORWARD,
    "decoder_start_token_id": 1,
    **SPECIAL,
}
BLOOM = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "n_layer": LAYERS,
    "n_head": HEADS,
    **SPECIAL,
}


def decoder(
    stem: str,
    settings: Mapping[str, Any] = TEXT,
    *,
    config: str = "",
    kind: str = "transformer",
    **more: Any,
) -> Family:
    """Give a causal language model, whose classes are named after its stem."""
    return Family(
        model=f"{stem}ForCausalLM",
        config=config or f"{stem}Config",
        settings={**settings, **more},
        kind=kind,
    )


def encoder(stem: str, settings: Mapping[str, Any] = TEXT, **more: Any) -> Family:
    """Give a masked language model."""
    return Family(
        model=f"{stem}ForMaskedLM",
        config=f"{stem}Config",
        settings={**settings, **more},
    )


def vision(
    stem: str, side: int, settings: Mapping[str, Any], kind: str = "transformer"
) -> Family:
    """Give an image classifier for images of a side."""
    return Family(
        model=f"{stem}ForImageClassification",
        config=f"{stem}Config",
        settings=settings,
        batch=partial(image, side),
        kind=kind,
    )
