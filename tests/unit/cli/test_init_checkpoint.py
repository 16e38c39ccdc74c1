"""Tests of `fanin init TARGET --out DIR`."""

import json
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from fanin.cli import main

NET = f"{Path(__file__).parent / 'nets.py'}:make"


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "tiny"
    GPT2Config(
        n_layer=2,
        n_embd=32,
        n_head=2,
        vocab_size=64,
        n_positions=16,
        architectures=["GPT2LMHeadModel"],
    ).save_pretrained(folder)
    return folder


def test_a_config_becomes_a_folder_that_from_pretrained_reads(config, tmp_path, capsys):
    out = tmp_path / "seed"
    arguments = ["init", str(config), "--seed", "3", "--shard-size", "40kB"]
    assert main([*arguments, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"Written to {out}" in printed
    assert "model-00001-of-" in printed
    model, report = AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    assert not report["missing_keys"]
    assert type(model).__name__ == "GPT2LMHeadModel"
    assert json.loads((out / "fanin.plan.json").read_text())["seed"] == 3


def test_a_dry_run_says_the_sizes_and_writes_nothing(config, tmp_path, capsys):
    out = tmp_path / "seed"
    main(["init", str(config), "--dtype", "bfloat16", "--out", str(out), "--dry-run"])
    printed = capsys.readouterr().out
    assert "Nothing was written" in printed
    assert "Checkpoint: " in printed
    assert [each.name for each in tmp_path.iterdir()] == ["tiny"]


def test_seventy_billion_parameters_are_planned_without_their_memory(tmp_path, capsys):
    folder = tmp_path / "llama"
    LlamaConfig(
        hidden_size=8192,
        intermediate_size=28672,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
        vocab_size=128256,
        architectures=["LlamaForCausalLM"],
    ).save_pretrained(folder)
    out = str(tmp_path / "seed")
    main(["init", str(folder), "--dtype", "bfloat16", "--out", out, "--dry-run"])
    printed = capsys.readouterr().out
    assert "70,553,706,496 numbers, 141.1 GB in 3" in printed
    assert "drawn 16.8 MB at a time" in printed


def test_a_saved_plan_is_written_as_it_is(config, tmp_path, capsys):
    plan = tmp_path / "plan.json"
    main(["plan", str(config), "--seed", "11", "--format", "json", "-o", str(plan)])
    out = tmp_path / "seed"
    main(["init", str(config), "--from-plan", str(plan), "--out", str(out)])
    assert json.loads((out / "fanin.plan.json").read_text())["seed"] == 11
    capsys.readouterr()


def test_a_user_s_own_module_is_written_too(tmp_path, capsys):
    out = tmp_path / "seed"
    data = ["--input", "12x8"]
    assert main(["init", NET, *data, "--out", str(out)]) == 0
    assert (out / "model.safetensors").is_file()
    capsys.readouterr()


@pytest.mark.parametrize("places", [[], ["-o", "w.pt", "--out", "seed"]])
def test_one_place_must_be_named(places, capsys):
    assert main(["init", NET, *places]) == 2
    assert "--out DIR" in capsys.readouterr().err


def test_a_folder_with_files_is_refused_before_the_model_is_built(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    arguments = ["init", "no.module:make", "--out", str(tmp_path)]
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
