"""Delta-orthogonal convolutions are isometries: measured on layers that run."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import jax
import keras
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import fanin

SIDE, GAIN = 5, 1.3
SCHEME = f"delta_orthogonal(gain={GAIN})"


def singular_values(run, shape):
    """Of the linear map that ``run`` makes of images "n …" of that shape."""
    n_inputs = int(np.prod(shape))
    images = np.eye(n_inputs, dtype=np.float32).reshape(n_inputs, *shape)
    with torch.no_grad():
        return np.linalg.svd(run(images).reshape(n_inputs, -1), compute_uv=False)


LAYERS = {
    "circular": nn.Conv2d(3, 6, 3, padding=1, padding_mode="circular", bias=False),
    "zero padding": nn.Conv2d(3, 6, 3, padding=1, bias=False),
    "dilated": nn.Conv2d(3, 6, 3, padding=2, dilation=2, bias=False),
    "of one axis": nn.Conv1d(3, 4, 5, padding=2, bias=False),
    "in groups": nn.Conv2d(4, 8, 3, padding=1, groups=2, bias=False),
    "depthwise": nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
    "transposed": nn.ConvTranspose2d(3, 6, 3, padding=1, bias=False),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_all_singular_values_of_a_layer_in_pytorch_are_the_gain(layer):
    n_axes = layer.weight.ndim - 2
    shape = (layer.in_channels,) + (SIDE,) * n_axes
    fanin.init(nn.Sequential(layer), torch.randn(2, *shape), seed=1, scheme=SCHEME)
    values = singular_values(lambda x: layer(torch.from_numpy(x)).numpy(), shape)

    assert values == pytest.approx(GAIN, rel=1e-5)


def test_fewer_outputs_than_inputs_keep_as_many_directions():
    layer = nn.Conv2d(6, 2, 3, padding=1, padding_mode="circular", bias=False)
    shape = (6, SIDE, SIDE)
    fanin.init(nn.Sequential(layer), torch.randn(2, *shape), seed=1, scheme=SCHEME)
    values = singular_values(lambda x: layer(torch.from_numpy(x)).numpy(), shape)
    n_kept = 2 * SIDE**2

    assert values[:n_kept] == pytest.approx(GAIN, rel=1e-5)
    assert len(values) == n_kept


def test_a_kernel_that_is_orthogonal_as_a_matrix_is_no_isometry():
    layer = nn.Conv2d(6, 6, 3, padding=1, padding_mode="circular", bias=False)
    nn.init.orthogonal_(layer.weight)
    values = singular_values(
        lambda x: layer(torch.from_numpy(x)).numpy(), (6, SIDE, SIDE)
    )

    assert values.max() > 1.3
    assert values.min() < 0.5


def test_all_singular_values_of_a_layer_in_flax_are_the_gain():
    rngs = nnx.Rngs(0)
    model = nnx.Conv(3, 6, (3, 3), padding="CIRCULAR", use_bias=False, rngs=rngs)
    shape = (SIDE, SIDE, 3)
    fanin.init(model, jax.numpy.ones((2, *shape)), seed=1, scheme=SCHEME)
    values = singular_values(lambda x: np.asarray(model(x)), shape)

    assert values == pytest.approx(GAIN, rel=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(6, 3, padding="same", use_bias=False),
        keras.layers.Conv2DTranspose(6, 3, padding="same", use_bias=False),
        keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False),
    ],
    ids=["convolution", "transposed", "depthwise"],
)
def test_all_singular_values_of_a_layer_in_keras_are_the_gain(layer):
    shape = (SIDE, SIDE, 3)
    model = keras.Sequential([keras.layers.Input(shape), layer])
    fanin.init(model, np.ones((2, *shape), np.float32), seed=1, scheme=SCHEME)
    values = singular_values(lambda x: model(x).detach().numpy(), shape)

    assert values == pytest.approx(GAIN, rel=1e-5)


@pytest.mark.parametrize("n_out", [3, 9])
@pytest.mark.parametrize("scheme", ["identity(gain=1.3)", SCHEME])
def test_a_kernel_with_more_outputs_than_inputs_has_the_gain_too(scheme, n_out):
    layer = nn.Conv2d(4, n_out, 3, padding=1, bias=False)
    fanin.init(nn.Sequential(layer), torch.randn(2, 4, 5, 5), seed=1, scheme=scheme)
    middle = layer.weight.detach()[:, :, 1, 1].numpy()

    assert np.linalg.svd(middle, compute_uv=False) == pytest.approx(GAIN, rel=1e-6)


DEPTH = 30


def after(scheme):
    """Lengths of two images and the angle between them, before and after 30 layers."""
    layers = [
        nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular", bias=False)
        for _ in range(DEPTH)
    ]
    net = nn.Sequential(*layers)
    images = torch.randn(2, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    fanin.init(net, images, seed=3, scheme=scheme)
    with torch.no_grad():
        seen = net(images)
    grams = [x.flatten(1) @ x.flatten(1).T for x in (images, seen)]
    return float((grams[1] - grams[0]).abs().max() / grams[0].abs().max())


def test_thirty_layers_keep_lengths_and_angles():
    assert after("delta_orthogonal") < 1e-4


def test_thirty_orthogonal_layers_do_not():
    assert after("orthogonal") > 0.1
