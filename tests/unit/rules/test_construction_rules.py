"""What is wrong with how a model was built: FAN807, FAN808 and FAN809."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import fanin
from fanin.rules import Evidence, Severity, Verdict

WIDTH = 16


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return torch.relu(self.fc(x))


class Net(nn.Module):
    """Five blocks and a head; ``start`` is called at the end of building."""

    def __init__(self, start=lambda net: None):
        super().__init__()
        self.blocks = nn.ModuleList([Block() for _ in range(5)])
        self.head = nn.Linear(WIDTH, 3)
        start(self)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class Adapted(nn.Module):
    """A layer with a low-rank adapter that begins at zero."""

    def __init__(self):
        super().__init__()
        self.base = nn.Linear(WIDTH, WIDTH)
        self.down = nn.Linear(WIDTH, 2, bias=False)
        self.up = nn.Linear(2, WIDTH, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


def normal(module):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.1)


def found(make, code):
    """Give the findings of one rule on a model whose factory is watched."""
    torch.manual_seed(0)
    report = fanin.check(make(), torch.ones(4, WIDTH), factory=make, select=[code])
    return list(report.findings)


# FAN807


class Table(nn.Module):
    def __init__(self, *, fill):
        super().__init__()
        self.head = nn.Linear(WIDTH, 3)
        self.rows = nn.Parameter(torch.empty(WIDTH, WIDTH))
        if fill:
            nn.init.normal_(self.rows, std=0.02)

    def forward(self, x):
        return self.head(x @ self.rows)


def test_memory_that_nobody_writes_is_an_error_and_proved():
    (finding,) = found(lambda: Table(fill=False), "FAN807")

    assert finding.severity is Severity.ERROR
    assert finding.evidence is Evidence.PROVED
    assert finding.paths == ("rows",)


def test_memory_that_is_written_later_is_not_reported():
    assert not found(lambda: Table(fill=True), "FAN807")


def test_repeated_layers_that_are_not_written_are_one_finding():
    def make():
        return nn.Sequential(*[nn.Linear(WIDTH, WIDTH) for _ in range(3)])

    def broken():
        model = make()
        for layer in model:
            layer.weight = nn.Parameter(torch.empty(WIDTH, WIDTH))
        return model

    (finding,) = found(broken, "FAN807")

    assert finding.paths == ("0.weight", "1.weight", "2.weight")
    assert str(3 * WIDTH * WIDTH) in finding.message


def test_without_a_factory_the_rule_rests_and_the_report_says_so():
    report = fanin.check(Table(fill=False), torch.ones(4, WIDTH), select=["FAN807"])

    assert report.verdict is Verdict.NOT_CHECKED
    assert report.coverage.unasked == ("FAN807",)


def test_what_was_never_written_explains_numbers_that_are_not_finite():
    def make():
        model = Table(fill=False)
        model.rows.data.view(-1)[0] = float("nan")
        return model

    report = fanin.check(make(), torch.ones(4, WIDTH), factory=make)

    assert "FAN807" in {f.code for f in report.findings}
    assert "FAN801" in {f.code for f in report.consequences}


# FAN808


def test_a_zero_that_a_sweep_draws_over_is_a_warning():
    def make():
        return nn.Sequential(Adapted(), Block(), nn.Linear(WIDTH, 3)).apply(normal)

    (finding,) = found(make, "FAN808")

    assert finding.severity is Severity.WARNING
    assert finding.paths == ("0.up.weight",)
    assert "zeros_" in finding.message
    assert "normal_" in finding.message
    assert finding.value == pytest.approx(0.1, rel=0.5)
    assert finding.interval == (0.0, 0.0)


def test_special_cases_after_a_sweep_are_silent():
    def make():
        model = nn.Sequential(Adapted(), Block(), nn.Linear(WIDTH, 3)).apply(normal)
        nn.init.zeros_(model[0].up.weight)
        nn.init.normal_(model[-1].weight, std=1e-3)
        return model

    assert not found(make, "FAN808")


def test_a_layers_own_start_may_be_replaced():
    assert not found(lambda: Net(lambda net: net.apply(normal)), "FAN808")


def test_memory_born_with_zeros_and_filled_by_a_line_of_its_own_is_silent():
    class Tokens(Net):
        def __init__(self):
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(WIDTH))
            nn.init.normal_(self.shift, std=0.02)
            self.apply(normal)

        def forward(self, x):
            return super().forward(x + self.shift)

    assert not found(Tokens, "FAN808")


def test_a_scale_that_a_sweep_changes_is_a_note():
    def make():
        model = Net()
        nn.init.normal_(model.head.weight, std=1e-3)
        return model.apply(normal)

    (finding,) = found(make, "FAN808")

    assert finding.severity is Severity.INFO
    assert finding.paths == ("head.weight",)


def test_the_same_law_drawn_again_is_silent():
    def make():
        model = Net()
        nn.init.normal_(model.head.weight, std=0.1)
        return model.apply(normal)

    assert not found(make, "FAN808")


def test_a_loaded_state_overwrites_nothing_that_counts():
    def make():
        model = nn.Sequential(Adapted(), Block(), nn.Linear(WIDTH, 3))
        state = {k: torch.ones_like(v) for k, v in model.state_dict().items()}
        model.load_state_dict(state)
        return model

    assert not found(make, "FAN808")


# FAN809


def all_but(skipped):
    def start(net):
        for i, block in enumerate(net.blocks):
            if i != skipped:
                nn.init.normal_(block.fc.weight, std=1.0)

    return lambda: Net(start)


def test_a_layer_that_the_initialization_passes_over_is_named():
    (finding,) = found(all_but(3), "FAN809")

    assert finding.severity is Severity.WARNING
    assert finding.paths == ("blocks.3.fc.weight",)
    assert finding.value == pytest.approx((3 * WIDTH) ** -0.5, rel=0.1)
    assert finding.interval[0] > finding.value


def test_layers_that_are_all_initialized_are_silent():
    assert not found(all_but(None), "FAN809")


def test_a_head_is_not_compared_with_the_layers_between():
    def start(net):
        net.blocks.apply(lambda m: m.weight.data.zero_() if hasattr(m, "weight") else 0)

    assert not found(lambda: Net(start), "FAN809")


def test_a_layer_that_another_line_starts_was_not_passed_over():
    def make():
        model = all_but(3)()
        nn.init.zeros_(model.blocks[3].fc.weight)
        return model

    assert not found(make, "FAN809")


def test_a_layer_that_is_of_the_same_size_all_the_same_is_silent():
    def start(net):
        for block in net.blocks[:-1]:
            nn.init.kaiming_uniform_(block.fc.weight, a=5**0.5)

    assert not found(lambda: Net(start), "FAN809")


def test_a_helper_that_many_lines_call_is_no_sweep():
    def put(module, std):
        nn.init.normal_(module.weight, std=std)

    def start(net):
        net.blocks.apply(normal)
        for block in net.blocks[:2]:
            put(block.fc, 0.01)
        for block in net.blocks[2:]:
            put(block.fc, 0.02)
        put(net.head, 0.5)

    assert not found(lambda: Net(start), "FAN808")
