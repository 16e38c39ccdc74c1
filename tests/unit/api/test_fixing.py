from __future__ import annotations

import pickle

import equinox as eqx
import jax
import keras
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import fanin
from fanin.rules import Report, Verdict

RNG = np.random.Generator(np.random.PCG64(0))
X = RNG.standard_normal((32, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 32)


def zero_net():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3)
    )
    with torch.no_grad():
        for layer in (net[2], net[4]):
            layer.weight.zero_()
            layer.bias.zero_()
    return net


def checked(net):
    return fanin.check(net, torch.from_numpy(X), "cross_entropy", torch.from_numpy(Y))


def test_a_net_that_cannot_learn_is_mended_and_checked_again():
    net = zero_net()
    before = checked(net)
    fixed = before.fix(net, seed=1)

    assert before.verdict is Verdict.CANNOT_LEARN
    assert fixed.report.verdict is Verdict.HEALTHY
    assert fixed.model is net
    assert set(fixed.drawn) <= {"2.weight", "2.bias", "4.weight"}
    assert fixed.report.notes[0].startswith("Before: cannot learn (proved)")


def test_the_report_after_a_fix_is_what_a_new_check_finds():
    net = zero_net()
    fixed = fanin.fix(checked(net), net, seed=1)

    assert fixed.report.findings == checked(net).findings


def test_what_no_finding_names_keeps_its_numbers():
    net = zero_net()
    kept = {k: v.clone() for k, v in net.state_dict().items()}
    fixed = checked(net).fix(net, seed=1)

    changed = {k for k, v in net.state_dict().items() if not torch.equal(v, kept[k])}
    assert {"2.weight"} <= changed <= set(fixed.drawn)


def test_frozen_and_suppressed_parameters_are_not_touched():
    net = zero_net()
    torch.nn.init.constant_(net[0].weight, 0.1)
    words = {"ignores": {"0.*": ["FAN1"]}}
    net[4].weight.requires_grad_(False)
    batch = (torch.from_numpy(X), "cross_entropy", torch.from_numpy(Y))
    report = fanin.check(net, *batch, **words)
    report.fix(net, seed=1)

    assert net[0].weight.unique().numel() == 1
    assert not net[4].weight.any()


def test_a_whole_net_is_drawn_where_its_scale_is_at_fault():
    torch.manual_seed(0)
    layers = [m for _ in range(12) for m in (nn.Linear(64, 64), nn.ReLU())]
    net = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), *layers, nn.Linear(64, 3))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(0.1)
    before = checked(net)
    fixed = before.fix(net, seed=1)

    assert before.verdict is Verdict.WILL_STRUGGLE
    assert fixed.report.verdict is Verdict.HEALTHY


def test_a_healthy_model_is_left_as_it_is():
    torch.manual_seed(0)
    net = nn.Linear(6, 3)
    kept = net.weight.clone()
    fixed = checked(net).fix(net)

    assert fixed.drawn == ()
    assert torch.equal(net.weight, kept)


def test_what_no_draw_mends_is_left_and_says_what_to_do():
    class Forgets(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.extra = nn.Linear(6, 3), nn.Linear(6, 3)

        def forward(self, x):
            return self.head(x)

    torch.manual_seed(0)
    net = Forgets()
    fixed = checked(net).fix(net)

    assert [f.code for f in fixed.left] == ["FAN001"]
    assert "Use the layer in the forward pass" in str(fixed)


def test_a_second_check_that_fails_leaves_the_model_as_it_was(monkeypatch):
    net = zero_net()
    report = checked(net)

    def broken(*arguments, **words):
        raise KeyboardInterrupt

    monkeypatch.setattr("fanin.api.fixing.check", broken)
    with pytest.raises(KeyboardInterrupt):
        report.fix(net, seed=1)
    assert not net[2].weight.any()


def test_a_draw_that_makes_it_worse_is_taken_back(monkeypatch):
    net = zero_net()
    report = checked(net)
    worse = Report(verdict=Verdict.NOT_CHECKED)
    monkeypatch.setattr("fanin.api.fixing.check", lambda *_, **__: worse)
    fixed = report.fix(net, seed=1)

    assert fixed.drawn == ()
    assert not net[2].weight.any()
    assert "nothing is kept" in fixed.report.notes[0]


def test_a_report_from_a_file_fixes_with_a_batch_given_again():
    net = zero_net()
    report = Report.from_json(checked(net).to_json())
    batch, labels = torch.from_numpy(X), torch.from_numpy(Y)
    fixed = report.fix(net, batch=batch, loss="cross_entropy", target=labels, seed=1)

    assert fixed.report.verdict is Verdict.HEALTHY


def test_a_pickled_report_holds_no_batch():
    report = checked(zero_net())

    assert report.asked.batch is not None
    assert pickle.loads(pickle.dumps(report)).asked is None
    assert pickle.loads(pickle.dumps(report)) == report


def test_keras_is_mended_in_place():
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.layers.Input((6,)),
            keras.layers.Dense(16, "tanh", kernel_initializer="zeros"),
            keras.layers.Dense(16, "tanh", kernel_initializer="zeros"),
            keras.layers.Dense(3),
        ]
    )
    report = fanin.check(net, X, "cross_entropy", Y)
    fixed = report.fix(net, seed=1)

    assert report.verdict is Verdict.CANNOT_LEARN
    assert fixed.ok
    assert fixed.model is net


def test_flax_is_mended_in_place():
    class Net(nnx.Module):
        def __init__(self, rngs):
            zeros = nnx.initializers.zeros
            self.a = nnx.Linear(6, 16, kernel_init=zeros, rngs=rngs)
            self.b = nnx.Linear(16, 3, kernel_init=zeros, rngs=rngs)

        def __call__(self, x):
            return self.b(jax.nn.tanh(self.a(x)))

    net = Net(nnx.Rngs(0))
    report = fanin.check(net, X, "cross_entropy", Y)
    fixed = report.fix(net, seed=1)

    assert report.verdict is Verdict.CANNOT_LEARN
    assert fixed.ok
    assert fixed.model is net


def test_equinox_gives_another_model():
    class Net(eqx.Module):
        a: eqx.nn.Linear
        b: eqx.nn.Linear

        def __call__(self, x):
            return self.b(jax.nn.tanh(self.a(x)))

    key = jax.random.key(0)
    a, b = eqx.nn.Linear(6, 16, key=key), eqx.nn.Linear(16, 3, key=key)
    net = jax.tree.map(jax.numpy.zeros_like, Net(a, b))
    report = fanin.check(net, X, "cross_entropy", Y)
    fixed = report.fix(net, seed=1)

    assert report.verdict is Verdict.CANNOT_LEARN
    assert fixed.ok
    assert fixed.model is not net
    assert not net.a.weight.any()
