"""Traps of initialization, shown on the frameworks themselves.

What a framework or a rule of thumb says, beside what is true, and that fanin says the
true thing. Expected numbers are derived here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
import torch
from torch import nn

from fanin.activations import ACTIVATIONS, find_activation
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task
from fanin.graph.sketch import Sketch
from fanin.theory import MeanField, fixed_points, predict, settles_at
from fanin.theory.whole_picture import TORCH_LINEAR


def relu(x):
    return np.maximum(x, 0.0)


def residual_exactly(n_blocks):
    """Give E[x²] of x + relu(W·x) blocks by SymPy, W of He's variance, from (0, 1).

    r = E[relu(√(2q)·z)] = √(q/π), E[relu²] = q, and W's fresh draw makes x and the
    branch independent given x: q′ = q + q + 2·m·r, m′ = m + r.
    """
    z, q = sp.symbols("z q", positive=True)
    bell = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
    r = sp.integrate(sp.sqrt(2 * q) * z * bell, (z, 0, sp.oo))
    square = sp.integrate(2 * q * z**2 * bell, (z, 0, sp.oo))
    assert sp.simplify(r - sp.sqrt(q / sp.pi)) == 0
    assert sp.simplify(square - q) == 0
    mean, moment = 0.0, 1.0
    for _ in range(n_blocks):
        step = math.sqrt(moment / math.pi)
        mean, moment = mean + step, 2 * moment + 2 * mean * step
    return moment


def residual_net(n_blocks, width, *, ends_in_relu):
    """Give the graph of x + relu(W·x) or x + W·relu(x) blocks, and He's variances."""
    sketch = Sketch()
    x = sketch.input((8, width))
    for k in range(n_blocks):
        if ends_in_relu:
            z = sketch.dense(x, width, path=str(k), has_bias=False)
            branch = sketch.apply(z, relu)
        else:
            z = sketch.apply(x, relu)
            branch = sketch.dense(z, width, path=str(k), has_bias=False)
        x = sketch.combine(Op.ADD, x, branch)
    return sketch.graph(x), {f"{k}.weight": 2 / width for k in range(n_blocks)}, x


def test_a_branch_that_ends_in_relu_grows_by_more_than_two():
    """Asymptotically (m, √q) grows by the ratio that SymPy solves for; it is not 2."""
    s = sp.symbols("s", positive=True)  # m/√q
    r = 1 / sp.sqrt(sp.pi)
    growth = 2 + 2 * s * r
    stay = sp.nsolve((s + r) / sp.sqrt(growth) - s, s, 1)
    ratio = float(growth.subs(s, stay))
    graph, variances, end = residual_net(8, 1000, ends_in_relu=True)

    found = predict(graph, variances).moments[end].second_moment
    assert ratio == pytest.approx(2.90410514, abs=1e-8)
    assert residual_exactly(40) / residual_exactly(39) == pytest.approx(ratio, rel=1e-9)
    assert residual_exactly(8) == pytest.approx(2577.06568, abs=1e-5)
    assert found == pytest.approx(residual_exactly(8), rel=1e-9)


def test_a_branch_that_ends_in_weights_doubles():
    graph, variances, end = residual_net(8, 1000, ends_in_relu=False)

    x = predict(graph, variances).moments[end].second_moment
    assert x == pytest.approx(2**8, rel=1e-9)


@pytest.mark.slow
def test_real_nets_grow_as_the_recursion_says_and_not_by_two():
    rng = np.random.default_rng(21)

    def grown():
        x = rng.normal(size=600)
        x /= np.sqrt(np.mean(x**2))
        for _ in range(8):
            x += relu(rng.normal(0, math.sqrt(2 / 600), (600, 600)) @ x)
        return np.mean(x**2)

    draws = np.array([grown() for _ in range(60)])
    error = draws.std(ddof=1) / math.sqrt(len(draws))
    assert abs(draws.mean() - residual_exactly(8)) < 5 * error
    assert abs(draws.mean() - 2**8) > 5 * error


def test_batch_norm_in_eval_mode_is_an_identity_at_the_start():
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16))
    x = np.random.default_rng(1).normal(3.0, 5.0, (64, 8)).astype(np.float32)

    def normalization(mode):
        graph = framework.record(model.train(mode), Task(batch=x))
        return next(node for node in graph.nodes if str(node.op) == "normalize")

    with torch.no_grad():
        z = model[0](torch.from_numpy(x))
        shrunk = model.eval()(torch.from_numpy(x)) / z
    assert np.allclose(shrunk, 1 / math.sqrt(1 + model[1].eps), atol=1e-6)
    assert normalization(mode=False).details["is_identity"] is True
    assert normalization(mode=True).details["is_identity"] is False


