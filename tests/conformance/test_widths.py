"""Trained at several widths, models that no one here wrote keep muP's promise."""

from __future__ import annotations

from functools import cache
from math import log, sqrt
from statistics import mean, stdev

import pytest
import torch
import transformers
from torch import nn

import fanin

BASE, WIDTHS = 32, (64, 256, 1024)
OPTIMIZERS = {"adam": (torch.optim.Adam, 2.0**-7), "sgd": (torch.optim.SGD, 0.5)}
N_SEEDS = 6


def perceptron(width):
    return nn.Sequential(
        nn.Linear(16, width),
        nn.Tanh(),
        nn.Linear(width, width),
        nn.Tanh(),
        nn.Linear(width, 4),
    )


def layer_outputs(model, x):
    found = []
    for layer in model:
        x = layer(x)
        if isinstance(layer, nn.Linear):
            found.append(x.detach())
    return found


@cache
def plan_of(width):
    model, base = perceptron(width), perceptron(BASE)
    return fanin.plan(model, policy="mup", base=base, law="normal", seed=0)


def changes(width, name, seed, *, head_factor=1.0):
    """Train for three steps; give the rms of the change of each layer's output."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(32, 16, generator=generator)
    y = torch.randint(0, 4, (32,), generator=generator)
    model, plan = perceptron(width), plan_of(width)
    plan.with_factors({"4.weight": head_factor}).apply(model, seed=seed)
    kind, rate = OPTIMIZERS[name]
    steps = kind(plan.groups(model, lr=rate, optimizer=name))
    before = layer_outputs(model, x)
    for _ in range(3):
        steps.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        steps.step()
    after = layer_outputs(model, x)
    return [
        float((b - a).square().mean().sqrt())
        for a, b in zip(before, after, strict=True)
    ]


def slopes(name, exponent=0.0):
    """Give each layer's slope of log change over log width, and its standard error."""
    found = []
    for seed in range(N_SEEDS):
        sizes = [
            changes(n, name, seed, head_factor=(n / BASE) ** exponent) for n in WIDTHS
        ]
        reach = log(WIDTHS[-1] / WIDTHS[0])  # evenly spaced: the ends give the slope
        found.append(
            [
                log(wide / narrow) / reach
                for narrow, *_, wide in zip(*sizes, strict=True)
            ]
        )
    layers = list(zip(*found, strict=True))
    return [(mean(layer), stdev(layer) / sqrt(N_SEEDS)) for layer in layers]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_layer_changes_by_the_same_amount_at_every_width(name):
    for slope, error in slopes(name):
        assert abs(slope) <= 5 * error
        assert error <= 0.03


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_head_with_the_exponent_of_a_hidden_weight_is_found_out(name):
    worst, error = max(slopes(name, exponent=0.5))

    assert worst >= 5 * error + 0.2


def gpt2(width, *, n_heads=4, is_tied=True):
    config = transformers.GPT2Config(
        n_embd=width,
        n_head=n_heads,
        n_layer=2,
        vocab_size=24,
        n_positions=8,
        tie_word_embeddings=is_tied,
        **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0),
    )
    return transformers.GPT2LMHeadModel(config)


def llama(width, *, n_heads, n_shared, n_layers=1):
    config = transformers.LlamaConfig(
        hidden_size=width,
        num_attention_heads=n_heads,
        num_key_value_heads=n_shared,
        num_hidden_layers=n_layers,
        intermediate_size=3 * width,
        vocab_size=24,
        max_position_embeddings=8,
    )
    return transformers.LlamaForCausalLM(config)


def tokens():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 24, (4, 8), generator=generator)


def test_fused_projections_and_shared_keys_have_the_rates_of_hidden_weights():
    # A fused projection's factor of 3 is finite; keys and values are shared by pairs
    fused = fanin.plan(
        gpt2(64, n_heads=8), tokens(), policy="mup", base=gpt2(16, n_heads=2), seed=0
    )
    shared = fanin.plan(
        llama(64, n_heads=8, n_shared=4),
        tokens(),
        policy="mup",
        base=llama(16, n_heads=2, n_shared=1),
        seed=0,
    )

    weight = fused["transformer.h.0.attn.c_attn.weight"]
    assert (weight.learning_rate, weight.learning_rate_sgd) == (0.25, 1.0)
    for name in "qkvo":
        weight = shared[f"model.layers.0.self_attn.{name}_proj.weight"]
        assert (weight.learning_rate, weight.learning_rate_sgd) == (0.25, 1.0)
    assert fused.warnings == shared.warnings == ()


