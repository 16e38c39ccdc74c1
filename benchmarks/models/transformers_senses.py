"""The families of ``transformers`` that see or hear: images, sounds, and captions."""

from __future__ import annotations

from functools import partial

from benchmarks.models.family import (
    FEEDFORWARD,
    HEADS,
    LAYERS,
    PATCHES,
    TEXT,
    WIDTH,
    Family,
    captioned,
    sound,
    vision,
)

SENSES = {
    "vit": vision("ViT", 32, PATCHES),
    "deit": vision("DeiT", 32, PATCHES),
    "beit": vision("Beit", 32, PATCHES),
    "dinov2": vision("Dinov2", 28, {**PATCHES, "image_size": 28, "patch_size": 7}),
    "swin": vision(
        "Swin",
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
    "segformer": vision(
        "Segformer",
        64,
        {
            "hidden_sizes": [16, 32, 40, 64],
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 2, 4, 8],
            "decoder_hidden_size": 32,
        },
    ),
    "mobilevit": vision(
        "MobileViT",
        64,
        {
            "image_size": 64,
            "hidden_sizes": [32, 48, 64],
            "neck_hidden_sizes": [8, 16, 24, 32, 40, 48, 64],
        },
    ),
    "convnext": vision(
        "ConvNext",
        64,
        {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 2, 1], "image_size": 64},
        kind="residual",
    ),
    "resnet": vision(
        "ResNet",
        64,
        {"embedding_size": 16, "hidden_sizes": [32, 64], "depths": [2, 2]},
        kind="residual",
    ),
    "efficientnet": vision(
        "EfficientNet",
        64,
        {
            "image_size": 64,
            "width_coefficient": 0.25,
            "depth_coefficient": 0.5,
            "hidden_dim": 320,
        },
        kind="residual",
    ),
    "wav2vec2": Family(
        model="Wav2Vec2ForCTC",
        config="Wav2Vec2Config",
        settings={
            "vocab_size": 32,
            "hidden_size": WIDTH,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "intermediate_size": FEEDFORWARD,
            "conv_dim": (32, 32),
            "conv_stride": (5, 2),
            "conv_kernel": (10, 3),
            "num_feat_extract_layers": 2,
            "num_conv_pos_embeddings": 16,
            "num_conv_pos_embedding_groups": 4,
            "layerdrop": 0.0,
            "apply_spec_augment": False,
            "pad_token_id": 0,
        },
        batch=partial(sound, 800),
    ),
    "clip": Family(
        model="CLIPModel",
        config="CLIPConfig",
        settings={
            "text_config": TEXT,
            "vision_config": PATCHES,
            "projection_dim": 32,
        },
        batch=captioned,
    ),
}
