"""One forward pass gives what LSUV gives when it is run until nothing moves any more.

LSUV is written out here in a few lines, on nets that are written out by hand in NumPy:
it shares nothing with fanin. The same nets stand in each framework.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

import fanin
from fanin.errors import SignalError
from fanin.frameworks import jax as in_jax
from fanin.frameworks import torch as in_torch
from fanin.graph import Task
from fanin.graph.calibration import Aim

WIDTH, N_BLOCKS = 24, 5
X = np.random.default_rng(7).normal(size=(64, WIDTH)).astype(np.float32)
PATHS = ("stem", *(f"{part}{i}" for i in range(N_BLOCKS) for part in "ab"), "head")
TARGETS = {path: 0.4 + 0.1 * (i % 7) for i, path in enumerate(PATHS)}
"""Of the root mean squares: any numbers, none of them 1."""


def arrays():
    """Weights (units of the input first) and biases of odd sizes."""
    generator = np.random.default_rng(11)
    sizes = 10.0 ** generator.uniform(-2, 0.5, len(PATHS))
    found = {}
    for path, size in zip(PATHS, sizes, strict=True):
        found[f"{path}.w"] = size * generator.normal(size=(WIDTH, WIDTH))
        found[f"{path}.b"] = 0.3 * generator.normal(size=WIDTH)
    return {path: array.astype(np.float32) for path, array in found.items()}


# Nets: every layer is called by its name, and its product is noted


def plain(layer, tanh, x):
    for path in PATHS[:-1]:
        x = tanh(layer(path, x))
    return layer("head", x)


def residual(layer, tanh, x):
    x = layer("stem", x)
    for i in range(N_BLOCKS):
        x = x + layer(f"b{i}", tanh(layer(f"a{i}", x)))
    return layer("head", x)


def reused(layer, tanh, x):
    """The weight of b0 is used three times, between layers that are used once."""
    x = tanh(layer("stem", x))
    for i in range(3):
        x = tanh(layer("b0", tanh(layer(f"a{i}", x))))
    return layer("head", x)


def tied(layer, tanh, x):
    """All blocks are one, as in a recurrence."""
    x = layer("stem", x)
    for _ in range(N_BLOCKS):
        x = x + layer("b0", tanh(layer("a0", x)))
    return layer("head", x)


NETS = {"plain": plain, "residual": residual, "reused": reused, "tied": tied}
nets = pytest.mark.parametrize("net", NETS.values(), ids=NETS)


def sizes(net, values):
    """Give the root mean square of each weight's outputs, bias left out, all uses."""
    outputs = {}

    def layer(path, x):
        product = x @ values[f"{path}.w"].astype(np.float64)
        outputs.setdefault(path, []).append(product)
        return product + values[f"{path}.b"]

    net(layer, np.tanh, X.astype(np.float64))
    return {
        path: float(np.sqrt(np.mean(np.square(found))))
        for path, found in outputs.items()
    }


def lsuv(net, values):
    """Run the net for one weight after another, until none is off by 10⁻⁶.

    Mishkin & Matas 2016, algorithm 1, without its orthogonal draw.
    """
    factors = dict.fromkeys(sizes(net, values), 1.0)
    for _ in range(300):
        worst = 0.0
        for path in factors:
            now = values | {f"{p}.w": values[f"{p}.w"] * f for p, f in factors.items()}
            ratio = TARGETS[path] / sizes(net, now)[path]
            factors[path] *= ratio**0.7
            worst = max(worst, abs(ratio - 1.0))
        if worst < 1e-6:
            return factors
    pytest.fail("LSUV itself does not settle on this net")


# The same nets in each framework


class TorchNet(nn.Module):
    def __init__(self, net) -> None:
        super().__init__()
        self.net = net
        self.layers = nn.ModuleDict({p: nn.Linear(WIDTH, WIDTH) for p in PATHS})

    def forward(self, x):
        return self.net(lambda path, x: self.layers[path](x), torch.tanh, x)


class FlaxNet(nnx.Module):
    def __init__(self, net) -> None:
        self.net = net
        for path in PATHS:
            setattr(self, path, nnx.Linear(WIDTH, WIDTH, rngs=nnx.Rngs(0)))

    def __call__(self, x):
        return self.net(lambda path, x: getattr(self, path)(x), nnx.tanh, x)


class EquinoxNet(eqx.Module):
    layers: dict[str, eqx.nn.Linear]
    net: object = eqx.field(static=True)

    def __call__(self, x):
        return self.net(lambda path, x: self.layers[path](x), jnp.tanh, x)


def in_each_framework(net, kind, values):
    """Give the framework, the model, its values, and each weight's path."""
    if kind == "torch":
        found = {f"layers.{p}.weight": values[f"{p}.w"].T for p in PATHS}
        found |= {f"layers.{p}.bias": values[f"{p}.b"] for p in PATHS}
        return in_torch, TorchNet(net), found, "layers.{}.weight"
    if kind == "flax":
        found = {f"{p}.kernel": values[f"{p}.w"] for p in PATHS}
        found |= {f"{p}.bias": values[f"{p}.b"] for p in PATHS}
        return in_jax, FlaxNet(net), found, "{}.kernel"
    if kind == "equinox":
        key = jax.random.key(0)
        layers = {p: eqx.nn.Linear(WIDTH, WIDTH, key=key) for p in PATHS}
        found = {f"layers.{p}.weight": values[f"{p}.w"].T for p in PATHS}
        found |= {f"layers.{p}.bias": values[f"{p}.b"] for p in PATHS}
        return in_jax, EquinoxNet(layers, net), found, "layers.{}.weight"
    params = {p: {"w": values[f"{p}.w"], "b": values[f"{p}.b"]} for p in PATHS}

    def apply(params, x):
        def layer(path, x):
            return x @ params[path]["w"] + params[path]["b"]

        return net(layer, jnp.tanh, x)

    found = {f"{p}.{k}": params[p][k] for p in PATHS for k in "wb"}
    return in_jax, (apply, params), found, "{}.w"


