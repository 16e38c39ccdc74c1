"""Deep plain nets after ``fanin.init``, run in PyTorch: sound, and trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import fanin

WIDTH = 48


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(x)


def plain(activation, depth):
    layers, n_in = [], 64
    for _ in range(depth):
        layers += [nn.Linear(n_in, WIDTH), activation()]
        n_in = WIDTH
    return nn.Sequential(*layers, nn.Linear(n_in, 10))


def digits():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    x = torch.tensor((images - images.mean()) / images.std()).float()
    return x, torch.tensor(labels)


def likeness(outputs):
    z = outputs / outputs.norm(dim=1, keepdim=True)
    pairs = (z @ z.T)[~torch.eye(len(z), dtype=torch.bool)]
    return float(pairs.abs().mean().detach())


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid, nn.GELU, nn.Tanh, Sine])
def test_a_deep_net_keeps_samples_apart_and_has_no_fault_that_check_finds(activation):
    torch.manual_seed(0)
    model = plain(activation, 24)
    x = torch.randn(64, 64)
    y = torch.randint(0, 10, (64,))

    plan = fanin.init(model, x, "cross_entropy", y, seed=0)

    hidden = model[:-2](x)  # the last pre-activations
    assert plan.warnings == ()
    assert likeness(hidden) < 2 * likeness(model[0](x))
    assert fanin.check(model, x, "cross_entropy", y).findings == ()


def trained(model, steps=150):
    x, y = digits()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    batches = torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randint(0, 1000, (32,), generator=batches)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[chosen]), y[chosen]).backward()
        optimizer.step()
    with torch.no_grad():
        return float((model(x[1000:]).argmax(1) == y[1000:]).float().mean())


@pytest.mark.slow
@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
def test_thirty_layers_train_by_sgd_that_he_leaves_at_chance_or_near_it(activation):
    x, y = digits()
    torch.manual_seed(0)
    ours, he = plain(activation, 30), plain(activation, 30)
    for layer in he:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    fanin.init(ours, x[:128], "cross_entropy", y[:128], seed=0)

    assert trained(he) < 0.5
    assert trained(ours) > 0.7
