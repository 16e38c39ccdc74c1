"""One small model a family of the ``transformers`` library, from its config alone.

Nothing is downloaded: sizes are cut to a few layers of width 64, and what makes the
family what it is (rotary positions, grouped queries, experts, scans) is left in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.models.family import (
    BLOOM,
    FEEDFORWARD,
    GROUPED,
    HEAD_DIM,
    HEADS,
    LAYERS,
    SPECIAL,
    TEXT,
    TWO_STACKS,
    VOCABULARY,
    WIDTH,
    Family,
    decoder,
    encoder,
    spectrogram,
    text_pair,
)
from benchmarks.models.transformers_senses import SENSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.models.family import Batch, Model

DECODERS = {
    "gpt2": Family(
        model="GPT2LMHeadModel",
        config="GPT2Config",
        settings={
            "vocab_size": VOCABULARY,
            "n_embd": WIDTH,
            "n_layer": LAYERS,
            "n_head": HEADS,
            "n_positions": 64,
            **SPECIAL,
        },
    ),
    "llama": decoder("Llama", GROUPED),
    "mistral": decoder("Mistral", GROUPED),
    "mixtral": decoder("Mixtral", GROUPED, num_local_experts=4),
    "qwen2": decoder("Qwen2", GROUPED),
    "qwen3": decoder("Qwen3", HEAD_DIM),
    "qwen2_moe": decoder(
        "Qwen2Moe",
        GROUPED,
        num_experts=4,
        moe_intermediate_size=32,
        shared_expert_intermediate_size=32,
    ),
    "gemma": decoder("Gemma", HEAD_DIM),
    "gemma2": decoder("Gemma2", HEAD_DIM),
    "gemma3": decoder("Gemma3", HEAD_DIM, config="Gemma3TextConfig"),
    "opt": decoder("OPT", TEXT, ffn_dim=FEEDFORWARD, word_embed_proj_dim=WIDTH),
    "gpt_neox": decoder("GPTNeoX"),
    "phi": decoder("Phi"),
    "phi3": decoder("Phi3", GROUPED),
    "falcon": decoder("Falcon"),
    "bloom": decoder("Bloom", BLOOM),
    "mamba": decoder("Mamba", kind="recurrent", state_size=8),
    "mamba2": decoder(
        "Mamba2",
        kind="recurrent",
        state_size=8,
        num_heads=8,
        head_dim=16,
        n_groups=1,
        chunk_size=8,
    ),
    "rwkv": decoder("Rwkv", kind="recurrent", context_length=32),
    "xlnet": Family(
        model="XLNetLMHeadModel",
        config="XLNetConfig",
        settings={
            "vocab_size": VOCABULARY,
            "d_model": WIDTH,
            "n_layer": LAYERS,
            "n_head": HEADS,
            "d_inner": FEEDFORWARD,
            **SPECIAL,
        },
    ),
}
ENCODERS = {
    "bert": encoder("Bert"),
    "roberta": encoder("Roberta"),
    "albert": encoder("Albert", TEXT, embedding_size=32),
    "distilbert": encoder(
        "DistilBert",
        {},
        vocab_size=VOCABULARY,
        dim=WIDTH,
        n_layers=LAYERS,
        n_heads=HEADS,
        hidden_dim=FEEDFORWARD,
        max_position_embeddings=64,
    ),
    "deberta": encoder(
        "DebertaV2",
        TEXT,
        type_vocab_size=0,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
    ),
}
TWO_STACK = {
    "t5": Family(
        model="T5ForConditionalGeneration",
        config="T5Config",
        settings={
            "vocab_size": VOCABULARY,
            "d_model": WIDTH,
            "d_kv": 16,
            "d_ff": FEEDFORWARD,
            "num_layers": LAYERS,
            "num_heads": HEADS,
            "decoder_start_token_id": 0,
        },
        batch=text_pair,
    ),
    "bart": Family(
        model="BartForConditionalGeneration",
        config="BartConfig",
        settings={
            **TWO_STACKS,
            "max_position_embeddings": 64,
            "forced_eos_token_id": 2,
        },
        batch=text_pair,
    ),
    "whisper": Family(
        model="WhisperForConditionalGeneration",
        config="WhisperConfig",
        settings={
            **TWO_STACKS,
            "max_source_positions": 32,
            "max_target_positions": 32,
            "num_mel_bins": 16,
            "suppress_tokens": [],
            "begin_suppress_tokens": [],
        },
        batch=spectrogram,
    ),
}


def zoo() -> dict[str, Callable[[], tuple[Model, Batch]]]:
    """Give a builder of (model, batch) for each family, by name."""
    return {name: family.build for name, family in families().items()}


def kinds() -> dict[str, str]:
    """Say what kind of net each family is."""
    return {name: family.kind for name, family in families().items()}


def families() -> dict[str, Family]:
    """Give all families: texts, texts into texts, images and sounds."""
    return DECODERS | ENCODERS | TWO_STACK | SENSES
