"""The plain nets' benchmark: its gradients, its optimizers, and who wins when."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks._plain_nets import MODULES, Shape, mlp, written
from benchmarks._stacked import Digits, Schedule, Stack, digits, train
from benchmarks.plain import Cell, Reached, Setting, compare, kept


def small_data():
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(40, 64, generator=rng)
    y = torch.randint(0, 10, (40,), generator=rng)
    return Digits(x=x, y=y, valid_x=x, valid_y=y, test_x=x, test_y=y)


def net(activation, seed):
    torch.manual_seed(seed)
    model = mlp(Shape(depth=2, width=6, activation=activation))
    layers = [layer for layer in model if isinstance(layer, nn.Linear)]
    return model, [
        (la.weight.detach().clone(), la.bias.detach().clone()) for la in layers
    ]


@pytest.mark.parametrize("activation", MODULES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_stack_trains_each_net_as_pytorch_trains_it_alone(activation, optimizer):
    data = small_data()
    nets = [net(activation, seed) for seed in (0, 1)]
    stack = Stack([layers for _, layers in nets], activation)
    schedule = Schedule(optimizer=optimizer, rate=0.02, steps=5, batch=8, seed=3)
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]

    train(stack, data, schedule)

    for i, (model, _) in enumerate(nets):
        alone = make(model.parameters(), lr=0.02)
        draws = torch.Generator().manual_seed(3)
        for _ in range(5):
            chosen = torch.randint(0, len(data.x), (8,), generator=draws)
            alone.zero_grad()
            cross_entropy(model(data.x[chosen]), data.y[chosen]).backward()
            alone.step()
        layers = [layer for layer in model if isinstance(layer, nn.Linear)]
        for w, b, layer in zip(stack.weights, stack.biases, layers, strict=True):
            assert torch.allclose(w[i], layer.weight, rtol=1e-3, atol=2e-5)
            assert torch.allclose(b[i], layer.bias, rtol=1e-3, atol=2e-5)


def test_the_digits_are_cut_into_three_parts_that_share_no_image():
    data = digits()
    parts = (data.x, data.valid_x, data.test_x)

    assert [len(part) for part in parts] == [1000, 297, 500]
    rows = [{bytes(row.numpy()) for row in part} for part in parts]
    assert len(rows[0] & rows[2]) <= 1  # two of the 1797 images may be equal
    assert float(torch.cat(parts).var(correction=0)) == pytest.approx(1.0, rel=1e-4)


def test_a_net_that_is_not_finite_gets_nothing_right():
    _, layers = net("relu", 0)
    broken = [(w * float("nan"), b) for w, b in layers]
    stack = Stack([layers, broken], "relu")
    data = small_data()

    assert not stack.correct(data.x, data.y)[1].any()


def test_biases_are_zero_and_the_head_is_told_apart_when_weights_are_written():
    model = mlp(Shape(depth=2, width=6, activation="relu"))
    kinds = []

    written(model, lambda _, kind: kinds.append(kind))

    assert kinds == ["hidden", "hidden", "linear"]
    assert all(not la.bias.any() for la in model if isinstance(la, nn.Linear))


def reached(accuracy, seed, n_seeds=3):
    rng = np.random.default_rng(seed)
    return Reached(correct=rng.random((n_seeds, 500)) < accuracy, rate=0.1)


def test_equal_accuracies_are_told_apart_in_one_case_of_twenty_at_most():
    verdicts = [
        compare(reached(0.9, 2 * i), reached(0.9, 2 * i + 1)) for i in range(400)
    ]

    wrong = np.mean([v != 0 for v in verdicts])
    assert wrong < 0.05 + 5 * np.sqrt(0.05 * 0.95 / 400)


def test_a_clear_difference_has_the_right_sign():
    assert compare(reached(0.95, 0), reached(0.85, 1)) == 1
    assert compare(reached(0.85, 0), reached(0.95, 1)) == -1


def test_a_cell_that_was_kept_is_read_back_and_not_run(tmp_path):
    setting = Setting(
        data=small_data(), width=4, names=("default", "He"), seeds=2, steps=2
    )
    first = kept(Cell("relu", 1, setting), "sgd", "1 relu sgd", tmp_path)
    again = Cell("relu", 1, setting)
    again.reached = None

    second = kept(again, "sgd", "1 relu sgd", tmp_path)

    assert list(second) == ["default", "He"]
    for name in second:
        assert (first[name].correct == second[name].correct).all()
        assert first[name].rate == second[name].rate
