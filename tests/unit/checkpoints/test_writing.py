"""Tests of checkpoints/{contents,folder,writing}.py: whole or not at all, resumed."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch.distributed.checkpoint import load
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
)

import fanin
from fanin.checkpoints import writing as module
from fanin.errors import ArgumentError, NoStorageError, OutputError
from fanin.frameworks.torch.weightless import weightless
from fanin.sampler.filling import pieces_of


def llama(**given):
    return LlamaConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        **given,
    )


@pytest.fixture
def model():
    with weightless():
        return LlamaForCausalLM(llama())


@pytest.fixture
def plan(model):
    return fanin.plan(model, seed=7)


def test_a_checkpoint_loads_with_the_numbers_that_apply_writes(model, plan, tmp_path):
    out = tmp_path / "seed"
    done = fanin.seed_checkpoint(plan, out, model=model, shard_size="20kB")
    assert len(done.shards) > 2
    loaded, report = AutoModelForCausalLM.from_pretrained(
        out, output_loading_info=True, dtype=torch.float32
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    expected = LlamaForCausalLM(llama())
    fanin.apply(plan, expected)
    for name, tensor in expected.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    x = torch.arange(12).reshape(2, 6)
    assert torch.equal(loaded(x).logits, expected(x).logits)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_narrower_dtype_is_the_float32_draw_rounded_once(
    model, plan, tmp_path, dtype
):
    from safetensors.torch import load_file

    fanin.seed_checkpoint(plan, tmp_path / "seed", model=model, dtype=dtype)
    numbers = load_file(tmp_path / "seed" / "model.safetensors")
    kind = getattr(torch, dtype)
    draws = plan.draws()
    for name in ("model.embed_tokens.weight", "model.layers.1.mlp.up_proj.weight"):
        assert numbers[name].dtype == kind
        wide = torch.from_numpy(draws[name](None))
        assert torch.equal(numbers[name].to(torch.float32), wide.to(kind).float())


def test_tied_weights_stand_once_and_come_back_tied(tmp_path):
    with weightless():
        model = LlamaForCausalLM(llama(tie_word_embeddings=True))
    plan = fanin.plan(model, seed=1)
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=model)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "seed")
    assert loaded.lm_head.weight is loaded.model.embed_tokens.weight
    drawn = plan.draws()["model.embed_tokens.weight"](None)
    np.testing.assert_array_equal(loaded.lm_head.weight.detach().numpy(), drawn)


def test_stored_buffers_are_written_with_their_values(tmp_path):
    from safetensors.torch import load_file

    with weightless():
        net = torch.nn.Sequential(
            torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2)
        )
    plan = fanin.plan(net, torch.zeros(8, 4), seed=0)
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=net)
    ready = torch.nn.Sequential(
        torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2)
    )
    ready.load_state_dict(load_file(tmp_path / "seed" / "model.safetensors"))
    assert ready[1].running_var.tolist() == [1, 1, 1]
    assert ready[1].num_batches_tracked.dtype == torch.int64


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_torch_distributed_checkpoint_reads_its_format(model, plan, tmp_path):
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=model, format="dcp")
    expected = LlamaForCausalLM(llama())
    fanin.apply(plan, expected)
    received = LlamaForCausalLM(llama())
    state = received.state_dict()
    load(state, checkpoint_id=tmp_path / "seed", no_dist=True)
    for name, tensor in expected.state_dict().items():
        assert torch.equal(state[name], tensor), name


def test_nothing_stands_under_the_name_before_all_is_written(
    model, plan, tmp_path, monkeypatch
):
    out = tmp_path / "seed"
    full = OSError(28, "No space left on device")
    calls = []
    real = module.write_safetensors

    def second_fails(path, **rest):
        calls.append(path)
        if len(calls) == 2:
            raise full
        real(path, **rest)

    monkeypatch.setattr(module, "write_safetensors", second_fails)
    with pytest.raises(OutputError, match="No space left"):
        fanin.seed_checkpoint(plan, out, model=model, shard_size="20kB")
    assert not out.exists()
    first = next((tmp_path / "seed.partial").glob("model-00001-*"))
    stamp = first.stat().st_mtime_ns
    monkeypatch.setattr(module, "write_safetensors", real)
    done = fanin.seed_checkpoint(plan, out, model=model, shard_size="20kB")
    assert done.n_found == 1
    assert (out / first.name).stat().st_mtime_ns == stamp
    assert not (tmp_path / "seed.partial").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["seed"]


SLOW = """
import sys, time, torch, fanin
from fanin.checkpoints import contents
whole = contents.Contents.numbers
def slowly(self, entry, region):
    time.sleep(0.05)
    return whole(self, entry, region)
