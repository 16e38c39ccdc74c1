"""Every entry of a weight belongs to one unit, and every unit sums its own entries."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.fans import AxisRoles, matrix_fans
from fanin.graph.layouts import (
    keras_conv,
    keras_conv_transpose,
    keras_dense,
    keras_depthwise,
    torch_conv,
    torch_conv_transpose,
    torch_linear,
)
from fanin.graph.unit_rows import entries_of, n_units, units_of

LAYOUTS = {
    "torch linear": ((6, 4), torch_linear()),
    "keras dense": ((4, 6), keras_dense()),
    "torch convolution": ((6, 2, 3, 3), torch_conv(2)),
    "torch grouped": ((6, 2, 3), torch_conv(1, groups=2)),
    "keras convolution": ((3, 3, 2, 6), keras_conv(2)),
    "keras depthwise": ((3, 3, 2, 3), keras_depthwise(2, channels=2)),
    "torch transposed": ((4, 3, 2), torch_conv_transpose(1)),
    "torch transposed, grouped": ((4, 3, 2), torch_conv_transpose(1, groups=2)),
    "keras transposed": ((3, 6, 2), keras_conv_transpose(1)),
    "two output axes": ((5, 2, 3), AxisRoles(inputs=(0,), outputs=(1, 2))),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_entries_of_all_units_are_all_entries_once(name):
    shape, roles = LAYOUTS[name]
    entries = entries_of(shape, roles, np.arange(n_units(shape, roles)))

    assert np.array_equal(np.sort(entries.ravel()), np.arange(np.prod(shape)))


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_entry_of_a_unit_belongs_to_it(name):
    shape, roles = LAYOUTS[name]
    units = np.arange(n_units(shape, roles))
    entries = entries_of(shape, roles, units)

    owners = units_of(shape, roles, entries.ravel()).reshape(entries.shape)

    assert np.array_equal(owners, np.broadcast_to(units[:, None], entries.shape))


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_unit_sums_as_many_terms_as_its_row_is_long(name):
    shape, roles = LAYOUTS[name]
    entries = entries_of(shape, roles, np.array([0]))

    assert entries.shape == (1, int(matrix_fans(shape, roles).n_in))


def test_the_units_of_a_grouped_transposed_convolution_are_those_torch_writes():
    torch = pytest.importorskip("torch")
    layer = torch.nn.ConvTranspose1d(4, 6, 1, groups=2, bias=False)
    roles = torch_conv_transpose(1, groups=2)
    output = layer(torch.ones(1, 4, 1))[0, :, 0].detach().numpy()

    flat = layer.weight.detach().numpy().ravel()
    sums = flat[entries_of((4, 3, 1), roles, np.arange(6))].sum(axis=1)

    assert output == pytest.approx(sums, rel=1e-5)
