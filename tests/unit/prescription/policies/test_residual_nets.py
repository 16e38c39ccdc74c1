"""Policies for residual networks: what each block starts as, by role."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.errors import ArgumentError
from fanin.prescription import make_plan
from tests.unit.prescription.policies.streams import (
    WIDTH,
    gated_mlp,
    residual_mlp,
    transformer,
)


def he(n_in, factor=1.0):
    return factor * sqrt(2 / n_in)


@pytest.mark.parametrize(("n_blocks", "n_inner"), [(4, 1), (9, 2), (16, 3)])
def test_fixup_by_the_formula(n_blocks, n_inner):
    plan = make_plan(residual_mlp(n_blocks, n_inner=n_inner), policy="fixup")
    factor = n_blocks ** (-1 / (2 * (n_inner + 1) - 2))

    for j in range(n_inner):
        assert plan[f"1.{j}.weight"].std == pytest.approx(he(WIDTH, factor))
    assert plan["1.end.weight"].scheme == "zeros"
    assert plan["head.weight"].scheme == "zeros"
    assert plan["stem.weight"].std == pytest.approx(he(12))


def test_fixup_counts_both_factors_of_a_gate():
    plan = make_plan(gated_mlp(4), policy="fixup")

    assert plan["0.gate.weight"].std == pytest.approx(he(WIDTH, 4**-0.25))
    assert plan["0.up.weight"].std == pytest.approx(he(WIDTH, 4**-0.25))
    assert plan["0.down.weight"].std == 0.0


def test_fixup_leaves_queries_and_keys_as_he_has_them():
    plan = make_plan(transformer(2, order="free"), policy="fixup")

    assert plan["1.self.q.weight"].std == pytest.approx(he(WIDTH))
    assert plan["1.self.v.weight"].std == pytest.approx(he(WIDTH, 4**-0.5))
    assert plan["1.self.o.weight"].std == 0.0


def test_fixup_scales_nothing_whose_size_a_normalization_hides():
    plan = make_plan(residual_mlp(4, end_norm=True), policy="fixup")

    assert plan["1.0.weight"].std == pytest.approx(he(WIDTH))
    assert plan["1.end.weight"].std == pytest.approx(he(WIDTH))
    assert plan["1.norm.weight"].value == 0.0


def test_fixup_starts_learned_scales_at_one():
    plan = make_plan(residual_mlp(3, scale=(1,)), policy="fixup")

    assert plan["1.scale"].value == 1.0
    assert plan["1.end.weight"].std == 0.0


@pytest.mark.parametrize("policy", ["rezero", "skipinit"])
def test_a_learned_scale_starts_at_zero_and_its_branch_at_full_size(policy):
    plan = make_plan(residual_mlp(4, scale=(1,)), policy=policy)

    assert plan["2.scale"].value == 0.0
    assert plan["2.end.weight"].target == pytest.approx(1.0)


def test_without_a_learned_scale_the_last_weight_is_zero():
    plan = make_plan(residual_mlp(4), policy="rezero")

    assert [plan[f"{i}.end.weight"].std for i in range(4)] == [0.0] * 4
    assert plan["0.0.weight"].std > 0.0


def test_skipinit_with_a_number_sizes_branches_without_a_scale():
    plan = make_plan(residual_mlp(4), policy="skipinit(alpha=0.25)")

    assert plan["2.end.weight"].target == pytest.approx(0.25)


def test_zero_branch_prefers_the_gain_of_the_last_normalization():
    plan = make_plan(residual_mlp(3, end_norm=True), policy="zero_branch")

    assert plan["1.norm.weight"].value == 0.0
    assert plan["1.norm.bias"].value == 0.0
    assert plan["1.end.weight"].std > 0.0


def test_zero_branch_leaves_learned_scales_alone():
    plan = make_plan(residual_mlp(3, scale=(WIDTH,)), policy="zero_branch")

    assert plan["1.scale"].is_kept
    assert plan["1.end.weight"].std == 0.0


@pytest.mark.parametrize(("n_blocks", "value"), [(18, 0.1), (24, 1e-5), (25, 1e-6)])
def test_layer_scale_by_depth(n_blocks, value):
    plan = make_plan(residual_mlp(n_blocks, scale=(WIDTH,)), policy="layer_scale")

    assert plan["3.scale"].value == value
    assert plan["3.end.weight"].target == pytest.approx(1.0)


def test_layer_scale_with_a_value_of_ones_own():
    graph = residual_mlp(3, scale=(WIDTH,))

    assert make_plan(graph, policy="layer_scale(0.5)")["0.scale"].value == 0.5


@pytest.mark.parametrize(
    ("mode", "size"),
    [
        ("branches", 1 / sqrt(8)),
        ("half", 1 / sqrt(16)),
        ("layers", 1 / sqrt(4)),
        ("inverse", 1 / 8),
        ("taper", 1 / sqrt(6)),
        ("none", 1.0),
    ],
)
def test_residual_modes(mode, size):
    plan = make_plan(transformer(4, order="free"), policy=f"residual(mode={mode})")

    assert plan["2.ff.down.weight"].target == pytest.approx(size)


def test_residual_modes_size_outputs_of_attention_too():
    graph = transformer(4, order="free")
    whole, half = (
        make_plan(graph, policy=f"residual(mode={mode})")["2.self.o.weight"].std
        for mode in ("none", "layers")
    )

    assert half == pytest.approx(whole / 2)


def test_residual_mode_zero():
    plan = make_plan(residual_mlp(3), policy="residual(mode=zero)")

    assert plan["1.end.weight"].std == 0.0


def test_an_unknown_mode_is_named():
    with pytest.raises(ArgumentError, match="branches, half, layers"):
        make_plan(residual_mlp(2), policy="residual(mode=some)")


@pytest.mark.parametrize("policy", ["fixup", "zero_branch", "rezero"])
def test_what_is_left_alone_is_not_zeroed(policy):
    plan = make_plan(residual_mlp(3), policy=policy, skip="1.*")

    assert plan["1.end.weight"].is_kept
    assert plan["0.end.weight"].std == 0.0


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = nn.Linear(width, width)
        self.last = nn.Linear(width, width)

    def forward(self, x):
        return x + self.last(torch.relu(self.first(torch.relu(x))))


def net(n_blocks, width=32):
    blocks = (Block(width) for _ in range(n_blocks))
    return nn.Sequential(nn.Linear(20, width), *blocks, nn.Linear(width, 5))


@pytest.mark.parametrize("policy", ["zero_branch", "rezero", "residual(mode=zero)"])
def test_every_block_starts_as_the_identity(policy):
    model = net(3)
    x, target = torch.randn(64, 20), torch.randint(0, 5, (64,))
    fanin.init(model, x, "cross_entropy", target, policy=policy, seed=0)
    stem = model[0](x)

    assert torch.equal(model[1:4](stem), stem)


@pytest.mark.parametrize("policy", ["fixup", "zero_branch", "rezero"])
def test_zeros_on_purpose_raise_no_alarm(policy):
    model = net(3)
    x, target = torch.randn(64, 20), torch.randint(0, 5, (64,))
    fanin.init(model, x, "cross_entropy", target, policy=policy, seed=0)
    report = fanin.check(model, x, "cross_entropy", target)

    assert report.ok


def output_change(model, x, step=1e-4):
    """Give how much one small step of gradient descent changes the outputs, per step.

    The loss is a fixed random read-out of the outputs, so that depth is all that
    differs; the head is drawn, not 0, so that gradients reach the blocks. Biases stay:
    the source has one scalar in their place.
    """
    before = model(x).detach()
    readout = torch.randn(
        before.shape, generator=torch.Generator().manual_seed(3), dtype=x.dtype
    )
    (model(x) * readout).sum().backward()
    with torch.no_grad():
        for block in model[1:-1]:
            for layer in (block.first, block.last):
                layer.weight.sub_(step * layer.weight.grad)
        return float(((model(x) - before) * readout).sum()) / step


def test_with_fixup_a_step_changes_a_deep_net_as_much_as_a_shallow_one():
    changes = {}
    for policy in ("fixup", "he"):
        for n_blocks in (4, 32):
            model = net(n_blocks, width=48).double()
            x = torch.randn(
                16, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64
            )
            fanin.init(
                model,
                x,
                policy=policy,
                seed=5,
                overrides={f"{n_blocks + 1}.weight": "lecun_normal"},
            )
            changes[policy, n_blocks] = abs(output_change(model, x, step=1e-9))

    assert changes["fixup", 32] / changes["fixup", 4] == pytest.approx(1.0, rel=0.5)
    assert changes["he", 32] / changes["he", 4] > 1e3


def test_a_frozen_end_is_left():
    model = net(2)
    model[1].last.weight.requires_grad_(False)
    held = model[1].last.weight.detach().clone()
    fanin.init(model, torch.randn(64, 20), policy="zero_branch", seed=0)

    assert torch.equal(model[1].last.weight, held)
    assert np.all(model[2].last.weight.detach().numpy() == 0.0)


def test_of_a_weight_normed_end_the_length_is_zero():
    model = net(2)
    model[2].last = nn.utils.parametrizations.weight_norm(model[2].last)
    x = torch.randn(64, 20)
    fanin.init(model, x, policy="zero_branch", seed=0)
    stem = model[0](x)

    assert torch.equal(model[1:3](stem), stem)
