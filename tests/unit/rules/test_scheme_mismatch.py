"""FAN701: a scale that the activation does not ask for, and one that only looks so."""

from __future__ import annotations

import torch
from torch import nn

import fanin
from fanin.rules import Severity

WIDTH, BATCH = 64, 64


def rows():
    return torch.randn(BATCH, WIDTH, generator=torch.Generator().manual_seed(0))


def net(n_layers, activation=nn.ReLU):
    torch.manual_seed(0)
    layers = []
    for _ in range(n_layers):
        layers += [nn.Linear(WIDTH, WIDTH), activation()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 3))


def found(model):
    return list(fanin.check(model, rows(), select=["FAN701"]).findings)


def test_torchs_default_before_relu_is_a_note_that_names_every_hidden_weight():
    (finding,) = found(net(4))

    assert finding.severity is Severity.INFO
    assert finding.paths == ("2.weight", "4.weight", "6.weight")
    assert finding.value < finding.interval[0]
    hidden = {f"{i}.{name}" for i in (2, 4, 6) for name in ("weight", "bias")}
    ends = {"0.weight", "8.weight"}  # of the chain whose gradients it explains
    assert set(finding.mended_by) == hidden | ends


def test_a_bias_that_has_become_the_whole_signal_excuses_no_weight():
    # 30 layers down samples differ by rounding alone, which keeps its size.
    (finding,) = found(net(30))

    assert len(finding.paths) == 29


def test_nothing_that_fanin_has_written_is_a_mismatch():
    for model in (net(3), net(10), net(10, nn.Tanh), net(10, nn.SELU)):
        fanin.init(model, rows(), seed=0)

        assert not found(model)
