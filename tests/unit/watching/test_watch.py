from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

import fanin
from fanin.errors import ArgumentError
from fanin.rules import Severity, Verdict
from fanin.watching import weights_only

N = 16


def net(std=0.35, *, depth=1, activation=torch.nn.ReLU):
    generator = torch.Generator().manual_seed(5)
    sizes = [6, *[N] * depth, 3]
    layers = []
    for n_in, n_out in pairwise(sizes):
        layer = torch.nn.Linear(n_in, n_out)
        torch.nn.init.normal_(layer.weight, std=std, generator=generator)
        torch.nn.init.zeros_(layer.bias)
        layers += [layer, activation()]
    return torch.nn.Sequential(*layers[:-1])


def data(n=32):
    generator = torch.Generator().manual_seed(9)
    x = torch.randn((n, 6), generator=generator)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def train(model, optimizer, n_steps=8, **words):
    x, y = data()
    with fanin.watch(model, optimizer, **words) as w:
        for _ in range(n_steps):
            optimizer.zero_grad()
            loss = w.loss(torch.nn.functional.cross_entropy(model(x), y))
            loss.backward()
            optimizer.step()
    return w


def sgd(model, lr=0.05):
    return torch.optim.SGD(model.parameters(), lr=lr)


def codes(w):
    return {f.code for f in w.report.findings if f.severity is not Severity.INFO}


def finding(w, code):
    return next(f for f in w.report.findings if f.code == code)


def test_a_healthy_loop_has_no_finding_and_a_falling_loss():
    w = train_healthy()

    assert codes(w) == set()
    assert w.report.verdict is Verdict.HEALTHY
    assert w.trace.loss[-1] < w.trace.loss[0]


def train_healthy(**words):
    model = net()
    return train(model, sgd(model), **words)


def test_what_is_recorded_is_what_happened():
    model = net()
    x, y = data()
    optimizer = sgd(model, lr=0.5)
    with fanin.watch(model, optimizer) as w:
        output = model(x)
        hidden = model[0](x).detach()  # a second call in the same step is not counted
        loss = torch.nn.functional.cross_entropy(output, y)
        loss.backward()
        weight = model[0].weight.detach().clone().double()
        gradient = model[0].weight.grad.detach().clone().double()
        optimizer.step()
    place = w.trace.paths.index("0.weight")
    after = model[0].weight.detach().double()

    def rms(tensor):
        return float((tensor.double() ** 2).mean().sqrt())

    assert w.trace.gradient[0, place] == pytest.approx(rms(gradient), rel=1e-5)
    assert w.trace.weight[0, place] == pytest.approx(rms(weight), rel=1e-5)
    assert w.trace.update[0, place] == pytest.approx(rms(after - weight), rel=1e-5)
    assert w.trace.ratio[0, place] == pytest.approx(
        math.log10(rms(after - weight) / rms(weight)), rel=1e-5
    )
    assert w.trace.sites == ("0", "1", "2")
    assert w.trace.rms[0, 0] == pytest.approx(rms(hidden), rel=1e-6)
    spread = float(hidden.var(dim=0, correction=0).mean().sqrt())
    assert w.trace.spread[0, 0] == pytest.approx(spread, rel=1e-6)
    assert w.trace.rate.tolist() == [0.5]


@pytest.mark.parametrize("size", [1e-25, 1.0, 1e25])
def test_sizes_hold_where_squares_leave_float32(size):
    from fanin.frameworks.torch.sizes import size_of

    numbers = torch.tensor([3.0, 4.0, 0.0, 0.0]) * size

    assert size_of(numbers) == pytest.approx(2.5 * size, rel=1e-6)
    assert size_of(2.0 * numbers, minus=numbers) == pytest.approx(2.5 * size, rel=1e-6)


def test_a_scaled_gradient_is_recorded_as_the_optimizer_reads_it():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    x, y = data()
    with fanin.watch(model, optimizer) as w:
        loss = torch.nn.functional.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
    trace = w.trace

    assert trace.update[0] == pytest.approx(0.5 * trace.gradient[0], rel=1e-4)


