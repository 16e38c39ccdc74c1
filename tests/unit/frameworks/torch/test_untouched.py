"""Whatever fanin does with a model but write, the model is as it was."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_module

import fanin
from fanin.errors import ModelError, SignalError
from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.graph.calibration import Aim


class Net(nn.Module):
    """Buffers, noise, a cache, lists, recurrent weights; it raises when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.5)
        self.frozen = nn.Linear(4, 4).requires_grad_(requires_grad=False)
        self.rnn = nn.LSTM(4, 4, batch_first=True)
        self.head = nn.Linear(4, 2)
        self.register_buffer("calls", torch.zeros(()))
        self.cache = None
        self.raises = False

    def forward(self, x):
        x = self.drop(self.norm(self.conv(x))).transpose(1, 2)
        x, _ = self.rnn(self.frozen(x))
        self.calls += 1
        self.cache = x
        self.seen = x.shape
        random.random()
        np.random.random()  # noqa: NPY002
        if self.raises:
            msg = "told to"
            raise RuntimeError(msg)
        return self.head(x[:, -1])


def snapshot(net: nn.Module) -> dict[str, object]:
    """All that can be told of a model and of the process around it."""
    found: dict[str, object] = {
        "python": random.getstate(),
        "numpy": str(np.random.get_state()),  # noqa: NPY002
        "torch": torch.get_rng_state().tolist(),
        "grad mode": torch.is_grad_enabled(),
        "fast path": torch.backends.mha.get_fastpath_enabled(),
        "onednn": torch.backends.mkldnn.enabled,
        "sdp": torch.backends.cuda.flash_sdp_enabled(),
        "global hooks": len(torch_module._global_forward_hooks)
        + len(torch_module._global_forward_pre_hooks),
    }
    for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
        found[f"{name} bits"] = tensor.detach().numpy().tobytes()
        found[f"{name} version"] = tensor._version
        found[f"{name} object"] = id(tensor)
        found[f"{name} hooks"] = len(tensor._backward_hooks or ())
        if tensor.requires_grad:
            found[f"{name} grad"] = tensor.grad.numpy().tobytes()
            found[f"{name} grad object"] = id(tensor.grad)
    for name, module in net.named_modules():
        found[f"{name} mode"] = module.training
        found[f"{name} attributes"] = {k: id(v) for k, v in module.__dict__.items()}
        found[f"{name} hooks"] = [
            len(getattr(module, table))
            for table in ("_forward_hooks", "_backward_hooks")
        ]
        if isinstance(module, nn.RNNBase):
            found[f"{name} flat"] = [id(weight) for weight in module._flat_weights]
    return found


def model() -> Net:
    torch.manual_seed(0)
    net = Net()
    net(torch.randn(5, 3, 6)).sum().backward()
    net.cache = None
    net.drop.eval()
    return net


ZEROS = {"head.bias": np.zeros(2)}
VERBS = {
    "record": framework.record,
    "measure": framework.measure,
    "measure at values": lambda net, task: framework.measure(net, task, ZEROS),
    "gradients": lambda net, task: framework.gradients(net, task, ZEROS),
    "calibrate": lambda net, task: framework.calibrate(
        net, task, ZEROS, {"conv.weight": Aim(size=2.0), "head.weight": Aim(size=0.1)}
    ),
    "read": lambda net, _: framework.read(net),
    "parameters": lambda net, _: framework.parameters(net),
}


@pytest.mark.parametrize("is_training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_the_model_is_as_it_was(verb, is_training):
    net = model()
    net.train(is_training)
    before = snapshot(net)

    verb(net, Task(batch=torch.randn(5, 3, 6, generator=torch.Generator())))

    assert snapshot(net) == before


@pytest.mark.parametrize(
    "name", ["record", "measure", "measure at values", "gradients", "calibrate"]
)
def test_the_model_is_as_it_was_after_it_raised(name):
    net = model()
    net.raises = True
    before = snapshot(net)

    with pytest.raises(ModelError, match="told to"):
        VERBS[name](net, Task(batch=torch.zeros(5, 3, 6)))
    assert snapshot(net) == before


def test_the_batch_is_as_it_was():
    net = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 2))
    batch = torch.randn(4, 3, requires_grad=False)
    before = batch.clone()

    framework.measure(net, Task(batch=batch))
    framework.gradients(net, Task(batch=batch), {})
    framework.calibrate(net, Task(batch=batch), {}, {"1.weight": Aim(size=1.0)})

    assert torch.equal(batch, before)


def test_it_works_where_gradients_are_switched_off():
    net, task = nn.Linear(3, 2), Task(batch=torch.ones(4, 3))

    with torch.no_grad():
        off = framework.measure(net, task).gradients["weight"]
    with torch.inference_mode():
        inference = framework.measure(net, task).gradients["weight"]

    assert off.any()
    np.testing.assert_array_equal(off, inference)


def drawn(net):
    """Give what `fanin.init` may change: bits and versions of trainable parameters."""
    trainable = [n for n, p in net.named_parameters() if p.requires_grad]
    return {f"{name} {what}" for name in trainable for what in ("bits", "version")}


@pytest.mark.parametrize("is_training", [True, False], ids=["train", "eval"])
def test_init_changes_trainable_parameters_and_nothing_else(is_training):
    net = model()
    net.train(is_training)
    before = snapshot(net)
    x = torch.randn(9, 3, 6, generator=torch.Generator().manual_seed(1))

    fanin.init(net, x, seed=3)

    after = snapshot(net)
    changed = {key for key in before if before[key] != after[key]}
    assert changed <= drawn(net)
    assert "conv.weight bits" in changed


def test_init_changes_nothing_where_the_model_raises():
    net = model()
    net.raises = True
    before = snapshot(net)

    with pytest.raises(ModelError, match="told to"):
        fanin.init(net, torch.zeros(5, 3, 6), seed=3)
    assert snapshot(net) == before


def test_init_changes_nothing_where_the_signal_is_lost():
    net = model()
    before = snapshot(net)

    with pytest.raises(SignalError):
        fanin.init(net, torch.zeros(9, 3, 6), seed=3)
    assert snapshot(net) == before
