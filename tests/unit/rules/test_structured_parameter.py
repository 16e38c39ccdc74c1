"""FAN602: parameters that must look a certain way because of what they are for."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.rules import Severity

WIDTH, STATES, LENGTH, BATCH = 8, 6, 5, 4


def found(model, batch):
    return list(fanin.check(model, batch, select=["FAN602"]).findings)


def sequences():
    return torch.randn(BATCH, LENGTH, WIDTH, generator=torch.Generator().manual_seed(0))


# State-space models


class Scan(nn.Module):
    """h' = exp(Δ·A)·h + Δ·x with Δ = softplus(x·W + b), by channel and state."""

    def __init__(self, steps, rates):
        super().__init__()
        torch.manual_seed(0)
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.read = nn.Linear(WIDTH, 3)
        nn.init.zeros_(self.proj.weight)
        with torch.no_grad():
            self.proj.bias.copy_(steps + torch.log(-torch.expm1(-steps)))
        self.log_rates = nn.Parameter(torch.log(rates))

    def forward(self, x):
        steps = nn.functional.softplus(self.proj(x))
        rates = -torch.exp(self.log_rates)
        state = x.new_zeros(len(x), WIDTH, STATES)
        for t in range(LENGTH):
            step = steps[:, t, :, None]
            state = torch.exp(step * rates) * state + step * x[:, t, :, None]
        return self.read(state.sum(-1))


def usual_steps():
    return torch.logspace(-3, -1, WIDTH)


def usual_rates():
    return torch.arange(1.0, STATES + 1).repeat(WIDTH, 1)


def test_the_reference_start_of_a_state_space_model_is_silent():
    assert not found(Scan(usual_steps(), usual_rates()), sequences())


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (torch.full((WIDTH,), 1.3133), "out of range"),
        (torch.logspace(-7, -5, WIDTH), "out of range"),
        (torch.full((WIDTH,), 0.01), "all one"),
    ],
    ids=["a bias of ones", "too small", "constant"],
)
def test_step_sizes_out_of_range_or_all_one_are_named(steps, words):
    (finding,) = found(Scan(steps, usual_rates()), sequences())

    assert finding.severity is Severity.WARNING
    assert finding.paths == ("proj.bias",)
    assert words in finding.message
    assert finding.interval == (1e-4, 0.1)
    assert finding.value == pytest.approx(float(np.median(steps)), rel=1e-3)


def test_states_that_fade_at_one_rate_are_named():
    (finding,) = found(Scan(usual_steps(), torch.ones(WIDTH, STATES)), sequences())

    assert finding.paths == ("log_rates",)
    assert "one rate" in finding.message


def test_rates_that_let_a_state_grow_are_named():
    class Growing(Scan):
        def forward(self, x):
            steps = nn.functional.softplus(self.proj(x))
            state = x.new_zeros(len(x), WIDTH, STATES)
            for t in range(LENGTH):
                step = steps[:, t, :, None]
                state = (
                    torch.exp(step * self.log_rates) * state + step * x[:, t, :, None]
                )
            return self.read(state.sum(-1))

    model = Growing(usual_steps(), usual_rates().exp())

    (finding,) = found(model, sequences())

    assert "never fade" in finding.message
    assert finding.value == pytest.approx(STATES)
    assert finding.mended_by == ()


def test_fanin_mends_a_bias_of_ones():
    model = Scan(torch.full((WIDTH,), 1.3133), usual_rates())
    assert found(model, sequences())[0].mended_by == ("proj.bias",)

    fanin.init(model, sequences(), seed=0)

    assert not found(model, sequences())


# Forget gates


class Recurrent(nn.Module):
    def __init__(self, forget):
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.read = nn.Linear(WIDTH, 3)
        if forget is not None:
            with torch.no_grad():
                self.cell.bias_ih_l0.zero_()[WIDTH : 2 * WIDTH] = forget
                self.cell.bias_hh_l0.zero_()

    def forward(self, x):
        return self.read(self.cell(x)[0][:, -1])


def test_forget_gates_that_begin_shut_are_named():
    (finding,) = found(Recurrent(-2.0), sequences())

    assert finding.severity is Severity.WARNING
    assert finding.paths == ("cell.bias_ih_l0", "cell.bias_hh_l0")
    assert finding.value == pytest.approx(-2.0)
    assert "12%" in finding.message  # σ(−2)


@pytest.mark.parametrize("forget", [None, 0.0, 1.0], ids=["default", "zero", "one"])
def test_the_usual_forget_gates_are_silent(forget):
    assert not found(Recurrent(forget), sequences())