def test_a_step_that_the_scaler_leaves_out_is_no_step():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    x, _ = data()
    with fanin.watch(model, optimizer) as w:
        scaler.scale(model(x).sum() * float("inf")).backward()
        scaler.step(optimizer)
        scaler.update()

    assert w.n_steps == 0
    assert w.report.verdict is Verdict.NOT_CHECKED
    assert "No optimizer step was seen." in w.report.notes


def test_the_step_and_the_parameter_that_broke_first_are_named():
    model = net()
    x, y = data()
    optimizer = sgd(model)
    with fanin.watch(model, optimizer) as w:
        for step in range(4):
            optimizer.zero_grad()
            w.loss(torch.nn.functional.cross_entropy(model(x), y)).backward()
            if step == 2:
                model[2].weight.grad[0, 0] = float("nan")
            optimizer.step()
    found = finding(w, "FAN801")

    assert (found.severity, found.where) == (Severity.ERROR, "2.weight")
    assert "NaN or infinite at step 2, first in 2.weight" in found.message


def test_an_overflow_in_the_forward_pass_is_named_by_its_module():
    model = net(std=1e30)
    w = train(model, sgd(model), n_steps=1)
    found = finding(w, "FAN204")

    assert found.where == "2"
    assert "The output was NaN or infinite at step 0" in found.message


@pytest.mark.parametrize(
    ("n_steps", "severity"), [(3, Severity.WARNING), (10, Severity.ERROR)]
)
def test_what_two_zero_layers_hold_is_said_not_to_move(n_steps, severity):
    model = net()
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    w = train(model, sgd(model), n_steps=n_steps)

    assert finding(w, "FAN106").paths == ("0.weight", "0.bias", "2.weight")
    assert finding(w, "FAN106").severity is severity
    assert w.report.coverage.n_moving == 1


def test_what_waits_behind_one_zero_layer_is_no_fault():
    model = net()
    torch.nn.init.zeros_(model[2].weight)

    assert codes(train(model, sgd(model), n_steps=3)) == set()


def test_a_warm_up_that_begins_at_rate_zero_is_no_fault():
    model = net()
    optimizer = sgd(model)
    warm = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / 4)
    x, y = data()
    with fanin.watch(model, optimizer) as w:
        for _ in range(6):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            warm.step()

    assert w.trace.rate[0] == 0.0
    assert codes(w) == set()


def test_a_layer_that_no_gradient_reaches_is_named():
    model = net()
    model.unused = torch.nn.Linear(2, 2)
    model.forward = lambda x: model[2](model[1](model[0](x)))
    w = train(model, sgd(model))

    assert finding(w, "FAN001").paths == ("unused.weight", "unused.bias")


def test_a_layer_that_the_optimizer_was_not_given_is_named():
    model = net()
    w = train(model, torch.optim.SGD(model[2].parameters(), lr=0.05))
    found = finding(w, "FAN001")

    assert found.paths == ("0.weight", "0.bias")
    assert "in no group of the optimizer" in found.message


def test_a_watch_and_a_check_call_it_the_same():
    model = net()
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.05)
    x, y = data()
    checked = fanin.check(model, x, "cross_entropy", y, optimizer=optimizer)
    watched = train(model, optimizer)

    said = ("code", "name", "severity", "where", "message", "why", "fix", "paths")
    one, other = finding(watched, "FAN001"), checked.warnings[0]
    assert [getattr(one, word) for word in said] == [
        getattr(other, word) for word in said
    ]


def test_updates_that_bfloat16_rounds_away_are_told_by_what_was_lost():
    model = net().to(torch.bfloat16)
    x, y = data()
    optimizer = sgd(model, lr=1e-6)
    with fanin.watch(model, optimizer) as w:
        for _ in range(4):
            optimizer.zero_grad()
            output = model(x.bfloat16()).float()
            torch.nn.functional.cross_entropy(output, y).backward()
            optimizer.step()

    assert "0.weight" in finding(w, "FAN304").paths
    assert finding(w, "FAN304").severity is Severity.ERROR


@pytest.mark.parametrize(
    ("lr", "has_finding"), [(0.003, False), (0.2, True)], ids=["usual", "large"]
)
def test_a_first_adam_step_that_replaces_the_weights_is_found(lr, has_finding):
    model = net()
    w = train(model, torch.optim.Adam(model.parameters(), lr=lr), n_steps=2)

    assert ("FAN306" in codes(w)) is has_finding


