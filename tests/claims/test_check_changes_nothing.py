"""A check leaves the model and all random state as they were, whatever happens in it.

Bit for bit: parameters, buffers, gradients (None stays None), modes, hooks, attributes,
memory that a model keeps beside its buffers, what an optimizer remembers, flags and the
random states of torch, NumPy and Python; after a check that ends well, one that the
model ends with an error, and one that is interrupted anywhere.
"""

from __future__ import annotations

import contextlib
import random

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.errors import FaninError
from fanin.rules import RULES

BATCH, FEATURES, CLASSES = 12, 8, 5


class Counting(nn.Module):
    """Keeps things beside its parameters: buffers, a tensor, a number, a list."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(FEATURES, 16)
        self.norm = nn.BatchNorm1d(16)
        self.spectral = nn.utils.parametrizations.spectral_norm(nn.Linear(16, 16))
        self.dropout = nn.Dropout(0.3)
        self.gate = nn.Parameter(torch.zeros(16))
        self.head = nn.Linear(16, CLASSES)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)
        self.register_buffer("seen", torch.zeros(2, dtype=torch.long))
        self.beside = torch.zeros(4)
        self.calls = 0
        self.kept = []
        self.head.register_forward_hook(lambda *_: None)

    def forward(self, x):
        self.calls += 1
        self.kept.append(x)
        self.beside.add_(1.0)
        self.beside[1:3] = 7.0
        self.seen += 1
        h = torch.relu(self.norm(self.first(x)))
        return self.head(h + self.gate * self.dropout(self.spectral(h)))


class Clamping(nn.Module):
    """Writes into its own parameters while it runs."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(FEATURES, 16)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x):
        with torch.no_grad():
            self.first.weight.clamp_(-0.01, 0.01)
            self.head.weight.data[0] = 0.5
        return self.head(torch.relu(self.first(x)))


def zero_headed():
    model = nn.Sequential(
        nn.Linear(FEATURES, 16), nn.Tanh(), nn.Linear(16, 16), nn.ReLU()
    )
    head = nn.Linear(16, CLASSES)
    nn.init.zeros_(head.weight)
    return nn.Sequential(model, head)


def stuck():
    model = zero_headed()
    nn.init.zeros_(model[0][2].weight)
    return model


def twins():
    model = zero_headed()
    nn.init.constant_(model[0][0].weight, 0.1)
    nn.init.constant_(model[0][2].weight, 0.1)
    return model


def recurrent():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(1, 6, batch_first=True)
            self.head = nn.Linear(6, CLASSES)

        def forward(self, x):
            return self.head(self.rnn(x[..., None])[0][:, -1])

    return Last()


MODELS = {
    "counting": Counting,
    "clamping": Clamping,
    "zero head": zero_headed,
    "stuck": stuck,
    "twins": twins,
    "recurrent": recurrent,
    "half": lambda: zero_headed().to(torch.bfloat16),
}


def built(name):
    torch.manual_seed(0)
    model = MODELS[name]()
    model.train()
    for i, module in enumerate(model.modules()):
        module.training = i % 3 != 1  # modes that no call of train() or eval() makes
    for i, parameter in enumerate(model.parameters()):
        if i % 2 and parameter.requires_grad:
            parameter.grad = torch.full_like(parameter, 0.25 * i)
    return model


def task():
    source = np.random.default_rng(0)
    x = source.standard_normal((BATCH, FEATURES)).astype(np.float32)
    return torch.from_numpy(x), torch.from_numpy(source.integers(0, CLASSES, BATCH))


def bits(tensor):
    flat = tensor.detach().contiguous().reshape(-1)
    return flat.view(torch.uint8).tolist() if flat.numel() else []


def portrait(model):
    """Everything that is not to change, in values that compare."""
    seen = {"random": random.getstate(), "torch": torch.get_rng_state().tolist()}
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002 (looked at)
    seen["numpy"] = (kind, keys.tolist(), *rest)
    seen["flags"] = (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.mkldnn.is_available(),
        torch.backends.mha.get_fastpath_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
        torch.get_default_dtype(),
        torch.is_autocast_enabled("cpu"),
    )
    for path, parameter in model.named_parameters(remove_duplicate=False):
        gradient = None if parameter.grad is None else bits(parameter.grad)
        seen[f"parameter {path}"] = (
            id(parameter),
            parameter.data_ptr(),
            bits(parameter),
            parameter._version,
            parameter.requires_grad,
            gradient,
            id(parameter.grad) if parameter.grad is not None else None,
            len(parameter._backward_hooks or ()),
        )
    for path, buffer in model.named_buffers():
        seen[f"buffer {path}"] = (id(buffer), buffer.data_ptr(), bits(buffer))
    for path, module in model.named_modules():
        seen[f"module {path}"] = (id(module), module.training, sorted(vars(module)))
        seen[f"hooks {path}"] = tuple(
            sorted(getattr(module, table))
            for table in vars(module)
            if table.endswith("_hooks")
        )
        for name, value in vars(module).items():
            if isinstance(value, torch.Tensor):
                seen[f"tensor {path}.{name}"] = (id(value), bits(value))
            elif isinstance(value, int | float | str):
                seen[f"value {path}.{name}"] = value
            elif isinstance(value, list):
                seen[f"list {path}.{name}"] = (id(value), len(value))
    return seen