def test_batch_norm_that_has_seen_data_is_no_identity():
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16))
    x = torch.randn(64, 8, generator=torch.Generator().manual_seed(2))
    model.train()(3.0 * x)

    graph = framework.record(model.eval(), Task(batch=x))
    (norm,) = [node for node in graph.nodes if str(node.op) == "normalize"]
    assert norm.details["is_identity"] is False


def test_keras_batch_norm_is_an_identity_outside_training_too():
    keras = pytest.importorskip("keras")
    layer = keras.layers.BatchNormalization()
    x = np.random.default_rng(3).normal(3.0, 5.0, (64, 8)).astype("float32")
    x = keras.ops.convert_to_tensor(x)
    layer.build(x.shape)

    off = layer(x, training=False) / x - 1 / math.sqrt(1 + layer.epsilon)
    means = keras.ops.mean(layer(x, training=True), axis=0)

    def largest(tensor):
        return float(keras.ops.max(keras.ops.abs(keras.ops.stop_gradient(tensor))))

    assert largest(off) < 1e-6
    assert largest(means) < 1e-5


def fan_of(layer, n_channels):
    x = np.zeros((2, n_channels, 8, 8), dtype=np.float32)
    graph = framework.record(nn.Sequential(layer), Task(batch=x))
    return graph.linears[0].weight.fan


def torch_fans(weight):
    return nn.init._calculate_fan_in_and_fan_out(weight)


def test_torch_calls_a_depthwise_fan_out_what_is_groups_times_too_large():
    layer = nn.Conv2d(64, 64, 3, groups=64)

    assert torch_fans(layer.weight) == (9, 576)
    assert (fan_of(layer, 64).n_in, fan_of(layer, 64).n_out) == (9.0, 9.0)


def test_kaiming_fan_out_makes_a_depthwise_layer_too_small_by_its_groups():
    layer = nn.Conv2d(64, 64, 3, groups=64, bias=False)
    torch.manual_seed(4)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="linear")
    fan = fan_of(layer, 64)

    kept = fan.n_in * float((layer.weight.detach() ** 2).mean())
    n = layer.weight.numel()
    assert kept == pytest.approx(1 / 64, rel=5 * math.sqrt(2 / n))


def count_terms(layer, n_channels, size=12):
    """Count the terms of every output, away from the border, by a layer of ones."""
    with torch.no_grad():
        layer.weight.fill_(1.0)
        out = layer(torch.ones(1, n_channels, size, size))[0, 0]
    return out[6:-6, 6:-6]