contents.Contents.numbers = slowly
net = torch.nn.Sequential(*(torch.nn.Linear(64, 64) for _ in range(30)))
plan = fanin.plan(net, torch.randn(4, 64), seed=0)
fanin.seed_checkpoint(plan, sys.argv[1], model=net, shard_size="34kB")
"""


def test_killed_in_the_middle_it_goes_on_and_gives_the_same_bytes(tmp_path):
    out = tmp_path / "seed"
    command = [sys.executable, "-c", SLOW, str(out)]
    running = subprocess.Popen(command)
    partial = tmp_path / "seed.partial"
    deadline = time.monotonic() + 60
    while len(list(partial.glob("*.safetensors"))) < 3:
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not out.exists()
    net = torch.nn.Sequential(*(torch.nn.Linear(64, 64) for _ in range(30)))
    plan = fanin.plan(net, torch.randn(4, 64), seed=0)
    saved = fanin.seed_checkpoint
    plan = type(plan).load(partial / "fanin.plan.json")
    done = saved(plan, out, model=net, shard_size="34kB")
    assert done.n_found >= 3
    again = saved(plan, tmp_path / "again", model=net, shard_size="34kB")
    assert again.n_found == 0
    for file in sorted((tmp_path / "again").iterdir()):
        assert file.read_bytes() == (out / file.name).read_bytes(), file.name


def test_a_folder_with_files_is_left_alone(model, plan, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        fanin.seed_checkpoint(plan, tmp_path, model=model)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_overwriting_takes_the_old_away_only_when_the_new_is_whole(
    model, plan, tmp_path
):
    out = tmp_path / "seed"
    fanin.seed_checkpoint(plan, out, model=model)
    old = (out / "model.safetensors").read_bytes()
    other = fanin.plan(model, seed=8)
    fanin.seed_checkpoint(other, out, model=model, overwrite=True)
    assert (out / "model.safetensors").read_bytes() != old
    assert [each.name for each in tmp_path.iterdir()] == ["seed"]


def test_half_a_checkpoint_of_another_plan_is_not_gone_on_with(model, plan, tmp_path):
    (tmp_path / "seed.partial").mkdir()
    other = fanin.plan(model, seed=8)
    (tmp_path / "seed.partial" / "fanin.plan.json").write_text(other.to_json())
    with pytest.raises(OutputError, match="another plan"):
        fanin.seed_checkpoint(plan, tmp_path / "seed", model=model)
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=model, overwrite=True)
    text = (tmp_path / "seed" / "fanin.plan.json").read_text()
    assert json.loads(text)["seed"] == 7


def test_two_processes_do_not_write_one_checkpoint(model, plan, tmp_path):
    from fanin.checkpoints.folder import locked

    partial = tmp_path / "seed.partial"
    partial.mkdir()
    (partial / "fanin.plan.json").write_text("of the other process")
    out = tmp_path / "seed"
    with locked(out), pytest.raises(OutputError, match="another process"):
        fanin.seed_checkpoint(plan, out, model=model, overwrite=True)
    assert (partial / "fanin.plan.json").read_text() == "of the other process"


def test_a_folder_that_is_no_half_of_this_checkpoint_is_left_alone(
    model, plan, tmp_path
):
    partial = tmp_path / "seed.partial"
    partial.mkdir()
    (partial / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files"):
        fanin.seed_checkpoint(plan, tmp_path / "seed", model=model)
    assert (partial / "notes.txt").read_text() == "mine"


def normed():
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))


def test_shards_of_other_buffers_are_not_gone_on_with(tmp_path, monkeypatch):
    net = normed()
    plan = fanin.plan(net, torch.randn(8, 4), seed=0)
    full = OSError(28, "No space left on device")

    def fails(_target):
        raise full

    monkeypatch.setattr(module, "finish", fails)
    with pytest.raises(OSError, match="No space"):
        fanin.seed_checkpoint(plan, tmp_path / "seed", model=net)
    monkeypatch.undo()
    net[1].running_mean.fill_(5)
    with pytest.raises(OutputError, match="other kept values"):
        fanin.seed_checkpoint(plan, tmp_path / "seed", model=net)


def test_a_link_to_a_folder_leads_to_it(model, plan, tmp_path):
    (tmp_path / "scratch").mkdir()
    link = tmp_path / "seed"
    link.symlink_to(tmp_path / "scratch")
    fanin.seed_checkpoint(plan, link, model=model)
    assert link.is_symlink()
    assert (tmp_path / "scratch" / "model.safetensors").is_file()


def test_the_folder_one_stands_in_is_written(model, plan, tmp_path, monkeypatch):
    inside = tmp_path / "here"
    inside.mkdir()
    monkeypatch.chdir(inside)
    fanin.seed_checkpoint(plan, ".", model=model)
    assert (inside / "model.safetensors").is_file()


def test_what_an_old_checkpoint_left_is_in_nobody_s_way(model, plan, tmp_path):
    (tmp_path / "seed.old").mkdir()
    (tmp_path / "seed.old" / "notes.txt").write_text("mine")
    for seed in (1, 2):
        other = fanin.plan(model, seed=seed)
        fanin.seed_checkpoint(other, tmp_path / "seed", model=model, overwrite=True)
    assert (tmp_path / "seed.old" / "notes.txt").read_text() == "mine"


def test_a_buffer_keeps_its_dtype(tmp_path):
    from safetensors.torch import load_file

    net = normed().to(torch.bfloat16)
    plan = fanin.plan(net, torch.randn(8, 4, dtype=torch.bfloat16), seed=0)
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=net)
    stored = load_file(tmp_path / "seed" / "model.safetensors")
    assert stored["1.running_var"].dtype == torch.bfloat16
    assert torch.equal(stored["1.running_var"], net[1].running_var)


def test_a_buffer_of_a_kind_that_no_file_has_is_named(tmp_path):
    net = torch.nn.Linear(4, 3)
    net.register_buffer("turns", torch.ones(2, dtype=torch.complex64))
    plan = fanin.plan(net, torch.randn(8, 4), seed=0)
    with pytest.raises(ArgumentError, match="dtype of the buffer turns"):
        fanin.seed_checkpoint(plan, tmp_path / "seed", model=net)


def encoder():
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def test_kept_values_of_copied_modules_are_found(tmp_path):
    from safetensors.torch import load_file

    with weightless():
        net = encoder()
    kept = "layers.*.norm1.weight"
    plan = fanin.plan(net, torch.zeros(2, 3, 8), seed=0, skip=kept)
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=net, factory=encoder)
    stored = load_file(tmp_path / "seed" / "model.safetensors")
    assert stored["layers.1.norm1.weight"].tolist() == [1.0] * 8


def test_kept_values_that_are_nowhere_are_an_error(tmp_path):
    with weightless():
        net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    plan = fanin.plan(net, torch.zeros(8, 4), seed=0, skip="1.*")
    with pytest.raises(NoStorageError, match=r"'1.weight'.*, and 1 more.*factory"):
        fanin.seed_checkpoint(plan, tmp_path / "seed", model=net)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong", [{"dtype": "int8"}, {"format": "pickle"}, {"shard_size": "much"}]
)
def test_what_cannot_be_read_is_refused_before_anything_is_made(
    model, plan, tmp_path, wrong
):
    with pytest.raises(ArgumentError):
        fanin.seed_checkpoint(plan, tmp_path / "seed", model=model, **wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (3, 4), (2, 3, 5), (5, 1, 1, 2)])
@pytest.mark.parametrize("most", [1, 4, 7, 1000])
def test_the_boxes_cover_an_array_once_in_order(shape, most):
    array = np.arange(int(np.prod(shape))).reshape(shape)
    pieces = [
        array[tuple(slice(a, a + n) for a, n in zip(r.start, r.shape, strict=True))]
        for r in pieces_of(shape, most)
    ]
    laid = np.concatenate([piece.reshape(-1) for piece in pieces])
    np.testing.assert_array_equal(laid, array.reshape(-1))
    assert max(piece.size for piece in pieces) <= most


def test_memory_stays_bounded(tmp_path):
    script = (
        "import resource, sys, torch, fanin\n"
        "from fanin.frameworks.torch.weightless import weightless\n"
        "with weightless():\n"
        "    net = torch.nn.Sequential(*(torch.nn.Linear(8192, 8192, bias=False)"
        " for _ in range(4)))\n"
        "plan = fanin.plan(net, torch.zeros(2, 8192), seed=0, law='normal')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "done = fanin.seed_checkpoint(plan, sys.argv[1], model=net)\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print((after - before) * 1024, done.n_bytes, done.most_at_once)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "seed")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, n_bytes, most = map(int, printed.stdout.split())
    assert n_bytes == 4 * 8192**2 * 4
    assert grown < 0.25 * n_bytes
    assert most <= 2**25


MAMBA = MambaConfig(vocab_size=64, hidden_size=16, num_hidden_layers=2, state_size=4)


def test_what_authors_wrote_into_a_parameter_is_written(tmp_path):
    with weightless():
        model = MambaForCausalLM(MAMBA)
    plan = fanin.plan(model, seed=0)
    kept = [p.path for p in plan.prescriptions if p.is_kept]
    assert any(path.endswith("A_log") for path in kept)
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=model)
    loaded = MambaForCausalLM.from_pretrained(tmp_path / "seed")
    rates = torch.arange(1, 5).float().log()
    for layer in loaded.backbone.layers:
        assert torch.equal(layer.mixer.A_log.detach()[0], rates)


def test_a_model_that_is_in_memory_gives_the_values_that_are_kept(tmp_path):
    from safetensors.torch import load_file

    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    plan = fanin.plan(net, torch.randn(8, 4), seed=0, skip="1.*")
    fanin.seed_checkpoint(plan, tmp_path / "seed", model=net)
    numbers = load_file(tmp_path / "seed" / "model.safetensors")
    assert torch.equal(numbers["1.weight"], net[1].weight)
    assert not torch.equal(numbers["0.weight"], net[0].weight)


def test_bits_are_those_of_the_draw_however_a_tensor_is_cut(
    model, plan, tmp_path, monkeypatch
):
    from fanin.checkpoints import contents

    fanin.seed_checkpoint(plan, tmp_path / "whole", model=model)
    monkeypatch.setattr(contents, "PIECE", 100)
    fanin.seed_checkpoint(plan, tmp_path / "cut", model=model)
    one, other = (
        (tmp_path / name / "model.safetensors").read_bytes()
        for name in ("whole", "cut")
    )
    assert one == other
