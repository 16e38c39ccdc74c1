"""Broken torch models: each fault is found under its own name."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from fanin.frameworks import torch as framework
from fanin.graph import Task
from fanin.rules import Severity, Verdict, inspect, judge

BATCH, FEATURES, WIDTH, CLASSES = 64, 32, 64, 10


def inputs(seed=0, shape=(BATCH, FEATURES)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def labels(n_classes=CLASSES, seed=1):
    return torch.randint(
        n_classes, (BATCH,), generator=torch.Generator().manual_seed(seed)
    )


def mlp(n_hidden, activation=nn.ReLU, width=WIDTH, n_out=CLASSES):
    torch.manual_seed(3)
    layers, n_in = [], FEATURES
    for _ in range(n_hidden):
        layers += [nn.Linear(n_in, width), activation()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


def filled(model, fill, *, where=nn.Linear):
    for layer in model.modules():
        if isinstance(layer, where):
            fill(layer)
    return model


def normal(std):
    def fill(layer):
        nn.init.normal_(layer.weight, std=std)
        nn.init.zeros_(layer.bias)

    return fill


def constant(value, bias=0.0):
    def fill(layer):
        nn.init.constant_(layer.weight, value)
        nn.init.constant_(layer.bias, bias)

    return fill


def check(model, task=None, **options):
    task = task or Task(batch=inputs(), loss="cross_entropy", target=labels())
    return judge(inspect(framework, model, task), **options)


def dead_by_bias():
    model = mlp(2)
    nn.init.constant_(model[0].bias, -100.0)
    return model


def hot_head():
    model = mlp(2)
    nn.init.normal_(model[-1].weight, std=5.0)
    return model


def zero_before_relu():
    model = mlp(1)
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    return model


def constant_then_random():
    model = mlp(1, nn.Tanh)
    nn.init.constant_(model[0].weight, 0.1)
    nn.init.zeros_(model[0].bias)
    return model


def duplicated_units():
    model = mlp(1, nn.Tanh)
    with torch.no_grad():
        model[0].weight[10:20] = model[0].weight[:10]
        model[0].bias[10:20] = model[0].bias[:10]
        model[2].weight[:, 10:20] = model[2].weight[:, :10]
    return model


def constant_cnn():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 64, CLASSES),
    )
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.02)
    return model


class LoraDense(nn.Module):
    """A frozen dense layer and a low-rank adapter: W x + B A x."""

    def __init__(self, n_in, n_out, rank=4):
        super().__init__()
        self.dense = nn.Linear(n_in, n_out).requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, n_in) / n_in**0.5)
        self.up = nn.Parameter(torch.zeros(n_out, rank))

    def forward(self, x):
        return self.dense(x) + x @ self.down.T @ self.up.T


def lora(*, down_is_zero=False, up_is_zero=True):
    torch.manual_seed(0)
    model = nn.Sequential(
        LoraDense(FEATURES, WIDTH), nn.ReLU(), LoraDense(WIDTH, CLASSES)
    )
    for layer in (model[0], model[2]):
        if down_is_zero:
            nn.init.zeros_(layer.down)
        if not up_is_zero:
            nn.init.normal_(layer.up, std=0.1)
    return model


class ZeroGate(nn.Module):
    """Two zero layers in one gated branch (a published bug)."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(FEATURES, WIDTH)
        self.gate_in = nn.Linear(WIDTH, WIDTH, bias=False)
        self.gate_out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, CLASSES)
        nn.init.zeros_(self.gate_in.weight)
        nn.init.zeros_(self.gate_out.weight)

    def forward(self, x):
        h = torch.relu(self.first(x))
        return self.head(h + self.gate_out(torch.relu(self.gate_in(h))) * h)


