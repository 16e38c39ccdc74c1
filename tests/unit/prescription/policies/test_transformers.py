"""Policies for transformers against the formulas of their sources."""

from __future__ import annotations

from math import log, sqrt

import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from fanin.api.task import find_framework, make_task
from fanin.errors import ArgumentError
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.recipes.drawn import bound_of
from tests.unit.prescription.policies.streams import (
    WIDTH,
    encoder_decoder,
    relu,
    residual_mlp,
    transformer,
)


def graph_of(model, batch):
    task = make_task(batch, None, None, None, 0)
    return find_framework(model).record(model, task)


def token_batch(**more):
    tokens = torch.randint(0, 50, (2, 8))
    return {"input_ids": tokens} | dict.fromkeys(more, tokens)


def gpt2(n_layers=3):
    config = GPT2Config(
        n_layer=n_layers,
        n_embd=64,
        n_head=4,
        vocab_size=200,
        n_positions=64,
        bos_token_id=1,
        eos_token_id=1,
    )
    return GPT2LMHeadModel(config)


def bart(n_encoder=3, n_decoder=2):
    config = BartConfig(
        encoder_layers=n_encoder,
        decoder_layers=n_decoder,
        d_model=32,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        vocab_size=50,
        max_position_embeddings=16,
    )
    return BartForConditionalGeneration(config)


def glorot(n_in, n_out, gain=1.0):
    return gain * sqrt(2 / (n_in + n_out))


def entry_stds(prescription):
    """Give the std of every unit of a weight, its parts counted."""
    n_units = prescription.shape[prescription.roles.outputs[0]]
    stds = [prescription.std] * n_units
    for part in prescription.parts:
        stds = [
            std * part.factor if part.holds(unit) else std
            for unit, std in enumerate(stds)
        ]
    return stds


def test_gpt2_is_what_transformers_draws_for_every_parameter():
    torch.manual_seed(2)
    model = gpt2()
    plan = make_plan(graph_of(model, token_batch()), policy="gpt2(position_std=0.02)")

    for path, values in model.named_parameters():
        rms = float(values.detach().pow(2).mean().sqrt())
        wanted = plan[path].std or plan[path].value
        assert rms == pytest.approx(wanted, rel=5 / sqrt(2 * values.numel())), path


def test_gpt2_divides_ends_by_the_root_of_two_a_layer():
    plan = make_plan(graph_of(gpt2(3), token_batch()), policy="gpt2")

    assert plan["transformer.h.1.mlp.c_proj.weight"].std == 0.02 / sqrt(6)
    assert plan["transformer.h.1.attn.c_proj.weight"].std == 0.02 / sqrt(6)
    assert plan["transformer.h.1.attn.c_attn.weight"].std == 0.02
    assert plan["transformer.wpe.weight"].std == 0.01


def test_gpt2_counts_the_branches_of_encoder_and_decoder_apart():
    plan = make_plan(encoder_decoder(3, 1), policy="gpt2(std=1.0)")

    assert plan["e0.ff.down.weight"].std == pytest.approx(1 / sqrt(6))
    assert plan["d0.cross.o.weight"].std == pytest.approx(1 / sqrt(3))


def test_small_init_looks_at_the_width_alone():
    plan = make_plan(transformer(3), policy="small_init")

    stds = {plan[path].std for path in ("0.self.q.weight", "2.ff.down.weight")}
    assert stds == {sqrt(2 / (5 * WIDTH))}
    assert plan["table.weight"].std == sqrt(2 / (5 * WIDTH))


def test_wang_divides_ends_by_the_layers():
    plan = make_plan(transformer(4), policy="wang")

    assert plan["3.self.o.weight"].std == pytest.approx(2 / (4 * sqrt(WIDTH)))
    assert plan["3.ff.down.weight"].std == pytest.approx(2 / (4 * sqrt(WIDTH)))
    assert plan["3.ff.up.weight"].std == sqrt(2 / (5 * WIDTH))


def test_ds_init_shrinks_by_the_number_of_the_layer():
    plan = make_plan(transformer(3, order="post"), policy="ds_init(alpha=0.5)")

    third = plan["2.ff.up.weight"]
    assert third.law == "uniform"
    bound = sqrt(6 / (WIDTH + 4 * WIDTH)) * 0.5 / sqrt(3)
    assert bound_of(third.std) == pytest.approx(bound)
    assert plan["0.self.q.weight"].std == pytest.approx(glorot(WIDTH, WIDTH, 0.5))


def test_ds_init_takes_no_alpha_beyond_one():
    with pytest.raises(ArgumentError, match="at most 1"):
        make_plan(transformer(2), policy="ds_init(alpha=1.5)")


def test_deepnorm_scales_all_but_queries_and_keys():
    plan = make_plan(transformer(3, order="post"), policy="deepnorm")
    beta = (8 * 3) ** -0.25

    for name in ("self.q", "self.k"):
        assert plan[f"1.{name}.weight"].std == pytest.approx(glorot(WIDTH, WIDTH))
    for name in ("self.v", "self.o"):
        assert plan[f"1.{name}.weight"].std == pytest.approx(glorot(WIDTH, WIDTH, beta))
    for name in ("ff.up", "ff.down"):
        wanted = glorot(WIDTH, 4 * WIDTH, beta)
        assert plan[f"1.{name}.weight"].std == pytest.approx(wanted)


