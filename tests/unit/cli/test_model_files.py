"""Files as targets: programs, configs and weights; what would run code is refused."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.cli import main
from fanin.cli.targets import TargetError, open_target
from fanin.cli.targets.config_folder import _require_memory
from fanin.errors import ArgumentError, ModelError, ShapeError, UsageError
from fanin.frameworks.torch.transformers_config import Blueprint, blueprint

NETS = Path(__file__).parent / "nets.py"
NET = (
    "import torch\nfrom torch import nn\n\n"
    "def make(width=16):\n"
    "    return nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 3))\n"
)


class Malice:
    """An object whose pickle runs a command when it is read."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (os.mkdir, (str(self.marker),))


@pytest.fixture
def net_file(tmp_path):
    file = tmp_path / "some_net.py"
    file.write_text(NET)
    return f"{file}:make"


@pytest.fixture
def program(tmp_path):
    file = tmp_path / "program.pt2"
    net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3))
    batch = torch.export.Dim("batch")
    example = (torch.ones(4, 8),)
    torch.export.save(
        torch.export.export(net, example, dynamic_shapes=({0: batch},)), file
    )
    return file


@pytest.fixture
def llama(tmp_path):
    import transformers

    transformers.LlamaConfig(
        num_hidden_layers=3,
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=4,
        vocab_size=50,
        architectures=["LlamaForCausalLM"],
    ).save_pretrained(tmp_path)
    return tmp_path


def weights_of(seed=0):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    return net.state_dict()


def with_pickle(program, name):
    """Copy a program, with a hostile pickle in place of one of its files."""
    marker = program.with_name("was_run")
    hostile = program.with_name("hostile.pt2")
    with zipfile.ZipFile(program) as old, zipfile.ZipFile(hostile, "w") as new:
        for item in old.namelist():
            content = old.read(item)
            if item.endswith(name):
                content = pickle.dumps(Malice(marker))
            new.writestr(item, content)
    return hostile, marker


def test_an_exported_program_is_checked_on_what_it_was_recorded_on(program, capsys):
    assert main(["check", str(program), "--format", "concise"]) == 0
    assert "32×8 standard normal numbers" in capsys.readouterr().out


def test_tokens_of_a_program_stay_below_the_rows_of_its_table(tmp_path):
    net = nn.Sequential(nn.Embedding(11, 4), nn.Flatten(), nn.Linear(20, 2))
    torch.export.save(
        torch.export.export(net, (torch.zeros(6, 5, dtype=torch.long),)),
        tmp_path / "tokens.pt2",
    )
    model = open_target(str(tmp_path / "tokens.pt2")).model
    report = fanin.check(model)
    assert "6×5 whole numbers below 11" in str(report)


def test_a_program_with_a_pickle_in_it_is_refused_unread(program):
    hostile, marker = with_pickle(program, ".pt")
    with pytest.raises(ModelError, match="would run code"):
        open_target(str(hostile))
    assert not marker.exists()


def test_a_program_with_an_opaque_object_is_refused_unread(program):
    marker = program.with_name("was_run")
    with zipfile.ZipFile(program, "a") as archive:
        root = archive.namelist()[0].partition("/")[0]
        content = pickle.dumps(Malice(marker))
        archive.writestr(f"{root}/data/constants/opaque_obj_0", content)
    with pytest.raises(ModelError, match="opaque_obj_0"):
        open_target(str(program))
    assert not marker.exists()


def test_a_program_with_pickled_weights_is_refused_unread(program):
    marker = program.with_name("was_run")
    payload = {"use_pickle": True, "path_name": "evil"}
    with zipfile.ZipFile(program, "a") as archive:
        root = archive.namelist()[0].partition("/")[0]
        config = json.dumps({"config": {"w": payload}})
        archive.writestr(f"{root}/data/weights/other_weights_config.json", config)
        archive.writestr(f"{root}/data/weights/evil", pickle.dumps(Malice(marker)))
    with pytest.raises(ModelError, match="evil"):
        open_target(str(program))
    assert not marker.exists()


def test_what_is_no_program_is_said_so(tmp_path):
    file = tmp_path / "x.pt2"
    file.write_text("no zip")
    with pytest.raises(ModelError, match=r"no \.pt2 file"):
        open_target(str(file))