def test_gradients_under_adam_s_epsilon_are_found():
    model = net()
    w = train(model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=10.0))

    assert finding(w, "FAN305").paths == ("0.weight", "2.weight")


def test_a_bias_that_a_normalization_takes_out_is_no_fault():
    model = net()
    model.insert(1, torch.nn.BatchNorm1d(N))
    w = train(model, torch.optim.Adam(model.parameters(), lr=1e-3))

    assert np.nanmax(w.trace.gradient[:, w.trace.paths.index("0.bias")]) < 1e-7
    assert codes(w) == set()


def test_twins_that_moved_together_are_still_one_unit():
    model = net()
    with torch.no_grad():
        model[0].weight[:] = model[0].weight[0].abs()
        model[2].weight[:] = model[2].weight[:, :1]
    w = train(model, sgd(model))
    found = finding(w, "FAN103")

    assert found.where == "0.weight"
    assert found.message == f"{N} of {N} units moved as one in 8 steps."


def test_twins_that_parted_are_no_fault():
    model = net()
    with torch.no_grad():
        model[0].weight[:] = model[0].weight[0].abs()
    w = train(model, sgd(model))

    assert w.trace.twins["0.weight"].n_equal == N
    assert w.trace.twins["0.weight"].n_left == 0
    assert "FAN103" not in codes(w)


def test_equal_rows_of_a_zero_head_are_no_twins():
    model = net()
    torch.nn.init.zeros_(model[2].weight)
    x, _ = data()
    optimizer = sgd(model)
    with fanin.watch(model, optimizer) as w:
        for _ in range(4):  # one target for all: the other two outputs stay equal
            optimizer.zero_grad()
            target = torch.zeros(len(x), dtype=torch.long)
            torch.nn.functional.cross_entropy(model(x), target).backward()
            optimizer.step()

    assert w.trace.twins["2.weight"].n_left == 2
    assert codes(w) == set()


def test_a_network_that_forgets_its_input_is_found_by_its_spread():
    torch.manual_seed(0)
    layers = [torch.nn.Linear(6, N), torch.nn.Tanh()]
    for _ in range(12):
        layers += [torch.nn.Linear(N, N), torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(N, 3))
    for layer in model[::2]:
        torch.nn.init.normal_(layer.weight, std=0.3 / math.sqrt(N))
        torch.nn.init.normal_(layer.bias)
    w = train(model, sgd(model, lr=1e-3))

    assert finding(w, "FAN202").where == w.trace.sites[-2]


def test_a_module_that_is_off_for_every_sample_is_found():
    model = net()
    torch.nn.init.constant_(model[0].bias, -100.0)
    w = train(model, sgd(model))

    assert finding(w, "FAN402").where == "1"


def test_a_loss_that_climbs_is_found():
    model = net()
    x, _ = data()
    optimizer = sgd(model, lr=5.0)
    with fanin.watch(model, optimizer) as w:
        for _ in range(12):
            optimizer.zero_grad()
            w.loss((model(x) ** 2).mean().clamp(max=1e6)).backward()
            optimizer.step()

    assert any(f.where == "the loss" for f in w.report.findings if f.code == "FAN306")


def test_a_batch_at_entry_gives_a_whole_check_and_nothing_is_said_twice():
    x, y = data()
    model = net()
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    words = {"batch": x, "loss": "cross_entropy", "target": y}
    w = train(model, sgd(model), **words)

    assert w.start.verdict is Verdict.CANNOT_LEARN
    assert w.report.verdict is Verdict.CANNOT_LEARN
    assert codes(w) == {"FAN101"}


def test_without_a_batch_the_weights_alone_are_judged():
    model = net()
    torch.nn.init.constant_(model[0].weight, float("inf"))

    assert [f.code for f in weights_only(model).findings] == ["FAN801"]


