"""The lab's nets against torch's autograd and optimizers, and without subnormals."""

from __future__ import annotations

from time import thread_time

import numpy as np
import pytest
import torch

from fanin.activations import find_activation
from fanin.lab.engine.draws import Weights, draw_weights
from fanin.lab.engine.functions import FUNCTIONS
from fanin.lab.engine.net import backward, cross_entropy, forward, product
from fanin.lab.engine.optimizers import OPTIMIZERS, Memory
from fanin.lab.engine.recipe import Recipe
from fanin.lab.server.threads import one_thread_a_product
from fanin.sampler import Law, draw

TORCH = {
    "relu": torch.nn.ReLU(),
    "leaky_relu": torch.nn.LeakyReLU(),
    "tanh": torch.nn.Tanh(),
    "sigmoid": torch.nn.Sigmoid(),
    "identity": torch.nn.Identity(),
    "elu": torch.nn.ELU(),
    "selu": torch.nn.SELU(),
    "silu": torch.nn.SiLU(),
    "gelu_tanh": torch.nn.GELU(approximate="tanh"),
}
SIZES = (5, 7, 6, 3)


def wide(weights):
    """Give the weights in float64, with biases that are not 0."""
    biases = [
        draw(f"b{i}", bias.shape, Law("normal", std=0.3), seed=1, dtype="float64")
        for i, bias in enumerate(weights.biases)
    ]
    matrices = [matrix.astype(np.float64) for matrix in weights.matrices]
    return Weights(matrices=tuple(matrices), biases=tuple(biases))


def net_and_batch(activation="tanh"):
    recipe = Recipe(depth=2, width=6, activation=activation)
    weights = wide(draw_weights(recipe, SIZES))
    x = draw("x", (9, 5), Law("normal", std=1.0), seed=2, dtype="float64")
    return weights, x, np.arange(9) % 3


def torch_gradients(weights, x, targets, activation):
    values = [torch.tensor(v, requires_grad=True) for v in weights.parameters]
    half = len(values) // 2
    h = torch.tensor(x)
    for layer in range(half):
        h = h @ values[layer].T + values[half + layer]
        h = TORCH[activation](h) if layer < half - 1 else h
    loss = torch.nn.functional.cross_entropy(h, torch.tensor(targets))
    loss.backward()
    return loss.item(), h.detach().numpy(), values


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
def test_loss_and_every_gradient_are_those_of_autograd(activation):
    weights, x, targets = net_and_batch(activation)
    run = forward(weights, x, activation)
    loss, gradient = cross_entropy(run.logits, targets)
    found = backward(weights, run, gradient, activation).parameters
    wanted, logits, values = torch_gradients(weights, x, targets, activation)

    assert loss == pytest.approx(wanted, rel=1e-13)
    np.testing.assert_allclose(run.logits, logits, rtol=1e-12, atol=1e-14)
    for mine, theirs in zip(found, values, strict=True):
        np.testing.assert_allclose(mine, theirs.grad.numpy(), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
def test_a_function_and_its_slope_are_those_of_the_activation_of_that_name(activation):
    # Not at a kink, where the two slopes differ by convention.
    z = np.linspace(-6.01, 6.02, 300)
    function, other = FUNCTIONS[activation], find_activation(activation)

    np.testing.assert_allclose(function.value(z), other(z), rtol=1e-12, atol=1e-14)
    slopes = function.slope(z, function.value(z))
    np.testing.assert_allclose(slopes, other.slope(z), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
def test_float32_stays_float32_and_finite_far_out(activation):
    z = np.array([-1e30, -100.0, 0.0, 100.0, 1e30], np.float32)
    with np.errstate(over="ignore"):
        value = FUNCTIONS[activation].value(z)
        slope = FUNCTIONS[activation].slope(z, value)

    assert value.dtype == slope.dtype == np.float32
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()


MAKERS = {
    "sgd": lambda values: torch.optim.SGD(values, lr=0.05),
    "momentum": lambda values: torch.optim.SGD(values, lr=0.05, momentum=0.9),
    "adam": lambda values: torch.optim.Adam(values, lr=0.05),
}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_five_steps_end_where_torchs_optimizer_ends(name):
    weights, x, targets = net_and_batch()
    values = [torch.tensor(v, requires_grad=True) for v in weights.parameters]
    theirs, memory = MAKERS[name](values), Memory()
    for _ in range(5):
        run = forward(weights, x, "tanh")
        gradient = cross_entropy(run.logits, targets)[1]
        gradients = backward(weights, run, gradient, "tanh").parameters
        update = OPTIMIZERS[name](gradients, 0.05, memory)
        memory = update.memory
        moved = [v + d for v, d in zip(weights.parameters, update.changes, strict=True)]
        weights = Weights.of(moved)
        for value, each in zip(values, gradients, strict=True):
            value.grad = torch.tensor(each)
        theirs.step()

    for mine, value in zip(weights.parameters, values, strict=True):
        np.testing.assert_allclose(mine, value.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_a_product_of_tiny_factors_is_scaled_and_not_lost():
    a = np.full((3, 4), 3e-20, np.float32)
    b = np.full((4, 2), 2e-9, np.float32)

    np.testing.assert_allclose(product(a, b), 4 * 3e-20 * 2e-9, rtol=1e-6)


def test_a_product_holds_no_subnormal_number():
    a = draw("a", (64, 64), Law("normal", std=1e-19), seed=0)
    found = product(a, a)
    small = np.abs(found[found != 0])

    assert found.dtype == np.float32
    assert small.size == 0 or small.min() >= 1e-30


def seconds(recipe):
    sizes = recipe.sizes(2, 2)
    weights = draw_weights(recipe, sizes)
    x = draw("x", (128, 2), Law("normal", std=1.0), seed=0)

    def once():
        start = thread_time()
        run = forward(weights, x, recipe.activation)
        gradient = cross_entropy(run.logits, np.arange(128) % 2)[1]
        backward(weights, run, gradient, recipe.activation)
        return thread_time() - start

    return min(once() for _ in range(7))


def test_weights_that_are_too_small_are_not_slow():
    # Plain float32 products take ten times as long and more where they are subnormal.
    with one_thread_a_product():  # so that this thread's own time is all of it
        ordinary = seconds(Recipe(depth=40, width=96))
        tiny = seconds(Recipe(depth=40, width=96, factor=0.02))

    assert tiny < 3 * ordinary
