"""Weights that are computed, cast, tied, or followed by a bias are calibrated too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

import fanin
from fanin.errors import NoStorageError
from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.graph.calibration import Aim

WIDTH = 32


class Symmetric(nn.Module):
    def forward(self, weight):
        return weight.triu() + weight.triu(1).T


class Cubed(nn.Module):
    def forward(self, weight):
        return weight**3


class Smooth(nn.Module):
    """No power of the weight: proportional to it only where it is small."""

    def forward(self, weight):
        return torch.tanh(weight)


def parametrized(with_what):
    def change(layer):
        parametrize.register_parametrization(layer, "weight", with_what)
        return layer

    return change


def batch():
    return torch.randn(64, WIDTH, generator=torch.Generator().manual_seed(5))


def net(change):
    """Three layers, of which the middle one is computed from what it holds."""
    torch.manual_seed(0)
    middle = change(nn.Linear(WIDTH, WIDTH, bias=False))
    return nn.Sequential(
        nn.Linear(WIDTH, WIDTH), nn.Tanh(), middle, nn.Tanh(), nn.Linear(WIDTH, 8)
    )


def calibrated(model, task, aims):
    """Calibrate, write, and give each factor and each layer's output rms."""
    values = framework.read(model)
    found = framework.calibrate(model, task, values, aims)
    scaled = {path: values[path] * factor for path, factor in found.factors.items()}
    framework.write(model, {p: lambda _, p=p: scaled[p] for p in scaled})
    sizes = {}

    def see(name):
        def hook(module, _, output):
            sums = output if module.bias is None else output - module.bias
            sizes[name] = sums.double().square().mean().sqrt().item()

        return hook

    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(see(name))
    with torch.no_grad():
        task.batch(model) if callable(task.batch) else model(task.batch)
    return found, sizes


@pytest.mark.parametrize(
    ("change", "held"),
    [
        (parametrizations.weight_norm, "2.parametrizations.weight.original0"),
        (parametrized(Symmetric()), "2.parametrizations.weight.original"),
        (parametrized(Cubed()), "2.parametrizations.weight.original"),
        (parametrized(Smooth()), "2.parametrizations.weight.original"),
    ],
    ids=["weight norm", "symmetric", "cubed", "tanh"],
)
def test_the_parameter_behind_a_computed_weight_is_scaled(change, held):
    aims = {path: Aim(size=0.8) for path in ("0.weight", held, "4.weight")}

    _, sizes = calibrated(net(change), Task(batch=batch()), aims)

    assert sizes == {n: pytest.approx(0.8, rel=3e-3) for n in ("0", "2", "4")}


def test_weight_norm_is_calibrated_in_one_pass():
    model = net(parametrizations.weight_norm)
    runs = []
    model.register_forward_pre_hook(lambda *_: runs.append(1))
    aims = {"2.parametrizations.weight.original0": Aim(size=2.0)}

    framework.calibrate(model, Task(batch=batch()), framework.read(model), aims)

    assert len(runs) == 1


def test_what_no_size_of_its_parameter_changes_is_left():
    model = net(parametrizations.orthogonal)
    held = "2.parametrizations.weight.original"
    aims = {path: Aim(size=3.0) for path in ("0.weight", held, "4.weight")}

    found, sizes = calibrated(model, Task(batch=batch()), aims)

    assert found.factors[held] == 1.0
    assert sizes["2"] < 1.0
    assert sizes["4"] == pytest.approx(3.0, rel=1e-3)


def test_a_spectral_norm_is_seen_through_by_what_follows():
    torch.manual_seed(0)
    model = net(parametrizations.spectral_norm)
    held = "2.parametrizations.weight.original"
    aims = {path: Aim(size=3.0) for path in ("0.weight", held, "4.weight")}
    buffers = framework.buffers(model)

    found = framework.calibrate(model, Task(batch=batch()), framework.read(model), aims)

    assert found.factors[held] == 1.0
    for path, array in framework.buffers(model).items():
        np.testing.assert_array_equal(array, buffers[path])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_calibrated_to_its_own_rounding(dtype):
    model = net(lambda layer: layer).to(dtype)
    aims = {path: Aim(size=1.0) for path in ("0.weight", "2.weight", "4.weight")}

    _, sizes = calibrated(model, Task(batch=batch().to(dtype)), aims)

    assert sizes == {n: pytest.approx(1.0, rel=4e-3) for n in ("0", "2", "4")}


def test_autocast_is_calibrated_as_it_runs():
    model = net(lambda layer: layer)
    aims = {path: Aim(size=1.0) for path in ("0.weight", "2.weight", "4.weight")}

    def run(model):
        with torch.autocast("cpu", torch.bfloat16):
            return model(batch())

    _, sizes = calibrated(model, Task(batch=run), aims)

    assert sizes == {n: pytest.approx(1.0, rel=4e-3) for n in ("0", "2", "4")}


def test_sums_are_taken_wider_than_half_precision():
    """In float16, squares of 200 and up are infinite, and so are sums of many."""
    layer = nn.Linear(WIDTH, WIDTH, bias=False).to(torch.float16)
    values = {"weight": np.full((WIDTH, WIDTH), 30.0)}
    x = torch.full((4096, WIDTH), 8.0, dtype=torch.float16)

    found = framework.calibrate(layer, Task(batch=x), values, {"weight": Aim(size=1.0)})

    assert found.factors["weight"] == pytest.approx(
        1.0 / (WIDTH * 30.0 * 8.0), rel=1e-3
    )


