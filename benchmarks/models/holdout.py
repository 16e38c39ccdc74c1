"""Families of ``transformers`` on which no rule and no threshold was ever tried.

Small, from their configs alone, like ``benchmarks.models.transformers``; they are run
after the rules stand, to tell what a model is met with that nobody thought of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.models.family import (
    FEEDFORWARD,
    GROUPED,
    HEAD_DIM,
    HEADS,
    LAYERS,
    PATCHES,
    SPECIAL,
    TEXT,
    TWO_STACKS,
    VOCABULARY,
    WIDTH,
    Family,
    decoder,
    encoder,
    text_pair,
    vision,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.models.family import Batch, Model

GPT = {
    "vocab_size": VOCABULARY,
    "n_embd": WIDTH,
    "n_layer": LAYERS,
    "n_head": HEADS,
    "n_positions": 64,
    **SPECIAL,
}
WRITERS = {
    "olmo2": decoder("Olmo2", GROUPED),
    "stablelm": decoder("StableLm", GROUPED),
    "starcoder2": decoder("Starcoder2", GROUPED),
    "granite": decoder("Granite", GROUPED),
    "cohere": decoder("Cohere", GROUPED),
    "glm": decoder("Glm", HEAD_DIM),
    "gptj": decoder("GPTJ", {**GPT, "rotary_dim": 8}),
    "codegen": decoder("CodeGen", {**GPT, "rotary_dim": 8}),
    "biogpt": decoder("BioGpt"),
    "nemotron": decoder("Nemotron", GROUPED),
    "smollm3": decoder("SmolLM3", GROUPED),
    "olmoe": decoder("Olmoe", GROUPED, num_experts=4, num_experts_per_tok=2),
    "persimmon": decoder("Persimmon"),
    "gpt_bigcode": decoder("GPTBigCode", GPT),
    "mpt": decoder(
        "Mpt",
        {
            "vocab_size": VOCABULARY,
            "d_model": WIDTH,
            "n_heads": HEADS,
            "n_layers": LAYERS,
            "max_seq_len": 64,
        },
    ),
    "xglm": decoder(
        "XGLM",
        {
            "vocab_size": VOCABULARY,
            "d_model": WIDTH,
            "ffn_dim": FEEDFORWARD,
            "num_layers": LAYERS,
            "attention_heads": HEADS,
            "max_position_embeddings": 64,
            **SPECIAL,
        },
    ),
}
READERS = {
    "electra": encoder("Electra", TEXT, embedding_size=32),
    "megatron_bert": encoder("MegatronBert"),
    "roformer": encoder("RoFormer"),
    "modernbert": encoder("ModernBert", TEXT, global_attn_every_n_layers=2),
    "pegasus": Family(
        model="PegasusForConditionalGeneration",
        config="PegasusConfig",
        settings={**TWO_STACKS, "max_position_embeddings": 64},
        batch=text_pair,
    ),
}
SEERS = {
    "vit_msn": vision("ViTMSN", 32, PATCHES),
    "convnext_v2": vision(
        "ConvNextV2",
        64,
        {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 2, 1], "image_size": 64},
        kind="residual",
    ),
    "regnet": vision(
        "RegNet",
        64,
        {
            "embedding_size": 16,
            "hidden_sizes": [16, 32, 48, 64],
            "depths": [1, 1, 2, 1],
            "groups_width": 8,
        },
        kind="residual",
    ),
    "poolformer": vision(
        "PoolFormer",
        64,
        {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 2, 1]},
    ),
    "mobilenet_v2": vision(
        "MobileNetV2",
        64,
        {"image_size": 64, "depth_multiplier": 0.35},
        kind="residual",
    ),
    "focalnet": vision(
        "FocalNet",
        64,
        {
            "image_size": 64,
            "embed_dim": 16,
            "depths": [1, 1, 2, 1],
            "hidden_sizes": [16, 32, 48, 64],
        },
    ),
    "swin_v2": vision(
        "Swinv2",
        32,
        {
            "image_size": 32,
            "patch_size": 2,
            "embed_dim": 16,
            "depths": [2, 2],
            "num_heads": [2, 4],
            "window_size": 4,
        },
    ),
    "bit": vision(
        "Bit",
        64,
        {
            "embedding_size": 32,
            "hidden_sizes": [32, 64],
            "depths": [2, 2],
            "num_groups": 8,
        },
        kind="residual",
    ),
    "siglip": vision("Siglip", 32, {"vision_config": PATCHES}),
}


def families() -> dict[str, Family]:
    """Give all families: texts, texts into texts, images."""
    return WRITERS | READERS | SEERS


def zoo() -> dict[str, Callable[[], tuple[Model, Batch]]]:
    """Give a builder of (model, batch) for each family, by name."""
    return {name: family.build for name, family in families().items()}
