"""Sizes of gradients are those of float64, small, large, and laid out in any way."""

import numpy as np
import pytest
import torch

from fanin.frameworks._aten.sizes import mean_square, site_of
from fanin.graph.statistics import statistics_of


def drawn(*shape, scale=1.0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(7)
    numbers = torch.randn(shape, generator=generator, dtype=torch.float64)
    return (scale * numbers).to(dtype)


@pytest.mark.parametrize("scale", [1.0, 1e-5, 1e-12, 1e-22, 1e-30, 1e12, 1e25])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_mean_square_neither_under_nor_overflows(scale, dtype):
    tensor = drawn(300, 700, scale=scale, dtype=dtype)
    exact = np.square(tensor.double().numpy()).mean()
    assert mean_square(tensor) == pytest.approx(exact, rel=2e-6)


def test_one_loud_entry_hides_no_others_in_another_piece():
    tensor = torch.full((400_000,), 1e-21)
    tensor[0] = 1e18
    exact = np.square(tensor.double().numpy()).mean()
    assert mean_square(tensor) == pytest.approx(exact, rel=2e-6)


@pytest.mark.parametrize(
    "turn",
    [lambda t: t, lambda t: t.t(), lambda t: t[:, ::3]],
    ids=("flat", "turned", "cut"),
)
def test_the_layout_does_not_matter(turn):
    tensor = turn(drawn(300, 900))
    exact = np.square(tensor.double().numpy()).mean()
    assert mean_square(tensor) == pytest.approx(exact, rel=2e-6)


@pytest.mark.parametrize(("unit_axis", "shape"), [(1, (256, 512)), (0, (512, 256))])
def test_a_large_site_has_the_statistics_of_all_its_entries(unit_axis, shape):
    tensor = drawn(*shape)
    found = site_of(tensor, unit_axis=unit_axis, batch_axis=1 - unit_axis)
    exact = statistics_of(
        tensor.double().numpy(), unit_axis=unit_axis, batch_axis=1 - unit_axis
    )
    assert found.mean == pytest.approx(exact.mean, abs=1e-12)
    assert found.second_moment == pytest.approx(exact.second_moment, rel=1e-12)
    assert np.array_equal(found.unit_minima, exact.unit_minima)
    assert np.array_equal(found.unit_maxima, exact.unit_maxima)
    # From 128 of 256 samples: 5 standard errors of a mean, 1/√128 each.
    assert np.abs(found.unit_means).max() < 5 / 128**0.5
    assert len(found.unit_variances) == 512


def test_equal_units_keep_equal_statistics_wherever_they_lie():
    tensor = drawn(256, 1).expand(256, 512).contiguous()
    found = site_of(tensor, unit_axis=1, batch_axis=0)
    assert len(np.unique(found.unit_means)) == 1
    assert len(np.unique(found.unit_variances)) == 1