def test_two_biases_of_one_cell_are_judged_together():
    model = Recurrent(-1.0)
    with torch.no_grad():
        model.cell.bias_hh_l0[WIDTH : 2 * WIDTH] = 2.0

    assert not found(model, sequences())


@pytest.mark.parametrize(("forget", "n"), [(1.0, 0), (-2.0, 1)])
def test_forget_gates_of_keras_are_judged_too(forget, n):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((LENGTH, WIDTH))
    cell = keras.layers.LSTM(WIDTH, unroll=True)
    model = keras.Model(inputs, keras.layers.Dense(3)(cell(inputs)))
    bias = np.zeros(4 * WIDTH, np.float32)
    bias[WIDTH : 2 * WIDTH] = forget
    cell.cell.bias.assign(bias)

    findings = found(model, sequences().numpy())

    assert len(findings) == n


# Gains of a normalization


def normed(gain, *, at_end=False):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.mix = nn.Linear(WIDTH, WIDTH)
            chosen = self.last if at_end else self.first
            nn.init.constant_(chosen.weight, gain)

        def forward(self, x):
            return x + self.last(self.mix(self.first(x)))

    torch.manual_seed(0)
    return nn.Sequential(Block(), Block(), nn.Linear(WIDTH, 3))


@pytest.mark.parametrize("gain", [0.0, 0.02, 50.0])
def test_a_gain_far_from_one_is_named(gain):
    (finding,) = found(normed(gain), sequences())

    assert finding.severity is Severity.WARNING
    assert finding.paths == ("0.first.weight", "1.first.weight")
    assert finding.value == pytest.approx(gain)


@pytest.mark.parametrize("gain", [1.0, 0.1, 5.0])
def test_a_gain_near_one_is_silent(gain):
    assert not found(normed(gain), sequences())


@pytest.mark.parametrize("gain", [0.0, 0.02])
def test_a_small_gain_at_the_end_of_a_branch_is_silent(gain):
    assert not found(normed(gain, at_end=True), sequences())


def test_a_gain_that_is_stored_less_one_is_read_as_it_multiplies():
    class Gemma(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.zeros(WIDTH))
            self.mix = nn.Linear(WIDTH, 3)

        def forward(self, x):
            normed = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
            return self.mix(normed * (1.0 + self.gain))

    assert not found(Gemma(), sequences())


def test_a_gain_of_flax_far_from_one_is_named():
    from flax import nnx

    class Normed(nnx.Module):
        def __init__(self):
            rngs = nnx.Rngs(0)
            self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)
            self.read = nnx.Linear(WIDTH, 3, rngs=rngs)
            self.norm.scale[...] = self.norm.scale[...] * 0.01

        def __call__(self, x):
            return self.read(self.norm(x))

    (finding,) = found(Normed(), sequences().numpy())

    assert finding.paths == ("norm.scale",)


def test_a_gain_of_equinox_far_from_one_is_named():
    import equinox as eqx
    import jax

    class Normed(eqx.Module):
        norm: eqx.nn.LayerNorm
        read: eqx.nn.Linear

        def __call__(self, x):
            return self.read(self.norm(x))

    norm = eqx.nn.LayerNorm(WIDTH)
    norm = eqx.tree_at(lambda n: n.weight, norm, norm.weight * 0.01)
    model = Normed(norm, eqx.nn.Linear(WIDTH, 3, key=jax.random.key(0)))

    batch = sequences()[:, 0].numpy()

    (finding,) = found(model, lambda net: jax.vmap(net)(batch))

    assert finding.paths == ("norm.weight",)


# Padding rows


class Text(nn.Module):
    def __init__(self, *, row_is_zero):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(10, WIDTH, padding_idx=2)
        self.read = nn.Linear(WIDTH, 3)
        nn.init.normal_(self.table.weight, std=0.02)
        if row_is_zero:
            nn.init.zeros_(self.table.weight[2])

    def forward(self, ids):
        return self.read(self.table(ids))


def test_a_padding_row_that_is_not_zero_is_a_note():
    ids = torch.arange(8).reshape(2, 4)

    (finding,) = found(Text(row_is_zero=False), ids)

    assert finding.severity is Severity.INFO
    assert "Row 2" in finding.message
    assert finding.value == pytest.approx(0.02, rel=0.8)
    assert not found(Text(row_is_zero=True), ids)


def test_a_bias_that_sets_step_sizes_drowns_no_signal():
    model = Scan(usual_steps(), usual_rates())

    assert not fanin.check(model, sequences(), select=["FAN601"]).findings
