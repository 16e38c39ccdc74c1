"""The factors found in one forward pass give every output its wanted size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fanin.errors import SignalError, UnknownParameterError
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task
from fanin.graph.calibration import Aim


def calibrated(net, task, values, targets):
    """Give the factors for outputs of these root mean squares."""
    aims = {path: Aim(size=size) for path, size in targets.items()}
    return framework.calibrate(net, task, values, aims).factors


def batch_of(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def sizes_after(net: nn.Module, task: Task, factors: dict[str, float]):
    """Root mean square of each linear node's output, bias taken off, with factors."""
    values = framework.read(net)
    for path, factor in factors.items():
        values[path] = values[path] * factor
    for path in values:
        if path.endswith("bias"):
            values[path] = np.zeros_like(values[path])
    found = framework.measure(net, task, values)
    return {
        node.weight.path: found.sites[node.id].second_moment ** 0.5
        for node in reversed(found.graph.linears)
    }


def test_one_pass_calibrates_any_depth():
    torch.manual_seed(0)
    layers = [
        nn.Sequential(nn.Linear(32, 32, bias=False), nn.Tanh()) for _ in range(40)
    ]
    net = nn.Sequential(*layers)
    task = Task(batch=batch_of(64, 32))
    targets = {f"{i}.0.weight": 1.0 + i % 3 for i in range(40)}

    factors = calibrated(net, task, framework.read(net), targets)

    for path, size in sizes_after(net, task, factors).items():
        assert size == pytest.approx(targets[path], rel=1e-4)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(6, 4), (5, 6)),
        (nn.Linear(6, 4), (5, 3, 6)),
        (nn.Conv2d(6, 4, 3, padding=1), (5, 6, 8, 8)),
        (nn.ConvTranspose1d(6, 4, 3), (5, 6, 8)),
        (nn.Bilinear(6, 6, 4), (5, 6)),
    ],
    ids=str,
)
def test_the_bias_is_not_part_of_the_output_that_counts(layer, shape):
    nn.init.constant_(layer.bias, 100.0)
    x = batch_of(*shape)
    batch = (x, x) if isinstance(layer, nn.Bilinear) else x

    values = framework.read(layer)
    factors = calibrated(layer, Task(batch=batch), values, {"weight": 3.0})

    with torch.no_grad():
        layer.weight *= factors["weight"]
        layer.bias.zero_()
        output = layer(*batch) if isinstance(batch, tuple) else layer(batch)
    assert output.square().mean().sqrt().item() == pytest.approx(3.0, rel=1e-5)


def test_later_layers_read_the_calibrated_output_with_its_bias():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, bias=False))
    values = {
        "0.weight": np.eye(2),
        "0.bias": np.array([10.0, 10.0]),
        "1.weight": np.eye(2),
    }
    x = torch.tensor([[1.0, -1.0]])

    factors = calibrated(net, Task(batch=x), values, {"0.weight": 2.0, "1.weight": 1.0})

    assert factors["0.weight"] == pytest.approx(2.0)
    expected = 1.0 / np.sqrt(np.mean(np.square([12.0, 8.0])))
    assert factors["1.weight"] == pytest.approx(expected)


def test_the_uses_of_a_shared_weight_meet_its_target_together():
    layer = nn.Linear(2, 2, bias=False)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    task = Task(batch=torch.ones(1, 2))

    factors = calibrated(
        net, task, {"0.weight": np.full((2, 2), 2.0)}, {"2.weight": 1.0}
    )

    # Uses of size 4f and (4f)²: ((4f)² + (4f)⁴) / 2 = 1 where (4f)² = 1.
    assert factors == {"2.weight": pytest.approx(0.25, rel=2e-3)}


@pytest.mark.parametrize("number", [np.nan, np.inf], ids=str)
def test_an_output_that_is_not_finite_is_named(number):
    net = nn.Linear(2, 2, bias=False)
    values = {"weight": np.full((2, 2), number)}

    with pytest.raises(SignalError, match="output of 'weight' is not finite"):
        calibrated(net, Task(batch=torch.ones(3, 2)), values, {"weight": 1.0})


def test_a_weight_of_zeros_keeps_them():
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    values = {"0.weight": np.zeros((2, 2))}
    targets = {"0.weight": 1.0, "1.weight": 1.0}

    factors = calibrated(net, Task(batch=torch.ones(3, 2)), values, targets)

    assert factors == {"0.weight": 1.0, "1.weight": 1.0}


def test_an_activation_that_is_silent_throughout_is_named():
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
    values = {"0.bias": np.full(32, -1e3)}

    said = r"output of '2.weight' is always 0 .it reads the elementwise at '1'."
    with pytest.raises(SignalError, match=said):
        calibrated(
            net,
            Task(batch=batch_of(16, 8)),
            values,
            dict.fromkeys(("0.weight", "2.weight"), 1.0),
        )


def test_few_units_may_be_silent_by_chance():
    net = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 8))
    values = {"0.bias": np.full(4, -1e3)}

    factors = calibrated(net, Task(batch=batch_of(16, 8)), values, {"2.weight": 1.0})

    assert factors == {"2.weight": 1.0}


def test_a_batch_of_zeros_is_named():
    with pytest.raises(SignalError, match=r"always 0 .it reads the batch."):
        calibrated(nn.Linear(3, 2), Task(batch=torch.zeros(4, 3)), {}, {"weight": 1.0})


def test_a_weight_that_does_not_run_keeps_its_factor():
    net = nn.ModuleDict({"used": nn.Linear(2, 2), "idle": nn.Linear(2, 2)})
    task = Task(batch=lambda model: model["used"](torch.ones(3, 2)))

    factors = calibrated(net, task, framework.read(net), {"idle.weight": 1.0})

    assert factors == {"idle.weight": 1.0}


def test_an_unknown_path_is_named():
    with pytest.raises(UnknownParameterError, match="Did you mean 'weight'"):
        calibrated(nn.Linear(2, 2), Task(batch=torch.ones(1, 2)), {}, {"weigth": 1.0})


def test_attention_is_calibrated_through_its_slices():
    net = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, dropout=0.0)
    task = Task(batch=batch_of(5, 7, 16))
    paths = [n.weight.path for n in framework.record(net, task).linears]

    factors = calibrated(net, task, framework.read(net), dict.fromkeys(paths, 1.0))

    sizes = sizes_after(net, task, factors)
    assert sizes["self_attn.in_proj_weight"] == pytest.approx(1.0, rel=1e-4)
    assert sizes["linear1.weight"] == pytest.approx(1.0, rel=1e-1)


def test_control_flow_may_depend_on_the_calibrated_numbers():
    class Routed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.small = nn.Linear(2, 2, bias=False), nn.Linear(2, 2)
            self.large = nn.Linear(2, 2)

        def forward(self, x):
            x = self.first(x)
            return self.large(x) if x.abs().max() > 5 else self.small(x)

    net, task = Routed(), Task(batch=batch_of(4, 2))
    values = framework.read(net)
    assert Op.LINEAR in {n.op for n in framework.record(net, task).nodes}

    targets = {"first.weight": 100.0, "large.weight": 1.0}
    factors = calibrated(net, task, values, targets)

    assert factors["large.weight"] < 0.2
