"""`fanin lab`: what the command line hands to the server."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from fanin.cli import main
from fanin.lab.server import serve

NETS = Path(__file__).parent / "nets.py"


@pytest.fixture
def asked(monkeypatch):
    """Stand in for the server: keep what it was asked for, end at once."""
    found = {}

    def run(*, on_start):
        found["opens"] = on_start is not None
        raise KeyboardInterrupt

    def prepare(guest, *, port):
        found.update(guest=guest, port=port)
        return SimpleNamespace(url="http://127.0.0.1:1/?token=t", run=run)

    monkeypatch.setattr(serve, "prepare", prepare)
    return found


def test_without_a_model_the_lab_opens_in_the_browser(asked, capsys):
    assert main(["lab"]) == 0

    assert asked == {"guest": None, "port": 0, "opens": True}
    assert capsys.readouterr().out == "fanin lab: http://127.0.0.1:1/?token=t\n"


def test_no_browser_and_a_port_are_taken_at_their_word(asked):
    assert main(["lab", "--no-browser", "--port", "8600"]) == 0

    assert asked == {"guest": None, "port": 8600, "opens": False}


def test_a_model_comes_with_batch_target_and_loss(asked):
    words = ["--input", f"{NETS}:batch", "--loss", "cross_entropy", "--no-browser"]
    assert main(["lab", f"{NETS}:make(width=5)", *words]) == 0
    guest = asked["guest"]

    assert guest.name == f"{NETS}:make(width=5)"
    assert guest.model[0].out_features == 5
    assert guest.batch.shape == (12, 8)
    assert guest.target.shape == (12,)
    assert guest.loss == "cross_entropy"
    assert guest.factory is not None


def test_a_model_that_cannot_be_built_starts_no_server(asked, capsys):
    assert main(["lab", f"{NETS}:broken"]) == 3

    assert asked == {}
    assert "no such dataset" in capsys.readouterr().err