class Forgotten(nn.Module):
    """A layer made and not used."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.used = nn.Linear(FEATURES, CLASSES)
        self.unused = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return self.used(x)


def cloned_layers():
    torch.manual_seed(0)
    block = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU())
    nn.init.kaiming_normal_(block[0].weight)
    blocks = [copy.deepcopy(block) for _ in range(3)]
    return nn.Sequential(
        nn.Linear(FEATURES, WIDTH), nn.ReLU(), *blocks, nn.Linear(WIDTH, CLASSES)
    )


def same_seed_everywhere():
    model = mlp(2, nn.Tanh)
    for layer in model:
        if isinstance(layer, nn.Linear):
            torch.manual_seed(0)
            nn.init.xavier_normal_(layer.weight)
    return model


def never_written():
    model = mlp(1)
    with torch.no_grad():
        model[0].weight[3, 5] = 4e18
    return model


def one_nan():
    model = mlp(1)
    with torch.no_grad():
        model[0].weight[3, 5] = float("nan")
    return model


def wrong_kernel_fan():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 96, 5, padding=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(96, CLASSES),
    )
    nn.init.normal_(model[2].weight, std=(2.0 / 64) ** 0.5)
    return model


def plain_residual(n_blocks=24):
    class Stream(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.enter = nn.Linear(FEATURES, WIDTH)
            self.blocks = nn.ModuleList(
                nn.Linear(WIDTH, WIDTH) for _ in range(n_blocks)
            )
            self.head = nn.Linear(WIDTH, CLASSES)
            for block in self.blocks:
                nn.init.normal_(block.weight, std=(4.0 / WIDTH) ** 0.5)

        def forward(self, x):
            h = self.enter(x)
            for block in self.blocks:
                h = h + torch.relu(block(h))
            return self.head(h)

    return Stream()


IMAGES = Task(
    batch=inputs(shape=(BATCH, 3, 8, 8)), loss="cross_entropy", target=labels()
)
PIXELS = Task(
    batch=(inputs(4).abs() * 60).clamp(0, 255), loss="cross_entropy", target=labels()
)
ERROR, WARNING = Severity.ERROR, Severity.WARNING

# Each: how it is made, then code, worst severity and verdict that it must get.
CANNOT, STRUGGLE = Verdict.CANNOT_LEARN, Verdict.WILL_STRUGGLE
BROKEN = {
    "zero-relu": (lambda: filled(mlp(2), constant(0.0)), "FAN101", ERROR, CANNOT),
    "zero-tanh": (
        lambda: filled(mlp(2, nn.Tanh), constant(0.0)),
        "FAN101",
        ERROR,
        CANNOT,
    ),
    "zero-before-relu": (zero_before_relu, "FAN101", ERROR, CANNOT),
    "lora-double-zero": (lambda: lora(down_is_zero=True), "FAN101", ERROR, CANNOT),
    "zero-gate": (ZeroGate, "FAN101", ERROR, CANNOT),
    "zero-sigmoid": (
        lambda: filled(mlp(1, nn.Sigmoid), constant(0.0)),
        "FAN103",
        ERROR,
        CANNOT,
    ),
    "constant-relu": (lambda: filled(mlp(2), constant(0.05)), "FAN103", ERROR, CANNOT),
    "constant-tanh": (
        lambda: filled(mlp(2, nn.Tanh), constant(0.05)),
        "FAN103",
        ERROR,
        CANNOT,
    ),
    "zero-weights-and-bias": (
        lambda: filled(mlp(1), constant(0.0, bias=0.1)),
        "FAN103",
        ERROR,
        CANNOT,
    ),
    "duplicated-units": (duplicated_units, "FAN103", ERROR, CANNOT),
    "constant-then-random": (constant_then_random, "FAN104", WARNING, STRUGGLE),
    "forgotten-layer": (Forgotten, "FAN001", WARNING, Verdict.HEALTHY),
    "tiny-relu-12": (lambda: filled(mlp(12), normal(0.01)), "FAN701", ERROR, STRUGGLE),
    "tiny-tanh-30": (
        lambda: filled(mlp(30, nn.Tanh), normal(0.01)),
        "FAN701",
        ERROR,
        STRUGGLE,
    ),
    "tiny-tanh-36": (
        lambda: filled(mlp(36, nn.Tanh, width=16), normal(0.01)),
        "FAN701",
        ERROR,
        STRUGGLE,
    ),
    "torch-default-relu-12": (lambda: mlp(12), "FAN701", WARNING, STRUGGLE),
    "torch-default-relu-30": (lambda: mlp(30), "FAN701", ERROR, STRUGGLE),
    "torch-default-tanh-30": (lambda: mlp(30, nn.Tanh), "FAN701", ERROR, STRUGGLE),
    "deep-sigmoid": (
        lambda: filled(mlp(12, nn.Sigmoid), normal(WIDTH**-0.5)),
        "FAN701",
        ERROR,
        STRUGGLE,
    ),
    "unit-normal-tanh-10": (
        lambda: filled(mlp(10, nn.Tanh), normal(1.0)),
        "FAN401",
        WARNING,
        STRUGGLE,
    ),
    "unit-normal-relu-12": (
        lambda: filled(mlp(12), normal(1.0)),
        "FAN701",
        ERROR,
        STRUGGLE,
    ),
    "overflow": (lambda: filled(mlp(60), normal(1.0)), "FAN204", ERROR, STRUGGLE),
    "dead-by-bias": (dead_by_bias, "FAN402", ERROR, STRUGGLE),
    "hot-head": (hot_head, "FAN501", ERROR, STRUGGLE),
    "softmax-twice": (
        lambda: nn.Sequential(*mlp(1), nn.Softmax(dim=1)),
        "FAN505",
        WARNING,
        STRUGGLE,
    ),
    "cloned-layers": (cloned_layers, "FAN803", WARNING, STRUGGLE),
    "same-seed": (same_seed_everywhere, "FAN805", WARNING, STRUGGLE),
    "never-written": (never_written, "FAN802", ERROR, STRUGGLE),
    "one-nan": (one_nan, "FAN801", ERROR, CANNOT),
    "residual-growth": (plain_residual, "FAN901", WARNING, STRUGGLE),
}
CASES = [pytest.param(*case, id=name) for name, case in BROKEN.items()]


@pytest.mark.parametrize(("make", "code", "severity", "verdict"), CASES)
def test_a_broken_model_is_found(make, code, severity, verdict):
    report = check(make())
    found = {f.code: f.severity for f in report.findings}

    assert found.get(code) is not None, str(report)
    assert found[code].rank <= severity.rank, str(report)
    assert report.verdict is verdict, str(report)


@pytest.mark.parametrize(
    "make",
    [pytest.param(case[0], id=name) for name, case in BROKEN.items()],
)
def test_a_check_leaves_the_model_as_it_was(make):
    model = make()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    check(model)

    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(p.grad is None for p in model.parameters())
    assert all(
        torch.equal(before[name].nan_to_num(7.0), value.nan_to_num(7.0))
        for name, value in model.state_dict().items()
    )


def test_constant_convolutions_have_twin_channels():
    report = check(constant_cnn(), IMAGES)

    assert {f.where for f in report.findings if f.code == "FAN103"} == {"0", "2"}
    assert report.verdict is CANNOT


def test_a_kernel_left_out_of_the_fan_is_named():
    report = check(wrong_kernel_fan(), IMAGES)
    (finding,) = [f for f in report.findings if f.code == "FAN702"]

    assert finding.where == "2.weight"
    assert "He for 64 inputs" in finding.message


def test_pixels_are_named_and_the_weights_are_not_blamed():
    report = check(mlp(2, nn.Tanh), PIXELS)

    assert "pixels from 0 to 255" in str(report)
    assert {f.code for f in report.findings if f.severity is not Severity.INFO} == {
        "FAN203"
    }


def test_the_zero_layers_that_hold_each_other_are_named():
    report = check(filled(mlp(1), constant(0.0)))
    (finding,) = report.errors

    assert finding.paths == ("0.weight", "0.bias", "2.weight")
    assert "0.weight and 2.weight are all zero" in finding.message
    assert "2.bias" not in str(report)


def test_a_cause_is_listed_and_its_consequences_are_not():
    report = check(constant_then_random())

    assert "FAN104" in {f.code for f in report.findings}
    assert {f.code for f in report.consequences} >= {"FAN105"}


def test_a_net_of_zeros_has_one_finding():
    report = check(filled(mlp(3), constant(0.0)))

    assert {f.code for f in report.findings} == {"FAN101"}


def test_dropout_parts_twins_slowly_and_that_is_a_warning():
    model = filled(
        nn.Sequential(
            nn.Linear(FEATURES, WIDTH), nn.Tanh(), nn.Dropout(0.2), nn.Linear(WIDTH, 10)
        ),
        constant(0.05),
    )
    training = check(model.train())
    still = check(model.eval())

    assert [f.severity for f in training.findings if f.code == "FAN103"] == [WARNING]
    assert [f.severity for f in still.findings if f.code == "FAN103"] == [ERROR]


def test_dropout_does_not_free_a_net_of_zeros():
    model = nn.Sequential(
        nn.Linear(FEATURES, WIDTH), nn.ReLU(), nn.Dropout(0.2), nn.Linear(WIDTH, 10)
    )
    report = check(filled(model, constant(0.0)).train())

    assert [f.code for f in report.errors] == ["FAN101"]


def test_a_balanced_batch_is_a_coincidence_and_no_fault():
    model = filled(mlp(1, nn.Sigmoid, width=2, n_out=1), constant(0.0))
    target = torch.tensor([0.0, 1.0]).repeat(BATCH // 2)[:, None]
    task = Task(batch=inputs(), loss="binary_cross_entropy", target=target)
    report = check(model, task)

    assert "FAN101" not in {f.code for f in report.findings}
    assert "another batch frees it" in str(report)


def test_a_model_on_the_meta_device_is_not_checked():
    with torch.device("meta"):
        model = nn.Linear(FEATURES, CLASSES)
    report = check(model)

    assert [f.code for f in report.findings] == ["FAN002"]
    assert report.verdict is Verdict.NOT_CHECKED