def test_a_large_model_is_followed_by_a_sample_of_each_weight():
    model = torch.nn.Linear(512, 512, bias=False)
    optimizer = sgd(model, lr=0.5)
    x = torch.randn((8, 512), generator=torch.Generator().manual_seed(1))
    with fanin.watch(model, optimizer, budget=0) as w:
        before = model.weight.detach().clone()
        (model(x) ** 2).mean().backward()
        optimizer.step()
    whole = float(((model.weight.detach() - before).double() ** 2).mean().sqrt())
    n_sampled = 65536

    error = abs(w.trace.update[0, 0] / whole - 1.0)
    # The rows of the change are one vector each: 8 directions, not 65,536, are drawn.
    assert error < 5.0 / math.sqrt(2.0 * n_sampled / 8.0)


def test_several_optimizers_share_one_watch():
    model = net()
    x, y = data()
    first = torch.optim.SGD(model[0].parameters(), lr=0.1)
    second = torch.optim.SGD(model[2].parameters(), lr=0.1)
    other = torch.nn.Linear(1, 1)
    stranger = torch.optim.SGD(other.parameters(), lr=0.1)
    with fanin.watch(model) as w:
        torch.nn.functional.cross_entropy(model(x), y).backward()
        first.step()
        second.step()
        stranger.step()

    assert w.n_steps == 2
    stepped = ~np.isnan(w.trace.update)
    assert stepped.tolist() == [[True, True, False, False], [False, False, True, True]]


def test_an_evaluation_in_between_is_not_taken_for_training():
    model = net()
    x, y = data()
    optimizer = sgd(model)
    with fanin.watch(model, optimizer) as w:
        with torch.no_grad():
            model(100.0 * x)
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    with torch.no_grad():
        hidden = float((model[1](model[0](x)) ** 2).mean().sqrt())
    # The weights have moved by one small step since.
    assert w.trace.rms[0, 1] == pytest.approx(hidden, rel=0.1)


def test_a_report_is_at_hand_while_the_loop_runs():
    model = net()
    x, y = data()
    optimizer = sgd(model)
    with fanin.watch(model, optimizer) as w:
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

        assert w.report.coverage.n_moving == 4
        assert w.trace.n_steps == 1


def test_the_frame_has_a_row_for_each_step_and_parameter():
    frame = train_healthy().to_frame()

    assert len(frame) == 8 * 4
    assert list(frame.columns)[:3] == ["step", "path", "gradient"]
    assert np.isfinite(frame["gradient"]).all()


def test_the_text_and_the_page_show_every_parameter_and_the_common_ratio():
    w = train_healthy()
    text, html = str(w), w._repr_html_()

    assert all(f"\n{path} " in text for path in w.trace.paths)
    assert all(path in html for path in w.trace.paths)
    assert "10⁻³" in html
    assert "<script" not in html


class Board:
    def __init__(self):
        self.seen = []

    def add_scalar(self, name, value, step):
        self.seen.append((name, value, step))


class Run:
    def __init__(self):
        self.seen = []

    def log(self, numbers, step):
        self.seen += [(name, value, step) for name, value in numbers.items()]


@pytest.mark.parametrize("writer", [Board(), Run()], ids=["add_scalar", "log"])
def test_numbers_go_to_a_logger_of_any_make(writer):
    w = train_healthy(steps=2)
    w.log(writer)

    assert {step for *_, step in writer.seen} == {0, 1}
    assert ("fanin/loss", w.trace.loss[0], 0) in writer.seen
    names = {name for name, *_ in writer.seen}
    assert {"fanin/update_ratio/0.weight", "fanin/spread/1"} <= names
    assert all(math.isfinite(value) for _, value, _ in writer.seen)


def test_tensorboard_s_own_writer_takes_them(tmp_path):
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard.SummaryWriter(tmp_path) as writer:
        train_healthy(steps=1).log(writer)

    assert list(tmp_path.iterdir())


def test_what_logs_nothing_is_refused():
    with pytest.raises(ArgumentError, match="add_scalar, log_metrics or log"):
        train_healthy(steps=1).log(object())


def test_no_steps_cannot_be_watched():
    with pytest.raises(ArgumentError, match="above 0"):
        fanin.watch(net(), steps=0)


def test_steps_of_torch_are_not_told_by_hand():
    with fanin.watch(net()) as w, pytest.raises(ArgumentError, match="by themselves"):
        w.step()
