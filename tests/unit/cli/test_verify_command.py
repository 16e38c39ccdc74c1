"""Tests of `fanin verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig

from fanin.cli import main

NET = f"{Path(__file__).parent / 'nets.py'}:make"


@pytest.fixture
def seed_folder(tmp_path):
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        architectures=["LlamaForCausalLM"],
    )
    config.save_pretrained(tmp_path / "tiny")
    out = tmp_path / "seed"
    assert main(["init", str(tmp_path / "tiny"), "--seed", "3", "--out", str(out)]) == 0
    return out


def spoil(folder, name):
    (file,) = folder.glob("*.safetensors")
    held = load_file(file)
    held[name].mul_(2)
    save_file(held, file, metadata={"format": "pt"})


def test_a_seed_checkpoint_is_verified_by_the_plan_beside_it(seed_folder, capsys):
    capsys.readouterr()

    assert main(["verify", str(seed_folder)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "the weights are the plan's" in printed
    assert "hold the plan's bits" in printed


def test_other_weights_are_exit_code_1(seed_folder, capsys):
    spoil(seed_folder, "model.layers.0.mlp.up_proj.weight")
    capsys.readouterr()

    assert main(["verify", str(seed_folder), "--sample", "all"]) == 1
    printed = capsys.readouterr().out
    assert "The plan's numbers times 2:" in printed
    assert "model.layers.0.mlp.up_proj.weight  48×32 float32" in printed


def test_the_record_can_be_had_as_json(seed_folder, tmp_path):
    out = tmp_path / "found.json"

    assert main(["verify", str(seed_folder), "--sample", "64", "-o", str(out)]) == 0
    read = json.loads(out.read_text())
    assert (read["is_same"], read["sample"]) == (True, 64)


def test_saved_weights_are_verified_with_what_builds_their_model(tmp_path, capsys):
    plan, weights = str(tmp_path / "plan.json"), str(tmp_path / "weights.pt")
    made = ["init", NET, "--input", "16x8", "--plan", plan, "--seed", "1"]
    assert main([*made, "-o", weights]) == 0

    assert main(["verify", weights, "--arch", NET, "--plan", plan]) == 0
    assert main(["verify", NET, "--plan", plan]) == 1
    assert main(["verify", weights, "--arch", NET, "--plan", plan, "--seed", "2"]) == 1
    assert "looks initialized anew" in capsys.readouterr().out.lower()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([NET], "Give --plan plan.json"),
        ([NET, "--plan", "nowhere.json"], "nowhere.json"),
        ([NET, "--plan", "x.json", "--sample", "some"], "--sample takes a number"),
    ],
    ids=["no plan", "no such plan", "no sample"],
)
def test_what_cannot_be_understood_is_exit_code_2(words, says, capsys):
    assert main(["verify", *words]) == 2
    assert says in capsys.readouterr().err
