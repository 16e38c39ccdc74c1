"""FAN702: counts of inputs, padding on small maps, and normalization further on."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import fanin
from fanin.rules.rule import Severity


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


WIDE = 1024  # enough depthwise weights to tell their std to 1 %


def separable(n_blocks, *, is_normalized):
    """Stack depthwise and pointwise convolutions, the former drawn for all channels."""
    layers = [
        nn.Conv2d(3, WIDE, 3, padding=1, bias=False),
        nn.BatchNorm2d(WIDE),
        nn.ReLU(),
    ]
    for _ in range(n_blocks):
        depthwise = nn.Conv2d(WIDE, WIDE, 3, padding=1, groups=WIDE, bias=False)
        nn.init.normal_(depthwise.weight, std=(2 / (WIDE * 9)) ** 0.5)
        pointwise = nn.Conv2d(WIDE, WIDE, 1, bias=False)
        layers += [depthwise, pointwise]
        layers += [nn.BatchNorm2d(WIDE), nn.ReLU()] if is_normalized else [nn.ReLU()]
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDE, 10)]
    return nn.Sequential(*layers, *pool)


@pytest.mark.parametrize(
    ("is_normalized", "severity"), [(True, Severity.INFO), (False, Severity.WARNING)]
)
def test_all_weights_of_a_wrong_count_make_one_finding(is_normalized, severity):
    torch.manual_seed(0)
    batch = torch.randn(4, 3, 8, 8)
    model = separable(3, is_normalized=is_normalized)
    (finding,) = fanin.check(model, batch, select=["FAN702"]).findings

    assert finding.severity is severity
    assert len(finding.paths) == 3
    assert "inputs, but 9 enter each unit" in finding.message
    assert finding.value < finding.interval[0]


@pytest.mark.parametrize("count", [64 * 49, (3 * 49 + 64 * 49) / 2])
def test_the_count_of_a_strided_window_without_its_stride_is_right(count):
    torch.manual_seed(0)
    first = nn.Conv2d(3, 64, 7, stride=2, bias=False)
    nn.init.normal_(first.weight, std=(2 / count) ** 0.5)
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    model = nn.Sequential(first, nn.ReLU(), *pool)
    report = fanin.check(model, torch.randn(8, 3, 32, 32), select=["FAN702"])

    assert report.findings == ()