class Apart(nn.Module):
    """Adds its bias in an operation of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(WIDTH, WIDTH))
        self.bias = nn.Parameter(torch.randn(WIDTH))

    def forward(self, x):
        return x @ self.weight.T + self.bias


@pytest.mark.parametrize("make", [lambda: nn.Linear(WIDTH, WIDTH), Apart])
def test_a_bias_that_follows_its_weight_counts_and_is_multiplied(make):
    torch.manual_seed(1)
    model = nn.Sequential(make(), nn.ReLU(), nn.Linear(WIDTH, 8, bias=False))
    values = framework.read(model)
    values["0.bias"] = -0.7 * values["0.weight"].sum(1)
    aims = {"0.weight": Aim(size=1.0, follower="0.bias"), "2.weight": Aim(size=1.0)}

    found = framework.calibrate(model, Task(batch=batch()), values, aims)

    x = batch().numpy().astype(np.float64)
    first = x @ values["0.weight"].T + values["0.bias"]
    factor = 1.0 / np.sqrt(np.mean(first**2))
    assert found.factors["0.weight"] == pytest.approx(factor, rel=1e-5)
    second = np.maximum(first * factor, 0.0) @ values["2.weight"].T
    expected = 1.0 / np.sqrt(np.mean(second**2))
    assert found.factors["2.weight"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape", "others"),
    [
        (nn.Linear(6, 5), (64, 6), (0,)),
        (nn.Linear(6, 5), (16, 7, 6), (0, 1)),
        (nn.Conv2d(3, 5, 3), (16, 3, 8, 8), (0, 2, 3)),
    ],
)
def test_a_centred_output_has_its_size_around_its_means(layer, shape, others):
    x = 2.0 + torch.randn(shape, generator=torch.Generator().manual_seed(2))
    aims = {"weight": Aim(size=0.5, n_centred=5)}

    found = framework.calibrate(layer, Task(batch=x), framework.read(layer), aims)

    with torch.no_grad():
        layer.bias.zero_()
        product = layer(x)
    means = product.mean(others, keepdim=True)
    factor = 0.5 / (product - means).square().mean().sqrt()
    assert found.factors["weight"] == pytest.approx(factor.item(), rel=1e-4)
    expected = (factor * means).flatten().numpy()
    np.testing.assert_allclose(found.centres["weight"], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_samples_that_are_all_alike_are_not_told_apart_by_their_rounding(noise):
    layer = nn.Linear(6, 5, bias=False)
    x = 1.0 + noise * torch.randn(16, 6, generator=torch.Generator().manual_seed(1))
    aims = {"weight": Aim(size=0.5, n_centred=5)}

    found = framework.calibrate(layer, Task(batch=x), framework.read(layer), aims)

    rms = layer(x).square().mean().sqrt().item()
    assert found.factors["weight"] == pytest.approx(0.5 / rms, rel=1e-5)


def test_of_a_tied_table_the_lookup_decides():
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(50, 16)

        def forward(self, words):
            return self.table(words).mean(1) @ self.table.weight.T

    torch.manual_seed(2)
    model = Tied()
    words = torch.randint(0, 50, (32, 9))

    found = framework.calibrate(
        model,
        Task(batch=words),
        framework.read(model),
        {"table.weight": Aim(size=0.25)},
    )

    rms = model.table(words).square().mean().sqrt().item()
    assert found.factors["table.weight"] == pytest.approx(0.25 / rms, rel=1e-5)


def test_running_statistics_and_dropout_are_those_of_training():
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Linear(WIDTH, WIDTH),
        nn.BatchNorm1d(WIDTH),
        nn.Dropout(0.5),
        nn.Linear(WIDTH, 8, bias=False),
    )
    before = framework.buffers(model)
    task = Task(batch=batch() + 3.0, seed=4)
    aims = {path: Aim(size=1.0) for path in ("0.weight", "3.weight")}

    found = framework.calibrate(model, task, framework.read(model), aims)

    # Behind the batch's own normalization, and half of the units dropped: rms √2.
    weight = framework.read(model)["3.weight"]
    rough = 1.0 / (np.sqrt(2.0) * np.sqrt((weight**2).sum(1).mean()))
    assert found.factors["3.weight"] == pytest.approx(rough, rel=0.15)
    again = framework.calibrate(model, task, framework.read(model), aims)
    assert again.factors == found.factors
    for path, array in framework.buffers(model).items():
        np.testing.assert_array_equal(array, before[path])


def test_a_model_without_memory_is_refused_and_only_planned():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    task = Task(batch=torch.ones(4, 8))

    with pytest.raises(NoStorageError, match="meta device"):
        framework.calibrate(model, task, {}, {"0.weight": Aim(size=1.0)})

    assert not fanin.plan(model, torch.ones(4, 8), seed=0).is_calibrated


@pytest.mark.parametrize(("mean", "is_centred"), [(1.0, False), (3.0, True)])
def test_an_output_is_centred_from_a_share_on(mean, is_centred):
    net = nn.Linear(1, 1)
    values = {"weight": np.array([[1.0]]), "bias": np.array([0.0])}
    signs = np.array([[1.0], [-1.0]] * 8, dtype=np.float32)
    aims = {"weight": Aim(size=1.0, n_centred=1, least_shared=0.6)}

    found = framework.calibrate(net, Task(batch=mean + signs), values, aims)

    size = 1.0 if is_centred else (mean**2 + 1.0) ** 0.5
    assert found.factors["weight"] == pytest.approx(1.0 / size)
    assert ("weight" in found.centres) is is_centred
