"""Fans are counts: each formula is held against terms counted by running the layer."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.graph.fans import AxisRoles, Fan, fans, matrix_fans
from fanin.graph.layouts import (
    torch_conv,
    torch_conv_transpose,
    torch_embedding,
    torch_linear,
)

CONVS = {
    1: (torch.nn.functional.conv1d, torch.nn.functional.conv_transpose1d),
    2: (torch.nn.functional.conv2d, torch.nn.functional.conv_transpose2d),
    3: (torch.nn.functional.conv3d, torch.nn.functional.conv_transpose3d),
}


def counted_conv(weight_shape, *, groups, stride):
    """Count on a ring: no border, so the mean over positions is exact.

    The circle is a multiple of every stride. Terms of one output: the output for
    all-ones weights and input. Outputs fed by one input: the gradient of their sum.
    """
    rank = len(weight_shape) - 2
    size = 2 * prod({*weight_shape[2:], stride, 3})
    n_inputs = weight_shape[1] * groups
    inputs = torch.ones(1, n_inputs, *[size] * rank, dtype=torch.float64)
    inputs.requires_grad_()
    pads = [(0, k - 1) for k in reversed(weight_shape[2:])]
    ring = torch.nn.functional.pad(
        inputs, [p for pair in pads for p in pair], "circular"
    )
    weight = torch.ones(weight_shape, dtype=torch.float64)
    output = CONVS[rank][0](ring, weight, stride=stride, groups=groups)
    output.sum().backward()
    return Fan(n_in=output.mean().item(), n_out=inputs.grad.mean().item())


def counted_transpose(weight_shape, *, groups, stride):
    """Count in the middle of an input so large that its border is out of reach."""
    rank = len(weight_shape) - 2
    margin = max(weight_shape[2:]) + stride
    middle = 6
    size = middle + 2 * margin
    inputs = torch.ones(1, weight_shape[0], *[size] * rank, dtype=torch.float64)
    inputs.requires_grad_()
    weight = torch.ones(weight_shape, dtype=torch.float64)
    output = CONVS[rank][1](inputs, weight, stride=stride, groups=groups)
    output.sum().backward()
    window = (..., *[slice(margin * stride, (margin + middle) * stride)] * rank)
    return Fan(n_in=output[window].mean().item(), n_out=inputs.grad.mean().item())


CASES = [
    pytest.param((4, 3, 3), 1, 1, id="1-D"),
    pytest.param((4, 3, 5), 1, 2, id="1-D stride 2"),
    pytest.param((4, 3, 2), 1, 3, id="1-D stride beyond the kernel"),
    pytest.param((4, 3, 3, 3), 1, 1, id="2-D"),
    pytest.param((6, 2, 4, 4), 1, 2, id="2-D stride 2"),
    pytest.param((6, 2, 3, 2), 1, 2, id="2-D uneven kernel"),
    pytest.param((6, 2, 3, 3), 2, 1, id="2-D two groups"),
    pytest.param((6, 2, 3, 3), 3, 2, id="2-D three groups, stride 2"),
    pytest.param((8, 1, 3, 3), 4, 1, id="2-D depthwise, two filters a channel"),
    pytest.param((2, 3, 2, 2, 2), 1, 2, id="3-D stride 2"),
    pytest.param((2, 3, 3, 2, 1), 1, 1, id="3-D uneven kernel"),
]


@pytest.mark.parametrize(("shape", "groups", "stride"), CASES)
def test_the_fans_of_a_convolution_are_the_terms_counted(shape, groups, stride):
    counted = counted_conv(shape, groups=groups, stride=stride)

    formula = fans(shape, torch_conv(len(shape) - 2, groups=groups, strides=stride))
    assert formula.n_in == pytest.approx(counted.n_in, rel=1e-12)
    assert formula.n_out == pytest.approx(counted.n_out, rel=1e-12)


@pytest.mark.parametrize(("shape", "groups", "stride"), CASES)
def test_the_fans_of_a_transposed_convolution_are_the_terms_counted(
    shape, groups, stride
):
    shape = (shape[1] * groups, shape[0] // groups, *shape[2:])
    counted = counted_transpose(shape, groups=groups, stride=stride)

    roles = torch_conv_transpose(len(shape) - 2, groups=groups, strides=stride)
    formula = fans(shape, roles)
    assert formula.n_in == pytest.approx(counted.n_in, rel=1e-12)
    assert formula.n_out == pytest.approx(counted.n_out, rel=1e-12)


def test_the_fans_of_a_dense_layer_are_the_terms_counted():
    layer = torch.nn.Linear(7, 3, bias=False)
    torch.nn.Module.requires_grad_(layer, requires_grad=False)
    layer.weight.fill_(1.0)
    inputs = torch.ones(7, requires_grad=True)
    output = layer(inputs)
    output.sum().backward()

    formula = fans(tuple(layer.weight.shape), torch_linear())
    assert formula == Fan(n_in=output[0].item(), n_out=inputs.grad[0].item())


def test_an_embedding_sums_one_term_and_feeds_its_width():
    assert fans((1000, 16), torch_embedding()) == Fan(n_in=1.0, n_out=16.0)


def test_a_stack_of_expert_weights_has_the_fans_of_one_expert():
    experts = AxisRoles(outputs=(0, 2), inputs=(1,), groups=8)

    assert fans((8, 32, 64), experts) == Fan(n_in=32.0, n_out=64.0)


def test_the_matrix_of_a_transposed_convolution_has_no_stride_in_it():
    roles = torch_conv_transpose(2, groups=2, strides=2)

    assert matrix_fans((64, 8, 4, 4), roles) == Fan(n_in=512.0, n_out=8.0)


@settings(deadline=None, max_examples=60)
@given(
    groups=st.integers(1, 4),
    n_in=st.integers(1, 5),
    n_out=st.integers(1, 5),
    kernel=st.lists(st.integers(1, 4), min_size=0, max_size=3),
    order=st.randoms(use_true_random=False),
)
def test_fans_do_not_depend_on_the_order_of_axes(groups, n_in, n_out, kernel, order):
    shape = (n_out * groups, n_in, *kernel)
    roles = torch_conv(len(kernel), groups=groups)
    places = list(range(len(shape)))
    order.shuffle(places)
    moved = [0] * len(shape)
    for axis, place in enumerate(places):
        moved[place] = shape[axis]
    moved_roles = replace(
        roles,
        inputs=tuple(places[axis] for axis in roles.inputs),
        outputs=tuple(places[axis] for axis in roles.outputs),
        kernel=tuple(places[axis] for axis in roles.kernel),
    )

    assert fans(tuple(moved), moved_roles) == fans(shape, roles)


@settings(deadline=None, max_examples=60)
@given(
    groups=st.integers(1, 3),
    n_in=st.integers(1, 3),
    n_out=st.integers(1, 3),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
)
def test_any_one_dimensional_convolution_has_the_fans_counted(
    groups, n_in, n_out, kernel, stride
):
    shape = (n_out * groups, n_in, kernel)
    counted = counted_conv(shape, groups=groups, stride=stride)

    formula = fans(shape, torch_conv(1, groups=groups, strides=stride))
    assert formula.n_in == pytest.approx(counted.n_in, rel=1e-12)
    assert formula.n_out == pytest.approx(counted.n_out, rel=1e-12)


def test_an_axis_without_a_role_is_refused():
    with pytest.raises(ArgumentError, match="axes 0 to 2 of the shape"):
        fans((4, 3, 3), torch_linear())


def test_groups_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(ArgumentError, match="divisor of the 4 channels"):
        fans((4, 1, 3), torch_conv(1, groups=3))


def test_a_stride_below_one_is_refused():
    with pytest.raises(ArgumentError, match="product of whole strides"):
        fans((4, 3), AxisRoles(outputs=(0,), inputs=(1,), strides=0))
