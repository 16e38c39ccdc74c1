"""Verification where weights are lost in practice: loaders, new starts, shards."""

from __future__ import annotations

import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

import fanin
from fanin.prescription.verification import Verdict
from tests.conformance.sharded_cases import MODELS, WAYS
from tests.conformance.sharded_worlds import on_world

LOST = "model.layers.1.mlp.up_proj.weight"


@pytest.fixture
def llama():
    config = LlamaConfig(
        vocab_size=128,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    return AutoModelForCausalLM.from_config(config)


def test_a_model_that_was_saved_and_loaded_is_still_the_plans(llama, tmp_path):
    plan = fanin.init(llama, seed=0)
    llama.save_pretrained(tmp_path)

    assert fanin.verify(AutoModelForCausalLM.from_pretrained(tmp_path), plan)
    assert fanin.verify(tmp_path, plan)


def test_a_weight_that_a_loader_drew_anew_is_found(llama, tmp_path):
    plan = fanin.init(llama, seed=0)
    llama.save_pretrained(tmp_path)
    held = load_file(tmp_path / "model.safetensors")
    del held[LOST]
    save_file(held, tmp_path / "model.safetensors", metadata={"format": "pt"})
    found = fanin.verify(AutoModelForCausalLM.from_pretrained(tmp_path), plan)
    on_disk = fanin.verify(tmp_path, plan)

    assert [each.path for each in found.different] == [LOST]
    assert found.different[0].reason == "looks initialized anew"
    received = float(found.different[0].detail.split("square ")[1].split()[0])
    n_looked = found.different[0].n_looked
    assert abs(received / 0.02 - 1) < 5 / (2 * n_looked) ** 0.5  # as the config says
    assert [each.path for each in on_disk.of(Verdict.MISSING)] == [LOST]


def test_a_model_that_initialized_itself_again_is_found(llama):
    plan = fanin.init(llama, seed=0)
    llama.apply(llama._init_weights)
    found = fanin.verify(llama, plan)
    drawn = {p.path for p in plan.prescriptions if p.law != "constant"}

    assert {each.path for each in found.different} == drawn
    assert {each.reason for each in found.different} == {"looks initialized anew"}


def test_a_model_whose_vocabulary_grew_is_found(llama):
    plan = fanin.init(llama, seed=0)
    llama.resize_token_embeddings(140)
    found = fanin.verify(llama, plan)

    assert {each.path for each in found.different} == {
        "model.embed_tokens.weight",
        "lm_head.weight",
    }


def test_a_tied_head_is_verified_once(tmp_path):
    config = GPT2Config(n_layer=1, n_embd=32, n_head=2, vocab_size=64, n_positions=16)
    model = AutoModelForCausalLM.from_config(config)
    plan = fanin.init(model, seed=0)
    model.save_pretrained(tmp_path)

    assert fanin.verify(AutoModelForCausalLM.from_pretrained(tmp_path), plan)
    assert fanin.verify(tmp_path, plan)


def asked_on_each_process(way, n):
    with torch.device("meta"):
        net = MODELS["net"]()
    net = WAYS[way].spread(net, n)
    plan = fanin.init(net, seed=3)
    before = fanin.verify(net, plan, sample=None)
    # One process alone changes what it holds, and one alone asks: nobody waits for it.
    if torch.distributed.get_rank() == 1:
        for parameter in net.parameters():
            local = getattr(parameter, "_local_tensor", parameter)
            with torch.no_grad():
                local.mul_(2)
    after = fanin.verify(net, plan, sample=None)
    return bool(before), before.n_looked, bool(after), plan.n_parameters


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")
@pytest.mark.parametrize(("way", "n"), [("fsdp", 3), ("tensor", 2)])
def test_each_process_verifies_what_it_holds(way, n, tmp_path):
    found = on_world(asked_on_each_process, n, tmp_path, way, n)
    befores, looked, afters, sizes = zip(*found, strict=True)

    assert all(befores)
    assert afters == tuple(rank != 1 for rank in range(n))
    assert all(count < sizes[0] for count in looked)
    assert sum(looked) >= sizes[0]