def same(before, after):
    assert before.keys() == after.keys()
    assert [key for key in before if before[key] != after[key]] == []


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("closure", [True, False])
def test_a_check_changes_nothing(name, closure):
    model = built(name)
    x, y = task()
    x = x.to(next(model.parameters()).dtype)
    before = portrait(model)

    fanin.check(model, x, "cross_entropy", y, closure=closure)

    same(before, portrait(model))


@pytest.mark.parametrize("name", ["counting", "zero head", "stuck"])
def test_a_check_with_an_optimizer_leaves_its_memory_alone(name):
    model = built(name)
    x, y = task()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    optimizer.step()
    before = portrait(model)
    remembered = {
        (i, key): (id(value), bits(value))
        for i, state in enumerate(optimizer.state.values())
        for key, value in state.items()
    }

    fanin.check(model, x, "cross_entropy", y, optimizer=optimizer, precision="bfloat16")

    same(before, portrait(model))
    after = {
        (i, key): (id(value), bits(value))
        for i, state in enumerate(optimizer.state.values())
        for key, value in state.items()
    }
    assert remembered == after


def test_a_factory_is_called_and_neither_its_models_nor_the_given_one_change():
    made = []

    def factory():
        model = Counting()
        made.append((model, portrait_of_numbers(model)))
        return model

    def portrait_of_numbers(model):
        return {path: bits(tensor) for path, tensor in model.state_dict().items()}

    model = built("counting")
    x, y = task()
    before = portrait(model)

    fanin.check(model, x, "cross_entropy", y, factory=factory)

    same(before, portrait(model))
    for other, numbers in made:
        assert portrait_of_numbers(other) == numbers


class Tripwire:
    """A hook on every module that raises at the n-th call of any of them."""

    def __init__(self, model, error, n_calls):
        self.left, self.error = n_calls, error
        self.hooks = [module.register_forward_hook(self) for module in model.modules()]

    def __call__(self, *_):
        self.left -= 1
        if self.left == 0:
            raise self.error

    def remove(self):
        for hook in self.hooks:
            hook.remove()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no")], ids=repr)
@pytest.mark.parametrize("n_calls", [1, 7, 16])
@pytest.mark.parametrize("name", ["counting", "zero head", "clamping"])
def test_an_interrupted_forward_changes_nothing(name, error, n_calls):
    model = built(name)
    x, y = task()
    wire = Tripwire(model, error, n_calls)
    before = portrait(model)

    with contextlib.suppress(KeyboardInterrupt, FaninError):
        fanin.check(model, x, "cross_entropy", y)

    same(before, portrait(model))
    wire.remove()


class Exploding(torch.autograd.Function):
    """The identity, of which the way back is interrupted at the n-th time."""

    left = 0

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        Exploding.left -= 1
        if Exploding.left == 0:
            raise KeyboardInterrupt
        return gradient


class Interrupted(Counting):
    def forward(self, x):
        return Exploding.apply(super().forward(x))


@pytest.mark.parametrize("n_calls", [1, 2])
def test_an_interrupted_way_back_changes_nothing(n_calls):
    torch.manual_seed(0)
    model = Interrupted()
    x, y = task()
    before = portrait(model)
    Exploding.left = n_calls

    with pytest.raises(KeyboardInterrupt):
        fanin.check(model, x, "cross_entropy", y)

    same(before, portrait(model))


def test_an_interrupted_rule_changes_nothing():
    def interrupted(inspection):
        assert inspection.awakened is not None
        raise KeyboardInterrupt

    model = built("zero head")
    x, y = task()
    before = portrait(model)
    rule = RULES["saturated"]
    find = rule.find
    object.__setattr__(rule, "find", interrupted)  # a rule is frozen
    try:
        with pytest.raises(KeyboardInterrupt):
            fanin.check(model, x, "cross_entropy", y)
    finally:
        object.__setattr__(rule, "find", find)

    same(before, portrait(model))


def test_a_loss_that_raises_changes_nothing():
    model = built("counting")
    x, y = task()
    before = portrait(model)

    def loss(output, target):
        raise RuntimeError

    with pytest.raises(FaninError):
        fanin.check(model, x, loss, y)

    same(before, portrait(model))


def test_the_batch_is_left_as_it_was():
    class Writing(nn.Linear):
        def forward(self, x):
            return super().forward(x.mul_(2.0))

    model = Writing(FEATURES, CLASSES)
    x, y = task()
    before = bits(x), bits(y)

    fanin.check(model, x, "cross_entropy", y)

    assert (bits(x), bits(y)) == before


def test_a_parameter_is_never_written_even_for_a_moment():
    """Whoever looks at the weights while a check runs sees them as they are."""
    model = Clamping()
    x, y = task()
    held = list(model.parameters())
    numbers = [bits(parameter) for parameter in held]

    class Spying(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            output = self.inner(x)
            assert [bits(parameter) for parameter in held] == numbers
            return output

    fanin.check(Spying(model), x, "cross_entropy", y)

    assert [bits(parameter) for parameter in held] == numbers