def test_a_folder_with_a_config_is_checked_with_its_authors_weights(llama, capsys):
    code = main(["check", str(llama), "--format", "concise"])
    out = capsys.readouterr().out
    assert code == 0, out
    assert "Built LlamaForCausalLM from its config; no checkpoint was read." in out
    assert "input_ids: 8×16 whole numbers below 50" in out


def test_only_so_many_blocks_are_built(llama):
    opened = open_target(str(llama), blocks=1)
    assert len(opened.model.model.layers) == 1
    assert "Only 1 of 3 blocks were built." in opened.remarks[0]
    assert opened.factory is not None
    assert len(opened.factory().model.layers) == 1
    with pytest.raises(ArgumentError, match="from 1 to 3"):
        open_target(str(llama), blocks=4)


def test_lists_with_an_item_a_block_are_cut_with_the_blocks(tmp_path):
    import transformers

    transformers.Gemma3TextConfig(
        num_hidden_layers=6,
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        vocab_size=50,
        architectures=["Gemma3ForCausalLM"],
    ).save_pretrained(tmp_path)
    model = open_target(str(tmp_path), blocks=2).model
    assert len(model.config.layer_types) == 2
    assert fanin.check(model).coverage.n_sites > 0


def test_a_folder_without_a_config_is_refused(tmp_path):
    with pytest.raises(TargetError, match=r"no config\.json"):
        open_target(str(tmp_path))


def test_a_config_of_an_unknown_kind_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "no_such_family"}')
    with pytest.raises(ModelError, match="cannot read the config"):
        open_target(str(tmp_path))


def test_a_config_that_asks_for_its_own_code_is_refused(llama):
    file = llama / "config.json"
    config = json.loads(file.read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling_x.X"}
    file.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"which is not run|trust_remote_code"):
        open_target(str(llama))


def test_what_does_not_fit_into_memory_is_refused_before_it_is_built():
    found = Blueprint(
        name="X",
        build=lambda: pytest.fail("it was built"),
        n_parameters=7_000_000_000,
        n_blocks=32,
        n_built=32,
    )
    with pytest.raises(UsageError, match=r"7\.0 billion.*112 GB, and 16 GB.*--blocks"):
        _require_memory("dir", found, 16_000_000_000)


def test_the_parameters_of_a_config_are_counted_without_memory(llama):
    found = blueprint(str(llama))
    assert found.n_parameters == sum(p.numel() for p in found.build().parameters())


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".npz"])
def test_weights_are_read_into_the_model_that_arch_builds(net_file, tmp_path, suffix):
    state = weights_of()
    file = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file(state, file)
    elif suffix == ".pt":
        torch.save(state, file)
    else:
        np.savez(file, **{name: t.numpy() for name, t in state.items()})
    model = open_target(str(file), arch=net_file).model
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[name])


def test_weights_in_several_files_are_read_by_their_index(net_file, tmp_path):
    from safetensors.torch import save_file

    state = weights_of()
    names = list(state)
    places = {n: f"part-{i % 2}.safetensors" for i, n in enumerate(names)}
    for part in set(places.values()):
        chosen = {n: state[n] for n in names if places[n] == part}
        save_file(chosen, tmp_path / part)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    model = open_target(str(index), arch=net_file).model
    assert all(torch.equal(t, state[n]) for n, t in model.state_dict().items())


def test_a_trainers_prefix_and_its_larger_dict_are_seen_through(net_file, tmp_path):
    state = weights_of()
    file = tmp_path / "last.ckpt"
    prefixed = {f"model.{name}": tensor for name, tensor in state.items()}
    torch.save({"epoch": 3, "state_dict": prefixed}, file)
    model = open_target(str(file), arch=net_file).model
    assert all(torch.equal(t, state[n]) for n, t in model.state_dict().items())


def test_weights_without_an_architecture_are_refused(tmp_path):
    file = tmp_path / "weights.pt"
    torch.save(weights_of(), file)
    with pytest.raises(TargetError, match="add --arch TARGET"):
        open_target(str(file))


def test_weights_of_another_model_change_nothing(net_file, tmp_path):
    file = tmp_path / "weights.pt"
    state = weights_of()
    del state["2.bias"]
    state["3.bias"] = torch.zeros(3)
    torch.save(state, file)
    with pytest.raises(ModelError, match=r"lacks 2\.bias \(1 of 4\), and it holds 3"):
        open_target(str(file), arch=net_file)