def test_keys_that_do_not_grow_are_outputs():
    plan = fanin.plan(
        llama(64, n_heads=8, n_shared=1),
        tokens(),
        policy="mup",
        base=llama(16, n_heads=2, n_shared=1),
        seed=0,
    )

    key = plan["model.layers.0.self_attn.k_proj.weight"]
    assert (key.learning_rate, key.learning_rate_sgd) == (0.25, 0.25)


def test_longer_heads_are_warned_of_unless_logits_are_divided_by_their_length():
    wide, base = gpt2(64), gpt2(16)
    warned = fanin.plan(wide, tokens(), policy="mup", base=base, seed=0).warnings

    assert any("4 times as long" in text and "wants 0.25" in text for text in warned)
    for model, d in ((wide, 16), (base, 4)):
        for block in model.transformer.h:
            block.attn.scaling = 1.0 / d
    silent = fanin.plan(wide, tokens(), policy="mup", base=base, seed=0).warnings
    assert not any("times as long" in text for text in silent)


class Multiplied(nn.Module):
    """A tied model that multiplies its logits by a number, as the paper writes it."""

    def __init__(self, width, factor):
        super().__init__()
        self.table = nn.Embedding(24, width)
        self.hidden = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.factor = factor

    def forward(self, ids):
        x = self.norm(torch.tanh(self.hidden(self.table(ids))))
        return self.factor * (x @ self.table.weight.T)


def trained(model, base, ids):
    plan = fanin.plan(model, ids, policy="mup", base=base, law="normal", seed=3)
    plan.apply(model)
    # eps would count for more where gradients are smaller
    steps = torch.optim.Adam(plan.groups(model, lr=0.01), eps=1e-30)
    for _ in range(5):
        steps.zero_grad()
        logits = model(ids[:, :-1]).flatten(0, 1)
        nn.functional.cross_entropy(logits, ids[:, 1:].flatten()).backward()
        steps.step()
    with torch.no_grad():
        return plan, model(ids)


def test_a_gain_that_carries_the_output_multiplier_trains_as_the_multiplier_does():
    ids = tokens()
    base = Multiplied(16, 1.0).double()
    by_model, first = trained(Multiplied(64, 0.25).double(), base, ids)
    by_gain, second = trained(Multiplied(64, 1.0).double(), base, ids)

    assert by_model["norm.weight"].value == 1.0
    assert by_gain["norm.weight"].value == 0.25
    assert by_gain["table.weight"].std == by_model["table.weight"].std
    assert torch.allclose(first, second, rtol=1e-6)


def test_a_tied_head_that_nothing_can_scale_is_warned_of():
    class Plain(Multiplied):
        def forward(self, ids):
            return torch.tanh(self.hidden(self.table(ids))) @ self.table.weight.T

    plan = fanin.plan(
        Plain(64, 1.0), tokens(), policy="mup", base=Plain(16, 1.0), seed=0
    )

    (text,) = [text for text in plan.warnings if "embedding and head in one" in text]
    assert "multiplied by 0.25" in text
    assert plan["table.weight"].learning_rate == 0.25


def test_a_deeper_model_takes_its_branches_and_rates_from_a_shallower_one():
    plan = fanin.plan(
        llama(16, n_heads=2, n_shared=1, n_layers=4),
        tokens(),
        policy="depth_mup",
        base=llama(16, n_heads=2, n_shared=1),
        seed=0,
    )
    base = fanin.plan(
        llama(16, n_heads=2, n_shared=1), tokens(), policy="depth_mup", seed=0
    )

    for block in range(4):
        end, inner, norm = (
            f"model.layers.{block}.{name}.weight"
            for name in ("mlp.down_proj", "mlp.up_proj", "input_layernorm")
        )
        start = base["model.layers.0.mlp.down_proj.weight"].target
        assert plan[end].target == pytest.approx(start / 2)
        assert plan.multipliers("adam")[end] == 1 / 4
        assert plan.multipliers("sgd")[end] == 1 / 4
        assert (
            plan.multipliers("adam")[inner] == plan.multipliers("adam")[norm] == 1 / 2
        )
        assert plan.multipliers("sgd")[inner] == plan.multipliers("sgd")[norm] == 1
    assert plan["lm_head.weight"].learning_rate == 1
