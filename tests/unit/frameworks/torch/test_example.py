from __future__ import annotations

import pytest
import torch
from torch import nn

import fanin
from fanin.api.task import with_example
from fanin.frameworks import torch as framework
from fanin.frameworks.torch.example import input_signatures
from fanin.graph import Task


class OwnMatrix(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(5, 3))

    def forward(self, x):
        return x @ self.w


@pytest.mark.parametrize(
    ("model", "shape", "below"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(7, 2)), (32, 7), 0),
        (nn.Sequential(nn.Conv2d(3, 8, 3)), (32, 3, 32, 32), 0),
        (nn.Sequential(nn.Conv1d(2, 8, 3)), (32, 2, 32), 0),
        (nn.Sequential(nn.Embedding(99, 4), nn.Linear(4, 2)), (32, 16), 99),
        (nn.LSTM(6, 4), (32, 16, 6), 0),
        (OwnMatrix(), (32, 3), 0),
    ],
    ids=["linear", "conv2d", "conv1d", "embedding", "lstm", "own matrix"],
)
def test_the_first_layer_decides_what_the_model_reads(model, shape, below):
    first = next(input_signatures(model))

    assert (first.shape, first.below) == (shape, below)


def test_a_network_that_flattens_is_offered_several_picture_sizes():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 26 * 26, 2))

    def fits(signature):
        try:
            model(torch.zeros(signature.shape))
        except RuntimeError:
            return False
        return True

    fitting = [s.shape for s in input_signatures(model) if fits(s)]

    assert fitting == [(32, 1, 28, 28)]


def test_a_model_without_parameters_has_no_signature():
    assert list(input_signatures(nn.ReLU())) == []


def transformer(name, **settings):
    import transformers

    config = getattr(transformers, f"{name[0]}Config")(**settings)
    return getattr(transformers, name[1])(config)


SMALL = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
TEXT = {**SMALL, "vocab_size": 40, "intermediate_size": 64}
IMAGE = {**SMALL, "intermediate_size": 64, "image_size": 16, "patch_size": 8}
T5 = {"vocab_size": 40, "d_model": 32, "d_ff": 64, "d_kv": 16, "num_heads": 2}


@pytest.mark.parametrize(
    ("names", "settings", "words"),
    [
        (("Llama", "LlamaForCausalLM"), TEXT, "input_ids: 8×16 whole numbers below 40"),
        (
            ("T5", "T5ForConditionalGeneration"),
            {**T5, "num_layers": 1},
            (
                "input_ids: 8×16 whole numbers below 40, "
                "decoder_input_ids: 8×16 whole numbers below 40"
            ),
        ),
        (
            ("ViT", "ViTForImageClassification"),
            IMAGE,
            "pixel_values: 8×3×16×16 standard normal numbers",
        ),
        (
            ("CLIP", "CLIPModel"),
            {"text_config": TEXT, "vision_config": IMAGE},
            (
                "input_ids: 8×16 whole numbers below 40, "
                "pixel_values: 8×3×16×16 standard normal numbers"
            ),
        ),
    ],
)
def test_a_model_of_transformers_reads_what_its_config_says(names, settings, words):
    model = transformer(names, **settings)
    _, _, made = with_example(framework, model, Task())
    assert made == words


def test_labels_are_made_of_the_classes_that_the_kind_tells_apart():
    text = transformer(("Llama", "LlamaForCausalLM"), **TEXT)
    task, _, made = with_example(framework, text, Task(), with_target=True)
    assert task.target.shape == (8, 16)
    assert task.target.max() < 40
    assert made.endswith(", with random labels")
    seen = transformer(("ViT", "ViTForImageClassification"), **IMAGE, num_labels=5)
    task, _, _ = with_example(framework, seen, Task(), with_target=True)
    assert task.target.shape == (8,)
    assert task.target.max() < 5


def test_no_labels_are_made_unless_asked_for_nor_where_a_loss_is_given():
    model = transformer(("Llama", "LlamaForCausalLM"), **TEXT)
    assert with_example(framework, model, Task())[0].target is None
    task = Task(loss=lambda output, _: output.logits.sum())
    assert with_example(framework, model, task, with_target=True)[0].target is None


def test_a_hot_head_is_found_without_a_batch():
    model = transformer(
        ("T5", "T5ForConditionalGeneration"),
        **{**T5, "num_layers": 2},
        tie_word_embeddings=False,
        decoder_start_token_id=0,
    )
    report = fanin.check(model)
    assert "FAN501" in {finding.code for finding in report.errors}
