"""Models that no one here wrote, with their authors' own initial weights.

Families of ``transformers`` from their configs, in the training mode they come in.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.faults.subject import Base, Layer
from benchmarks.models import transformers as families
from benchmarks.models.family import VOCABULARY, Family

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH, LENGTH = 16, 16


def tokens(seed: int) -> torch.Tensor:
    """Give (samples, length) whole numbers without the special ones."""
    source = torch.Generator().manual_seed(seed)
    return torch.randint(3, VOCABULARY, (BATCH, LENGTH), generator=source)


def images(seed: int) -> torch.Tensor:
    """Give (samples, 3, 32, 32) standard normal numbers."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, 3, 32, 32, generator=source)


def build(name: str, settings: Mapping[str, Any], reads: str, seed: int) -> Any:
    """Build one family with some settings of its own, and a batch."""
    torch.manual_seed(seed)
    family: Family = families.families()[name]
    model, _ = replace(family, settings={**family.settings, **settings}).build()
    if reads == "images":
        return model, images(seed)
    if reads == "pairs":
        pair = {"input_ids": tokens(seed), "decoder_input_ids": tokens(seed + 1000)}
        return model, pair
    return model, tokens(seed)


def _base(name: str, head: str, *, settings: Any = None, **more: Any) -> Base:
    reads = more.pop("reads", "words")
    base = Base(
        name=f"transformers {name}"
        + (", tied" if settings and "tie" in str(settings) else ""),
        make=partial(build, name, settings or {}, reads),
        head=head,
        reads="images" if reads == "images" else "words",
        per_token=reads != "images",
        depth=2,
        **more,
    )
    return replace(base, classes=base.classes if reads == "images" else VOCABULARY)


def _stack(
    stem: str, up: str, down: str, activation: str, **more: Any
) -> tuple[Layer, ...]:
    """Describe a pair of weights in two blocks; the stem has a hole for a number."""
    bias = more.pop("bias", True)
    return tuple(
        Layer(
            weight=f"{stem.format(i)}.{up}.weight",
            bias=f"{stem.format(i)}.{up}.bias" if bias else None,
            activation=activation,
            reader=f"{stem.format(i)}.{down}.weight",
            in_branch=True,
            **more,
        )
        for i in range(2)
    )


def _attention(stem: str, value: str, out: str, *, bias: bool) -> tuple[Layer, ...]:
    """Describe values and what reads them: linear in between."""
    more = {"is_whole": False, "bias": bias}
    return _stack(stem, value, out, "none", **more)


LLAMA = _attention("model.layers.{}.self_attn", "v_proj", "o_proj", bias=False)

BASES: list[Base] = [
    _base(
        "gpt2",
        "transformer.wte.weight",
        layers=_stack(
            "transformer.h.{}.mlp", "c_fc", "c_proj", "gelu", unit_axis=1, reader_axis=0
        ),
        table="transformer.wte.weight",
    ),
    _base("llama", "lm_head.weight", layers=LLAMA, table="model.embed_tokens.weight"),
    _base(
        "llama",
        "model.embed_tokens.weight",
        settings={"tie_word_embeddings": True},
        layers=LLAMA,
        table="model.embed_tokens.weight",
        tied_table="model.embed_tokens.weight",
    ),
    _base(
        "bert",
        "bert.embeddings.word_embeddings.weight",
        layers=(
            *_stack(
                "bert.encoder.layer.{}", "intermediate.dense", "output.dense", "gelu"
            ),
            *_attention(
                "bert.encoder.layer.{}.attention",
                "self.value",
                "output.dense",
                bias=True,
            ),
        ),
        head_bias="cls.predictions.bias",
    ),
    _base(
        "vit",
        "classifier.weight",
        reads="images",
        settings={"num_labels": 10},
        head_bias="classifier.bias",
        layers=(
            *_stack("vit.layers.{}.mlp", "fc1", "fc2", "gelu"),
            *_attention("vit.layers.{}.attention", "v_proj", "o_proj", bias=True),
        ),
        first_is_bare=True,
    ),
    _base(
        "mamba2",
        "lm_head.weight",
        table="backbone.embeddings.weight",
        steps=tuple(f"backbone.layers.{i}.mixer.dt_bias" for i in range(2)),
    ),
    _base(
        "t5",
        "shared.weight",
        reads="pairs",
        # With its factor of 1 T5's first loss is half a nat over ln V: not healthy.
        settings={"initializer_factor": 0.5},
        layers=_stack(
            "decoder.block.{}.layer.2.DenseReluDense", "wi", "wo", "relu", bias=False
        ),
        tied_table="shared.weight",
    ),
    _base("mixtral", "lm_head.weight", layers=LLAMA, table="model.embed_tokens.weight"),
    _base(
        "resnet",
        "classifier.1.weight",
        reads="images",
        settings={"num_labels": 10},
        head_bias="classifier.1.bias",
        layers=tuple(
            Layer(
                weight=f"{stem}.0.convolution.weight",
                norm=(f"{stem}.0.normalization.weight", f"{stem}.0.normalization.bias"),
                activation="relu",
                reader=f"{stem}.1.convolution.weight",
                in_branch=True,
            )
            for stem in (
                f"resnet.encoder.stages.{stage}.layers.{i}.layer"
                for stage in range(2)
                for i in range(2)
            )
        ),
    ),
]
