"""Measured statistics, against NumPy on tensors kept by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from fanin.errors import ModelError, NoStorageError, NothingToTrainError
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task


def batch_of(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def small_convnet() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(6 * 16, 5),
    )


def kept_by_hand(net: nn.Sequential, x: torch.Tensor, y: torch.Tensor):
    """Every layer's output and its gradient, with autograd's own tools."""
    outputs = [x]
    for layer in net:
        value = layer(outputs[-1].clone())
        value.retain_grad()
        outputs.append(value)
    functional.cross_entropy(outputs[-1], y).backward()
    return [(o.detach().double().numpy(), o.grad) for o in outputs]


def test_statistics_are_those_of_the_tensors_that_ran():
    net, x, y = small_convnet(), batch_of(7, 3, 8, 8), torch.arange(7) % 5
    task = Task(batch=x, loss="cross_entropy", target=y)

    found = framework.measure(net, task)

    kept = kept_by_hand(net, x, y)
    for node, (values, gradient) in zip(found.graph.nodes, kept, strict=True):
        site = found.sites[node.id]
        assert node.shape == values.shape
        assert site.mean == pytest.approx(values.mean(), rel=1e-12, abs=1e-15)
        assert site.second_moment == pytest.approx((values**2).mean(), rel=1e-12)
        assert site.maximum == np.abs(values).max()
        assert site.between_samples == pytest.approx(values.var(0).mean(), rel=1e-12)
        if gradient is not None:
            square = (gradient.double() ** 2).mean().item()
            assert site.gradient_second_moment == pytest.approx(square, rel=1e-4)


def test_unit_statistics_run_over_samples_and_positions():
    net, x = small_convnet(), batch_of(7, 3, 8, 8)

    found = framework.measure(net, Task(batch=x))

    values = net[0](x).detach().double().numpy()
    site = found.sites[1]
    axes = (0, 2, 3)
    np.testing.assert_allclose(site.unit_means, values.mean(axes), rtol=1e-12)
    np.testing.assert_allclose(site.unit_variances, values.var(axes), rtol=1e-12)
    np.testing.assert_array_equal(site.unit_minima, values.min(axes))
    np.testing.assert_array_equal(site.unit_maxima, values.max(axes))


def test_sums_do_not_lose_digits():
    # In float32 the second moment of 2·10⁶ numbers near 1000 would be off by 1e-4.
    x = batch_of(2000, 1000) + 1000.0
    net = nn.Linear(1000, 1)

    site = framework.measure(net, Task(batch=x)).sites[0]

    numbers = x.double().numpy()
    assert site.second_moment == pytest.approx(np.square(numbers).mean(), rel=1e-14)
    assert site.between_samples == pytest.approx(numbers.var(0).mean(), rel=1e-9)


def test_a_preactivation_is_measured_before_it_is_overwritten():
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.Linear(6, 2))
    x = batch_of(9, 4)

    found = framework.measure(net, Task(batch=x))

    before = net[0](x).detach().double().numpy()
    assert found.sites[1].mean == pytest.approx(before.mean(), rel=1e-12)
    assert found.sites[2].mean == pytest.approx(np.maximum(before, 0).mean(), rel=1e-12)
    assert found.sites[1].gradient_second_moment is not None
    assert found.sites[1].gradient_second_moment < found.sites[2].gradient_second_moment


def test_the_gradient_of_a_stream_is_that_of_all_its_readers():
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.branch = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            x = self.first(x)
            return x + self.branch(x)

    net, x = Residual(), batch_of(5, 4)
    task = Task(batch=x, loss=lambda output, _: output.sum())

    site = framework.measure(net, task).sites[1]

    gradient = 1.0 + net.branch.weight.detach().double().numpy().sum(0)
    expected = np.square(gradient).mean()
    assert site.gradient_second_moment == pytest.approx(expected, rel=1e-6)


def test_it_measures_at_other_values():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    zeros = {p: np.zeros(tuple(t.shape)) for p, t in net.named_parameters()}

    found = framework.measure(net, Task(batch=batch_of(5, 3)), zeros)

    assert [found.sites[i].second_moment for i in (1, 2, 3)] == [0.0, 0.0, 0.0]
    assert found.sites[0].second_moment > 0.5
    assert found.gradients["2.bias"].any()
    assert not found.gradients["0.weight"].any()


def test_loss_outputs_and_gradients_are_the_models():
    net, x, y = small_convnet(), batch_of(7, 3, 8, 8), torch.arange(7) % 5

    found = framework.measure(net, Task(batch=x, loss="cross_entropy", target=y))

    output = net(x)
    loss = functional.cross_entropy(output, y)
    loss.backward()
    assert found.loss == pytest.approx(loss.item(), rel=1e-6)
    assert found.batch_size == 7
    np.testing.assert_allclose(found.outputs, output.detach().numpy(), rtol=1e-5)
    for path, parameter in net.named_parameters():
        np.testing.assert_allclose(
            found.gradients[path], parameter.grad.numpy(), rtol=1e-4, atol=1e-7
        )


def test_without_a_loss_there_is_none():
    assert framework.measure(nn.Linear(2, 2), Task(batch=batch_of(3, 2))).loss is None


def test_both_runs_see_the_same_noise():
    net = nn.Sequential(nn.Linear(3, 500), nn.Dropout(0.3), nn.Linear(500, 1))

    first, second = (
        framework.measure(net, Task(batch=batch_of(4, 3), seed=3)) for _ in range(2)
    )
    other = framework.measure(net, Task(batch=batch_of(4, 3), seed=4))

    (noise,) = (n.id for n in first.graph.nodes if n.op is Op.NOISE)
    assert first.sites[noise].mean == second.sites[noise].mean
    assert first.sites[noise].mean != other.sites[noise].mean


def test_nan_and_infinity_are_seen_and_not_raised():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    values = {"0.weight": np.full((2, 2), 1e38), "0.bias": np.array([np.nan, 0.0])}

    found = framework.measure(net, Task(batch=batch_of(3, 2) * 100), values)

    assert not found.sites[1].is_finite
    assert found.sites[0].is_finite


def test_attention_and_recurrence_are_measured_in_every_part():
    nets = [
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), batch_of(5, 3, 8)),
        (nn.GRU(8, 4, batch_first=True), batch_of(5, 3, 8)),
    ]

    for net, x in nets:
        found = framework.measure(net, Task(batch=x))
        moved = {Op.CONSTANT, Op.REARRANGE}
        parts = [n.id for n in found.graph.nodes if n.op not in moved]
        assert set(parts) <= set(found.sites)
        assert found.graph.is_measured
        assert Op.OPAQUE not in {n.op for n in found.graph.nodes}


def test_a_parameter_used_as_a_value_is_measured():
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.full((1, 4), 2.0))

        def forward(self, x):
            return x + self.table

    found = framework.measure(Table(), Task(batch=batch_of(3, 4)))

    (table,) = (n.id for n in found.graph.nodes if n.op is Op.PARAMETER)
    assert found.sites[table].second_moment == 4.0


def test_an_objective_is_measured():
    x = batch_of(6, 3)
    net = nn.Linear(3, 2)
    task = Task(objective=lambda model: model(x).square().mean())

    found = framework.measure(net, task)

    assert found.loss == pytest.approx(net(x).square().mean().item(), rel=1e-6)
    assert found.batch_size == 6
    assert found.sites[0].second_moment == pytest.approx(
        x.double().square().mean().item(), rel=1e-12
    )


def test_a_model_that_runs_differently_each_time_is_refused():
    class Moody(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.calls = nn.Linear(2, 2), itertools.count()

        def forward(self, x):
            x = self.linear(x)
            return torch.tanh(x) if next(self.calls) % 2 else torch.sigmoid(x)

    with pytest.raises(ModelError, match=r"aten\.sigmoid first, then aten\.tanh"):
        framework.measure(Moody(), Task(batch=batch_of(3, 2)))


def test_meta_and_frozen_models_are_refused():
    with pytest.raises(NoStorageError):
        framework.measure(nn.Linear(2, 2, device="meta"), Task(batch=batch_of(3, 2)))
    with pytest.raises(NothingToTrainError):
        framework.measure(
            nn.Linear(2, 2).requires_grad_(requires_grad=False),
            Task(batch=batch_of(3, 2)),
        )
