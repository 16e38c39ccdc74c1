"""FAN702 and zero padding: on a small map fewer terms enter than the kernel has."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import fanin


def codes(side):
    """Check two convolutions, the second drawn for its channels alone, on a map."""
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 128, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(128, 128, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(128 * side**2, 10),
    )
    with torch.no_grad():
        second = model[2].weight
        second.copy_(torch.randn(second.shape, generator=generator))
        second.mul_((2 / 128) ** 0.5)  # He's for one term a channel
    batch = torch.randn((8, 3, side, side), generator=generator)
    report = fanin.check(model, batch, select=["FAN702"])
    return [finding.code for finding in report.findings]


@pytest.mark.parametrize(("side", "found"), [(1, []), (16, ["FAN702"])])
def test_a_std_for_the_terms_that_padding_leaves_is_no_wrong_one(side, found):
    assert codes(side) == found