def test_deepnorm_has_other_factors_for_encoder_and_decoder():
    plan = make_plan(
        graph_of(bart(3, 2), token_batch(decoder_input_ids=1)), policy="deepnorm"
    )
    encoder, decoder = 0.87 * (3**4 * 2) ** (-1 / 16), (12 * 2) ** -0.25

    wanted = {
        "model.encoder.layers.1.fc1.weight": glorot(32, 64, encoder),
        "model.encoder.layers.1.self_attn.v_proj.weight": glorot(32, 32, encoder),
        "model.decoder.layers.1.fc2.weight": glorot(32, 64, decoder),
        "model.decoder.layers.0.encoder_attn.v_proj.weight": glorot(32, 32, decoder),
        "model.decoder.layers.0.encoder_attn.k_proj.weight": glorot(32, 32),
    }
    found = {path: plan[path].std for path in wanted}
    assert found == pytest.approx(wanted)


def test_of_a_fused_weight_only_the_values_are_scaled():
    graph = graph_of(gpt2(3), token_batch())
    weight = make_plan(graph, policy="deepnorm")["transformer.h.0.attn.c_attn.weight"]

    plain, scaled = glorot(64, 64), glorot(64, 64, (8 * 3) ** -0.25)
    assert entry_stds(weight) == pytest.approx([plain] * 128 + [scaled] * 64)


def test_grouped_keys_and_values_have_fans_of_their_own():
    config = LlamaConfig(
        num_hidden_layers=2,
        hidden_size=32,
        intermediate_size=48,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=50,
    )
    plan = make_plan(graph_of(LlamaForCausalLM(config), token_batch()), policy="sub_ln")

    gamma = sqrt(log(4))
    layer = "model.layers.1"
    assert plan[f"{layer}.self_attn.k_proj.weight"].std == glorot(32, 16)
    assert plan[f"{layer}.self_attn.v_proj.weight"].std == glorot(32, 16, gamma)
    assert plan[f"{layer}.mlp.gate_proj.weight"].std == glorot(32, 48, gamma)


def test_t_fixup_by_role():
    plan = make_plan(encoder_decoder(3, 3, order="free"), policy="t_fixup")
    encoder, decoder = 0.67 * 3**-0.25, 27**-0.25

    assert plan["source.weight"].std == pytest.approx(decoder / sqrt(WIDTH))
    assert plan["target.weight"].std == pytest.approx(decoder / sqrt(WIDTH))
    assert plan["e1.self.v.weight"].std == pytest.approx(glorot(WIDTH, WIDTH, encoder))
    assert plan["d1.cross.o.weight"].std == pytest.approx(glorot(WIDTH, WIDTH, decoder))
    assert plan["d1.cross.q.weight"].std == pytest.approx(glorot(WIDTH, WIDTH))
    assert plan["d1.cross.q.weight"].law == "uniform"
    assert plan["head.weight"].std == pytest.approx(glorot(WIDTH, 10))


@pytest.mark.parametrize(
    ("policy", "graph", "said"),
    [
        ("deepnorm", transformer(3, order="post"), "should be 1.565·x + f(x)"),
        ("deepnorm", transformer(3, order="pre"), "not normalized after each sum"),
        ("sub_ln", transformer(2, order="pre"), "in 4 of 4 blocks no normalization"),
        ("t_fixup", transformer(2, order="pre"), "has 4 normalizations"),
        ("rezero", residual_mlp(3), "3 of 3 residual blocks have no learned scale"),
        (
            "layer_scale",
            residual_mlp(3),
            "3 of 3 residual blocks have no learned scale",
        ),
        ("siren", residual_mlp(3), "no activation sin(ω·z)"),
    ],
)
def test_what_the_model_lacks_is_said(policy, graph, said):
    assert any(said in text for text in make_plan(graph, policy=policy).warnings)


@pytest.mark.parametrize(
    ("policy", "graph"),
    [
        ("deepnorm", transformer(3, order="post", alpha=6**0.25)),
        (
            "deepnorm",
            encoder_decoder(
                3, 2, order="post", alphas=(0.81 * (81 * 2) ** (1 / 16), 6**0.25)
            ),
        ),
        ("t_fixup", transformer(2, order="free")),
        ("rezero", residual_mlp(3, scale=(1,))),
    ],
)
def test_nothing_is_said_of_a_model_as_the_source_has_it(policy, graph):
    name = {"deepnorm": "DeepNorm", "t_fixup": "T-Fixup", "rezero": "ReZero"}[policy]

    assert not [t for t in make_plan(graph, policy=policy).warnings if name in t]


def admin_sketch(n_blocks):
    """LN(ω·x + W·relu(V·x)), where every branch reads a normalized stream."""
    sketch = Sketch()
    x = sketch.normalize(sketch.input((4, WIDTH)), path="first", kind="layer")
    for i in range(n_blocks):
        z = sketch.apply(sketch.dense(x, 64, path=f"{i}.up"), relu)
        z = sketch.dense(z, WIDTH, path=f"{i}.down")
        factor = sketch.parameter(f"{i}.omega", (WIDTH,))
        scaled = sketch.add_node(Op.MULTIPLY, (x, factor))
        total = sketch.combine(Op.ADD, scaled, z)
        x = sketch.normalize(total, path=f"{i}.norm", kind="layer")
    return sketch.graph(sketch.dense(x, 10, path="head"))


def test_admin_weighs_the_shortcut_by_the_branches_before():
    plan = make_plan(admin_sketch(4), policy="admin")

    # x of rms 1 through two weights of variance 2/(16 + 64) with a relu between
    variance = WIDTH * (2 / 80) * 0.5 * 64 * (2 / 80)
    wanted = [1.0, *(sqrt(i * variance) for i in (1, 2, 3))]
    assert [plan[f"{i}.omega"].value for i in range(4)] == pytest.approx(
        wanted, rel=1e-4
    )
    assert not plan.warnings


def test_admin_says_where_there_is_no_factor():
    found = make_plan(transformer(2, order="post"), policy="admin")

    assert any("4 of 4 residual sums" in text for text in found.warnings)