def test_weights_of_another_shape_are_refused(net_file, tmp_path):
    file = tmp_path / "weights.pt"
    torch.save(weights_of(), file)
    with pytest.raises(ShapeError, match=r"0\.weight"):
        open_target(str(file), arch=f"{net_file}(width=17)")


def test_tied_weights_are_read_under_one_of_their_names(llama, tmp_path):
    from safetensors.torch import save_file

    config = json.loads((llama / "config.json").read_text())
    config["tie_word_embeddings"] = True
    (llama / "config.json").write_text(json.dumps(config))
    model = open_target(str(llama)).model
    state = {n: t.clone() for n, t in model.state_dict().items() if "lm_head" not in n}
    file = tmp_path / "tied.safetensors"
    save_file(state, file)
    read = open_target(str(file), arch=str(llama)).model
    assert torch.equal(read.lm_head.weight, state["model.embed_tokens.weight"])


@pytest.mark.parametrize("name", ["weights.pt", "weights.bin", "model.pkl"])
def test_a_pickle_of_more_than_tensors_is_refused_unread(net_file, tmp_path, name):
    marker = tmp_path / "was_run"
    file = tmp_path / name
    torch.save({"model": Malice(marker)}, file)
    with pytest.raises((ModelError, TargetError), match="would run code"):
        open_target(str(file), arch=None if name.endswith("pkl") else net_file)
    assert not marker.exists()


def test_a_whole_pickled_module_is_refused(net_file, tmp_path):
    file = tmp_path / "net.pt"
    torch.save(nn.Linear(2, 2), file)
    with pytest.raises(ModelError, match="Save the state_dict alone"):
        open_target(str(file), arch=net_file)


def test_what_init_wrote_can_be_checked(net_file, tmp_path, capsys):
    weights = tmp_path / "weights.npz"
    assert main(["init", net_file, "--input", "64x8", "-o", str(weights)]) == 0
    capsys.readouterr()
    asked = ["check", str(weights), "--arch", net_file, "--input", "64x8"]
    assert main([*asked, "--format", "concise"]) == 0
    assert f"The weights are those of {weights}." in capsys.readouterr().out


@pytest.mark.parametrize("option", [["--arch", "net.py:make"], ["--blocks", "2"]])
def test_an_option_that_means_nothing_is_refused(net_file, option, capsys):
    assert main(["check", net_file, *option]) == 2
    assert f"{option[0]} means nothing" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_keras_model_takes_its_weights_from_a_file(tmp_path):
    import keras

    from fanin.frameworks.keras import save

    file = tmp_path / "keras_net.py"
    file.write_text(
        "import keras\n\ndef make(units=2):\n    return keras.Sequential("
        "[keras.Input((4,)), keras.layers.Dense(units)])\n"
    )
    kernel = np.arange(8, dtype=np.float32).reshape(4, 2)
    made = open_target(f"{file}:make").model
    made.layers[0].set_weights([kernel, np.ones(2, np.float32)])
    for name in ("w.weights.h5", "w.npz"):
        save(made, tmp_path / name)
        read = open_target(str(tmp_path / name), arch=f"{file}:make").model
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(read.weights[0]), kernel
        )
    with pytest.raises((ModelError, ShapeError)):
        open_target(str(tmp_path / "w.weights.h5"), arch=f"{file}:make(units=3)")


def test_a_jax_model_takes_its_weights_from_a_file(tmp_path):
    pytest.importorskip("flax")
    file = tmp_path / "nnx_net.py"
    file.write_text(
        "from flax import nnx\n\ndef make():\n"
        "    return nnx.Linear(4, 2, rngs=nnx.Rngs(0))\n"
    )
    kernel = np.arange(8, dtype=np.float32).reshape(4, 2)
    np.savez(tmp_path / "w.npz", kernel=kernel, bias=np.ones(2, np.float32))
    read = open_target(str(tmp_path / "w.npz"), arch=f"{file}:make").model
    np.testing.assert_array_equal(np.asarray(read.kernel[...]), kernel)


def test_torch_reads_nothing_from_an_empty_stream(tmp_path, net_file):
    file = tmp_path / "empty.pt"
    file.write_bytes(io.BytesIO().getvalue())
    with pytest.raises(ModelError):
        open_target(str(file), arch=net_file)