@nets
@pytest.mark.parametrize("kind", ["torch", "flax", "equinox", "pair"])
def test_one_pass_gives_what_lsuv_converges_to(net, kind):
    values = arrays()
    expected = lsuv(net, values)
    framework, model, given, name = in_each_framework(net, kind, values)
    aims = {name.format(path): Aim(size=TARGETS[path]) for path in expected}

    found = framework.calibrate(model, Task(batch=X), given, aims).factors

    # The exact solution is one point: less than 1 % from it, and mostly far less.
    for path, factor in expected.items():
        assert found[name.format(path)] == pytest.approx(factor, rel=0.01), path


@pytest.mark.parametrize(
    ("net", "most"), [(plain, 1), (residual, 1), (reused, 4), (tied, 6)]
)
def test_the_model_runs_once_unless_weights_are_used_again(net, most):
    framework, model, given, name = in_each_framework(net, "torch", arrays())
    runs = []
    model.register_forward_pre_hook(lambda *_: runs.append(1))
    aims = {name.format(path): Aim(size=TARGETS[path]) for path in sizes(net, arrays())}

    framework.calibrate(model, Task(batch=X), given, aims)

    assert 1 <= len(runs) <= most


def test_convolutions_too_are_what_lsuv_converges_to():
    torch.manual_seed(2)
    shared = nn.Conv2d(8, 8, 3, padding=1)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 8, 1, groups=2),
        nn.ReLU(),
        shared,
        nn.ReLU(),
        shared,
        nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
        nn.Flatten(),
        nn.Linear(4 * 64, 5),
    )
    x = torch.randn(16, 3, 8, 8)
    values = in_torch.read(model)
    aims = {path: Aim(size=1.0) for path in values if path.endswith("weight")}

    found = in_torch.calibrate(model, Task(batch=x), values, aims).factors

    for path, factor in _lsuv_by_hooks(model, x).items():
        assert found[path] == pytest.approx(factor, rel=0.01), path


def _lsuv_by_hooks(model, x):
    """Run the model itself, until every layer's output has root mean square 1."""
    layers = {
        name: module
        for name, module in model.named_modules()
        if hasattr(module, "weight")
    }
    squares = {}

    def see(name):
        def hook(module, _, output):
            shape = [1, -1] + [1] * (output.dim() - 2)
            product = output - module.bias.reshape(shape)
            squares.setdefault(name, []).append(product.square().mean().item())

        return hook

    hooks = [module.register_forward_hook(see(n)) for n, module in layers.items()]
    factors = dict.fromkeys(layers, 1.0)
    with torch.no_grad():
        for _ in range(60):
            for name, module in layers.items():
                squares.clear()
                model(x)
                ratio = float(np.mean(squares[name])) ** -0.35
                module.weight *= ratio
                factors[name] *= ratio
    for hook in hooks:
        hook.remove()
    return {f"{name}.weight": factor for name, factor in factors.items()}


# What a plan shows after it


def test_an_initialized_net_has_the_sizes_that_its_plan_says():
    torch.manual_seed(3)
    model = nn.Sequential(
        *(layer for _ in range(6) for layer in (nn.Linear(32, 32), nn.GELU())),
        nn.Linear(32, 4),
    )
    x, y = torch.randn(128, 32), torch.randint(0, 4, (128,))

    plan = fanin.init(model, x, "cross_entropy", y, seed=1)

    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    assert plan.measured_loss == pytest.approx(loss.item(), rel=1e-5)
    gradient = model[4].weight.grad.square().mean().sqrt().item()
    assert plan["4.weight"].gradient == pytest.approx(gradient, rel=1e-4)
    hidden = model[:8](x)
    assert plan["8.weight"].measured == pytest.approx(
        (hidden @ model[8].weight.T).square().mean().sqrt().item(), rel=1e-5
    )
    output = model[:9](x)
    share = output.var(0, correction=0).mean() / output.square().mean()
    assert plan["8.weight"].input_share == pytest.approx(share.item(), rel=1e-4)


def test_a_centred_head_tells_samples_apart_by_all_of_its_size():
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 5))
    # Hardly different samples: nearly all of what the head reads is common to them.
    x = 1.0 + 0.1 * torch.randn(64, 16)

    plan = fanin.init(model, x, seed=1)

    logits = model(x)
    assert logits.mean(0).abs().max().item() < 1e-5
    assert plan["2.weight"].measured == pytest.approx(logits.std(correction=0).item())
    bias = plan["2.bias"]
    np.testing.assert_allclose(bias.values, bias.centre)
    # From another seed the weights are others, and so the bias is the prior.
    assert not plan.draws(seed=2)["2.bias"](None).any()


@pytest.mark.parametrize("shift", [0.0, -1e4])
def test_nothing_is_written_where_the_signal_is_lost(shift):
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.Tanh())
    if shift:
        model[0].bias.data.fill_(shift)  # kept: the ReLU is silent
    x = torch.zeros(16, 8) if not shift else torch.randn(16, 8)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    with pytest.raises(SignalError, match="Nothing was written"):
        fanin.init(model, x, seed=0, skip=["0.bias"])

    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
