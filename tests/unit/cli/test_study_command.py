"""Tests of `fanin study`."""

import json

from fanin.cli import main

SMALL = ["--seeds", "1", "--no-progress"]


def test_a_depth_study_prints_its_map(capsys):
    options = ["--depths", "2", "--sigmas", "1", "--steps", "10", "--width", "16"]
    assert main(["study", "depth", *options, "--jobs", "1", *SMALL]) == 0
    printed = capsys.readouterr().out
    assert "σ_w 1" in printed
    assert "6ξ" in printed


def test_a_width_study_writes_json(tmp_path, capsys):
    out = tmp_path / "width.json"
    options = ["--widths", "8,16", "--rates", "0.01", "--train-steps", "3"]
    assert main(["study", "width", *options, *SMALL, "-o", str(out)]) == 0
    read = json.loads(out.read_text())
    assert read["study"]["widths"] == [8, 16]
    assert read["layers"] == ["0", "2", "4", "output"]
    capsys.readouterr()


def test_a_user_s_maker_is_called_with_the_width(tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(
        "import numpy as np, torch\n"
        "def make(width):\n"
        "    return torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.Tanh(),"
        " torch.nn.Linear(width, 2))\n"
        "def data():\n"
        "    x = np.linspace(-1, 1, 64, dtype='float32').reshape(16, 4)\n"
        "    return {'x': x, 'y': (x.sum(1) > 0).astype('int64')}\n"
    )
    options = ["--input", f"{file}:data", "--loss", "cross_entropy", "--widths", "8,16"]
    rates = ["--rates", "0.01", "--train-steps", "2"]
    assert main(["study", "width", f"{file}:make", *options, *rates, *SMALL]) == 0
    assert "make; adam" in capsys.readouterr().out


def test_widths_out_of_order_are_exit_code_2(capsys):
    assert main(["study", "width", "--widths", "16,8", *SMALL]) == 2
    assert "rising order" in capsys.readouterr().err
