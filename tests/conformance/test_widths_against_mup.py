"""fanin's rates are those of the authors' own package, where it is installed.

It needs a layer of its own as the head, and a third model; what it multiplies its
head's output by is counted in here. (``pip install --no-deps mup==1.0.0``)
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

import fanin

mup = pytest.importorskip("mup", reason="the authors' package is not installed")
WIDTH, BASE = 256, 32


class Net(nn.Module):
    def __init__(self, width, head=nn.Linear):
        super().__init__()
        self.first = nn.Linear(16, width)
        self.hidden = nn.Linear(width, width)
        self.head = head(width, 4)

    def forward(self, x):
        return self.head(torch.tanh(self.hidden(torch.tanh(self.first(x)))))


@pytest.mark.parametrize(("name", "power"), [("adam", 1), ("sgd", 2)])
def test_every_parameter_learns_as_fast_as_in_the_authors_package(name, power):
    theirs = Net(WIDTH, mup.MuReadout)
    mup.set_base_shapes(
        theirs, Net(BASE, mup.MuReadout), delta=Net(2 * BASE, mup.MuReadout)
    )
    kind = {"adam": mup.MuAdam, "sgd": mup.MuSGD}[name]
    groups = kind(theirs.parameters(), lr=1.0).param_groups
    rate_of = {id(p): group["lr"] for group in groups for p in group["params"]}

    plan = fanin.plan(
        Net(WIDTH), torch.ones(8, 16), policy="mup", base=Net(BASE), seed=0
    )

    for path, parameter in theirs.named_parameters():
        readout = BASE / WIDTH if path == "head.weight" else 1.0
        effective = rate_of[id(parameter)] * readout**power
        assert plan.multipliers(name)[path] == pytest.approx(effective)