@pytest.mark.parametrize(
    ("kernel", "stride", "said", "true"), [(4, 2, 512, 384.0), (3, 2, 288, 216.0)]
)
def test_a_strided_transposed_convolution_sums_fewer_terms(kernel, stride, said, true):
    layer = nn.ConvTranspose2d(96, 32, kernel, stride=stride, bias=False)

    terms = count_terms(layer, 96)
    even = terms[: 2 * (len(terms) // 2), : 2 * (len(terms) // 2)]
    assert torch_fans(layer.weight)[0] == said
    assert fan_of(layer, 96).n_in == true == float(even.mean())
    assert (even.std() == 0) == (kernel % stride == 0)  # else a checkerboard


def test_trunc_normal_cuts_at_absolute_bounds():
    torch.manual_seed(5)
    small, large = torch.empty(400, 400), torch.empty(400, 400)
    nn.init.trunc_normal_(small, std=0.02)
    nn.init.trunc_normal_(large, std=1.0)
    z = sp.symbols("z")
    bell = sp.exp(-(z**2) / 2)
    variance = sp.integrate(z**2 * bell, (z, -2, 2)) / sp.integrate(bell, (z, -2, 2))

    error = 5 / math.sqrt(2 * small.numel())
    assert float(small.std()) / 0.02 == pytest.approx(1.0, abs=error)
    assert float(small.abs().max()) > 4 * 0.02  # beyond ±2 std: never cut
    assert float(sp.sqrt(variance)) == pytest.approx(0.87962566103424, abs=1e-12)
    assert float(large.std()) == pytest.approx(float(sp.sqrt(variance)), abs=error)


def test_zero_padding_on_a_map_of_eight_leaves_terms_out():
    layer = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        share = float(layer(torch.ones(1, 1, 8, 8)).mean()) / 9
    x = np.zeros((2, 1, 8, 8), dtype=np.float32)
    graph = framework.record(nn.Sequential(layer), Task(batch=x))

    assert share == pytest.approx((22 / 24) ** 2, abs=1e-7)
    padded = graph.linears[0].details["padding_share"]
    assert padded == pytest.approx(1 - (22 / 24) ** 2, abs=1e-12)


def test_torch_linear_starts_at_one_third():
    """kaiming_uniform_(a = √5): bound = √(6/((1 + 5)·n)) = 1/√n, variance 1/(3n)."""
    torch.manual_seed(6)
    layer = nn.Linear(400, 400)
    n = layer.weight.numel()
    a = sp.symbols("a", positive=True)
    variance = sp.integrate(a**2 / 2, (a, -1, 1))
    fourth = float(sp.integrate(a**4 / 2, (a, -1, 1)))

    found = 400 * float((layer.weight.detach().double() ** 2).mean())
    error = 5 * math.sqrt((fourth - float(variance) ** 2) / n)
    assert variance == sp.Rational(1, 3)
    assert found == pytest.approx(1 / 3, abs=error)
    assert pytest.approx(1 / 3) == TORCH_LINEAR**2
    field = MeanField(function="relu", weight_variance=TORCH_LINEAR**2)
    assert field.growth(1.0) == pytest.approx(1 / 6)
    assert -1 / math.log(field.growth(1.0)) == pytest.approx(0.55811063)


CHECKED = {
    "linear": "identity",
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "selu": "selu",
}
UNKNOWN_TO_TORCH = ("gelu", "silu", "elu", "mish", "prelu", "relu6", "hardtanh")


@pytest.mark.parametrize("name", CHECKED)
def test_the_gains_of_torch_that_are_exact_and_those_that_are_not(name):
    said = nn.init.calculate_gain(name)
    true = find_activation(CHECKED[name]).forward_gain

    is_exact = said == pytest.approx(true, rel=1e-6)
    assert is_exact is (name in {"linear", "relu"})


@pytest.mark.parametrize("name", UNKNOWN_TO_TORCH)
def test_torch_has_no_gain_where_fanin_has_one(name):
    with pytest.raises(ValueError, match="Unsupported nonlinearity"):
        nn.init.calculate_gain(name)

    assert 0.5 < ACTIVATIONS[name].forward_gain < 3.0


def test_the_gain_of_torch_for_tanh_is_chaotic():
    gain = nn.init.calculate_gain("tanh")
    (_, point) = fixed_points(MeanField.of("tanh", sigma_w=gain))

    assert gain == 5 / 3
    assert point.q == pytest.approx(1.17848049, abs=1e-7)
    assert point.growth == pytest.approx(1.20983132, abs=1e-7)
    assert point.phase == "chaotic"


def test_the_gain_of_torch_for_selu_loses_the_normal_point():
    field = MeanField.of("selu", sigma_w=nn.init.calculate_gain("selu"))

    assert settles_at(field, 1.0) == pytest.approx(0.02303378, abs=1e-7)
    assert settles_at(MeanField.of("selu", sigma_w=1.0), 0.5) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "hardswish", "relu_squared"])
def test_a_gated_activation_at_its_own_gain_repels(name):
    gain = find_activation(name).forward_gain
    field = MeanField.of(name, sigma_w=gain)

    assert field.next_moment(1.0) == pytest.approx(1.0, rel=1e-9)
    assert field.slope(1.0) > 1.05
    # A second way to V′: a difference quotient of V.
    quotient = (field.next_moment(1 + 1e-4) - field.next_moment(1 - 1e-4)) / 2e-4
    assert field.slope(1.0) == pytest.approx(quotient, rel=1e-6)
    assert settles_at(field, 0.99) < 0.9
    assert settles_at(field, 1.01) > 1.1


@pytest.mark.parametrize("name", ["tanh", "erf", "sin", "softsign", "hardtanh", "elu"])
def test_a_bounded_or_sublinear_activation_at_its_own_gain_attracts(name):
    gain = find_activation(name).forward_gain
    field = MeanField.of(name, sigma_w=gain)

    assert abs(field.slope(1.0)) < 1
    assert field.growth(1.0) > 1  # and yet chaotic: no gain mends both
    assert settles_at(field, 0.5) == pytest.approx(1.0, abs=1e-6)
