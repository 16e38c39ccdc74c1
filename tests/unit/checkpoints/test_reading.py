"""Checkpoints are read where they lie, and verified against their plan."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import fanin
from fanin.checkpoints.reading import is_checkpoint, read_checkpoint
from fanin.errors import ArgumentError, ModelError
from fanin.prescription.verification import Verdict

DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int8", "uint8", "bool"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seed") / "out"
    net = torch.nn.Sequential(torch.nn.Linear(30, 40), torch.nn.Linear(40, 7))
    plan = fanin.plan(net, torch.ones(4, 30), scheme="he_normal", seed=5)
    fanin.seed_checkpoint(plan, folder, shard_size="4kB", progress=False)
    return folder


@pytest.fixture
def seed_folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "seed")


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_are_those_that_the_library_wrote(dtype, tmp_path):
    torch.manual_seed(0)
    whole = (torch.randn(5, 7) * 9).to(getattr(torch, dtype))
    other = torch.ones(3, dtype=torch.int8)  # what follows starts at an odd byte
    save_file(
        {"a": other, "w": whole, "scalar": whole[0, 0].clone()},
        tmp_path / "x.safetensors",
    )
    tensors = read_checkpoint(tmp_path / "x.safetensors").tensors
    (held,) = tensors["w"]

    assert (held.dtype, held.shape) == (dtype, (5, 7))
    index = np.array([34, 0, 11])
    expected = whole.reshape(-1)[torch.from_numpy(index)].to(torch.float64).numpy()
    assert np.array_equal(held.take(index).astype(np.float64), expected)
    assert tensors["scalar"][0].take(np.zeros(1, int)).size == 1


def test_a_seed_checkpoint_is_its_plans(seed_folder):
    found = fanin.verify(seed_folder)

    assert len(list(seed_folder.glob("*.safetensors"))) > 1
    assert found
    assert found.n_looked == 30 * 40 + 40 + 40 * 7 + 7
    assert found.where == str(seed_folder)


def test_a_narrow_checkpoint_is_verified_by_its_own_plan_and_by_the_models(tmp_path):
    net = torch.nn.Linear(64, 64)
    plan = fanin.plan(net, torch.ones(4, 64), scheme="he_normal", seed=5)
    out = tmp_path / "out"
    fanin.seed_checkpoint(plan, out, dtype="bfloat16", progress=False)

    assert {e.verdict for e in fanin.verify(out).checked} == {Verdict.SAME}
    assert {e.verdict for e in fanin.verify(out, plan).checked} == {Verdict.ROUNDED}


def test_a_changed_tensor_on_disk_is_found(seed_folder):
    for file in seed_folder.glob("*.safetensors"):
        held = load_file(file)
        if "1.weight" in held:
            held["1.weight"][3] = 0.0
            save_file(held, file)
    found = fanin.verify(seed_folder)

    assert [each.path for each in found.different] == ["1.weight"]
    assert "3 of axis 0" in found.different[0].detail


def test_one_file_alone_lacks_the_others_tensors(seed_folder):
    plan = seed_folder / "fanin.plan.json"
    found = fanin.verify(min(seed_folder.glob("*.safetensors")), plan)

    assert found.of(Verdict.MISSING)
    assert found.of(Verdict.SAME)


def test_a_folder_without_an_index_is_read_whole(seed_folder):
    (seed_folder / "model.safetensors.index.json").unlink()

    assert fanin.verify(seed_folder)


def test_a_missing_file_is_named(seed_folder):
    gone = max(seed_folder.glob("*.safetensors"))
    gone.unlink()

    with pytest.raises(ModelError, match=f"lacks {gone.name}"):
        fanin.verify(seed_folder)


def test_a_file_that_was_cut_short_is_refused(seed_folder):
    file = min(seed_folder.glob("*.safetensors"))
    content = file.read_bytes()
    file.write_bytes(content[:-8])
    with pytest.raises(ModelError, match="ends before the last bytes of"):
        fanin.verify(seed_folder)
    file.write_bytes(content[:20])
    with pytest.raises(ModelError, match="header is longer than the file"):
        fanin.verify(seed_folder)
    file.write_bytes(b"\x02" + bytes(7) + b"no")
    with pytest.raises(ModelError, match="is no safetensors file"):
        fanin.verify(seed_folder)


def test_an_index_that_is_none_is_refused(seed_folder):
    (seed_folder / "model.safetensors.index.json").write_text(json.dumps([1]))

    with pytest.raises(ModelError, match="is no index of a checkpoint"):
        fanin.verify(seed_folder)


def test_without_a_plan_beside_it_one_must_be_given(seed_folder):
    (seed_folder / "fanin.plan.json").unlink()

    with pytest.raises(ArgumentError, match=r"no fanin\.plan\.json beside"):
        fanin.verify(seed_folder)


def test_another_path_is_no_checkpoint(tmp_path):
    assert not is_checkpoint(tmp_path)
    with pytest.raises(ArgumentError, match="a folder that holds such files"):
        fanin.verify(tmp_path / "nowhere")
