from __future__ import annotations

import torch
from torch import nn

import fanin

X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.extra = (nn.Linear(4, 4) for _ in range(3))


class Forgets(Net):
    def forward(self, x):
        return self.head(torch.relu(self.body(x)))


class Cuts(Net):
    def forward(self, x):
        return self.extra(self.head(torch.relu(self.body(x)).detach()))


class LeavesOut(Net):
    def forward(self, x):
        return self.head(self.body(x)), self.extra(x)


class Branches(Net):
    def forward(self, x, mask=None):
        x = self.head(self.body(x))
        return x if mask is None else self.extra(x)


def found(net, **words):
    torch.manual_seed(0)
    report = fanin.check(net(), X, select=["FAN001"], **words)
    return report, [(str(f.severity), f.paths[0]) for f in report.findings]


def test_a_forgotten_layer_is_a_warning():
    assert found(Forgets)[1] == [("warning", "extra.weight")]


def test_a_layer_behind_detach_is_a_warning():
    assert found(Cuts)[1] == [("warning", "body.weight")]


def test_an_output_that_the_objective_leaves_out_is_a_note():
    assert found(LeavesOut)[1] == [("info", "extra.weight")]


def test_a_branch_that_was_not_taken_is_a_note():
    assert found(Branches)[1] == [("info", "extra.weight")]


def test_what_is_not_reached_alone_does_not_change_the_verdict():
    assert found(Forgets)[0].verdict.value == "healthy for this batch"


def test_what_is_not_reached_is_found_without_the_closure():
    assert found(Forgets, closure=False)[1] == [("warning", "extra.weight")]


def test_what_the_optimizer_was_not_given_is_a_warning():
    torch.manual_seed(0)
    net = LeavesOut()
    given = [*net.body.parameters(), *net.extra.parameters()]
    optimizer = torch.optim.SGD(given, lr=0.1)
    report = fanin.check(net, X, select=["FAN001"], optimizer=optimizer)

    assert [f.paths for f in report.warnings] == [("head.weight", "head.bias")]


def test_a_reached_model_has_no_such_finding():
    assert fanin.check(nn.Linear(4, 2), X, select=["FAN001"]).findings == ()
