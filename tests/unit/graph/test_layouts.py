"""Keras's layouts, held against the layers of Keras itself and against PyTorch's."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from fanin.errors import ArgumentError
from fanin.graph import layouts
from fanin.graph.fans import Fan, fans

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
layers = keras.layers

CHANNELS = 6
"""Channels of every input here."""


def built(layer, rank):
    layer.build((None, *[12] * rank, CHANNELS))
    return [tuple(variable.shape) for variable in layer.weights]


CASES = [
    pytest.param(
        layers.Conv2D(8, 3, strides=2, use_bias=False),
        layouts.keras_conv(2, strides=2),
        torch.nn.Conv2d(CHANNELS, 8, 3, stride=2),
        layouts.torch_conv(2, strides=2),
        2,
        id="Conv2D",
    ),
    pytest.param(
        layers.Conv1D(8, 5, groups=2, use_bias=False),
        layouts.keras_conv(1, groups=2),
        torch.nn.Conv1d(CHANNELS, 8, 5, groups=2),
        layouts.torch_conv(1, groups=2),
        1,
        id="Conv1D in groups",
    ),
    pytest.param(
        layers.Conv3D(8, (1, 2, 3), use_bias=False),
        layouts.keras_conv(3),
        torch.nn.Conv3d(CHANNELS, 8, (1, 2, 3)),
        layouts.torch_conv(3),
        3,
        id="Conv3D",
    ),
    pytest.param(
        layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2, use_bias=False),
        layouts.keras_depthwise(2, channels=CHANNELS, strides=2),
        torch.nn.Conv2d(CHANNELS, 2 * CHANNELS, 3, stride=2, groups=CHANNELS),
        layouts.torch_conv(2, groups=CHANNELS, strides=2),
        2,
        id="DepthwiseConv2D",
    ),
    pytest.param(
        layers.Conv2DTranspose(8, 4, strides=2, use_bias=False),
        layouts.keras_conv_transpose(2, strides=2),
        torch.nn.ConvTranspose2d(CHANNELS, 8, 4, stride=2),
        layouts.torch_conv_transpose(2, strides=2),
        2,
        id="Conv2DTranspose",
    ),
    pytest.param(
        layers.Dense(5, use_bias=False),
        layouts.keras_dense(),
        torch.nn.Linear(CHANNELS, 5),
        layouts.torch_linear(),
        0,
        id="Dense",
    ),
]


@pytest.mark.parametrize(
    ("keras_layer", "keras_roles", "torch_layer", "torch_roles", "rank"), CASES
)
def test_one_layer_has_the_same_fans_in_both_frameworks(
    keras_layer, keras_roles, torch_layer, torch_roles, rank
):
    (keras_shape,) = built(keras_layer, rank)
    torch_shape = tuple(torch_layer.weight.shape)

    assert fans(keras_shape, keras_roles) == fans(torch_shape, torch_roles)


def test_a_separable_layer_is_a_depthwise_and_a_pointwise_weight():
    layer = layers.SeparableConv2D(8, 3, depth_multiplier=2, strides=2, use_bias=False)
    shapes = built(layer, 2)

    roles = layouts.keras_separable(2, channels=CHANNELS, strides=2)
    found = [fans(shape, role) for shape, role in zip(shapes, roles, strict=True)]
    assert found == [Fan(n_in=9.0, n_out=4.5), Fan(n_in=12.0, n_out=8.0)]


def test_both_embedding_tables_are_lookups_of_one_term():
    shape = tuple(torch.nn.Embedding(50, 7).weight.shape)
    layer = layers.Embedding(50, 7)
    layer.build()

    assert tuple(layer.weights[0].shape) == shape
    assert fans(shape, layouts.keras_embedding()) == Fan(n_in=1.0, n_out=7.0)
    assert layouts.keras_embedding() == layouts.torch_embedding()


def test_a_bilinear_layer_sums_over_pairs():
    shape = tuple(torch.nn.Bilinear(3, 5, 2).weight.shape)

    assert fans(shape, layouts.torch_bilinear()) == Fan(n_in=15.0, n_out=2.0)


def test_a_strided_transposed_layer_keeps_the_second_moment_with_these_fans():
    """He's variance with these fans gives second moment 2; with PyTorch's, 3.98."""
    shape = (64, 8, 4, 4)
    n_in = fans(shape, layouts.torch_conv_transpose(2, strides=2)).n_in
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(40, 64, 12, 12, generator=generator)
    weight = torch.randn(shape, generator=generator) * (2.0 / n_in) ** 0.5
    output = torch.nn.functional.conv_transpose2d(inputs, weight, stride=2)
    second_moment = output[..., 4:-4, 4:-4].square().mean().item()

    n_weights = np.prod(shape)
    sigma = 2.0 * (2.0 / n_weights) ** 0.5  # the weights' own sampling error
    assert abs(second_moment - 2.0) < 5 * sigma


def test_strides_of_another_rank_are_refused():
    with pytest.raises(ArgumentError, match="each of the 2 spatial axes"):
        layouts.torch_conv(2, strides=(1, 2, 3))


def test_a_stride_an_axis_is_multiplied_out():
    assert layouts.keras_conv(2, strides=(2, 3)).strides == 6
