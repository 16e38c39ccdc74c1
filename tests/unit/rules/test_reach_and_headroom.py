"""Depth, half precision, constant outputs, chance: FAN201, 202, 205, 303, 402, 506."""

from __future__ import annotations

from math import asin, log, pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import fanin
from fanin.rules import Severity
from fanin.rules.chance import share_off
from fanin.rules.fan201_forward_drift import SCATTER


def batch(n=32, n_in=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, n_in, generator=generator)
    return inputs, torch.randint(10, (n,), generator=generator)


def mlp(n_hidden, activation=nn.ReLU, width=64, between=None, std=None):
    torch.manual_seed(1)
    layers = []
    for _ in range(n_hidden):
        layers += [nn.Linear(width, width), *([between(width)] if between else [])]
        layers.append(activation())
    model = nn.Sequential(*layers, nn.Linear(width, 10))
    for layer in model if std else ():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)
    return model


def found(model, inputs=None, target=None, loss="cross_entropy", **told):
    x, y = batch()
    x, y = (x if inputs is None else inputs), (y if target is None else target)
    report = fanin.check(model, x, loss, y, **told)
    return {f.code: f for f in (*report.findings, *report.consequences)}


class TestDepth:
    @pytest.mark.parametrize("depth", [2, 3])
    def test_shallow_nets_at_the_default_of_pytorch_are_within_reach(self, depth):
        assert "FAN303" not in found(mlp(depth), select=["FAN303"])

    def test_deep_ones_are_not_and_chi_is_a_sixth(self):
        """n·Var(w)·E[φ′²] = 1/3 · 1/2: ξ = 1/ln 6, and 6ξ is 3.35 layers."""
        finding = found(mlp(12), select=["FAN303"])["FAN303"]
        _, reach = finding.interval

        assert finding.value == 12.0
        assert reach == pytest.approx(6.0 / log(6.0), rel=0.1)

    @pytest.mark.parametrize(
        ("activation", "gain"), [(nn.ReLU, sqrt(2.0)), (nn.Tanh, 1.0), (nn.SELU, 1.0)]
    )
    def test_thirty_layers_on_the_edge_are_within_reach(self, activation, gain):
        model = mlp(30, activation, std=gain / 8.0)

        assert "FAN303" not in found(model, select=["FAN303"])

    def test_normalization_lifts_the_limit(self):
        model = mlp(12, between=nn.LayerNorm)

        assert "FAN303" not in found(model, select=["FAN303"])

    def test_residual_branches_lift_the_limit(self):
        class Residual(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.layers = nn.ModuleList([nn.Linear(64, 64) for _ in range(12)])
                self.head = nn.Linear(64, 10)

            def forward(self, x):
                for layer in self.layers:
                    x = x + torch.relu(layer(x))
                return self.head(x)

        assert "FAN303" not in found(Residual(), select=["FAN303"])

    def test_alone_it_is_a_note(self):
        finding = found(mlp(4))["FAN303"]

        assert finding.severity is Severity.INFO

    def test_differences_fall_by_chi_in_each_layer(self):
        """What the rule computes is what a small difference between inputs does."""
        model = mlp(6, nn.Tanh, width=512, std=0.6 / sqrt(512.0)).double()
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(8, 512, generator=generator, dtype=torch.float64)
        gap = 1e-5 * torch.randn(8, 512, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            after = model[:12](x) - model[:12](x + gap)
        chi = (after.square().mean() / gap.square().mean()).item() ** (1.0 / 6.0)
        finding = found(model, x, batch(8)[1], select=["FAN303"])["FAN303"]

        assert finding.interval[1] == pytest.approx(6.0 / abs(log(chi)), rel=0.05)


class TestHeadroom:
    def test_signals_near_the_limit_of_float16_are_found(self):
        finding = found(mlp(3, std=1.0), select=["FAN205"], precision="float16")[
            "FAN205"
        ]

        # Of the output layer: √64·rms(h), and h grows √32-fold in each of three.
        assert finding.value > finding.interval[1] == pytest.approx(6550.4 / 6.4)

    @pytest.mark.parametrize("precision", ["bfloat16", None])
    def test_other_formats_have_the_room(self, precision):
        model = mlp(3, std=1.0)

        assert "FAN205" not in found(model, select=["FAN205"], precision=precision)

    def test_parameters_of_float16_tell_by_themselves(self):
        model, inputs = mlp(2, std=1.0).half(), 100.0 * batch()[0].half()

        assert "FAN205" in found(model, inputs, select=["FAN205"])

    def test_a_stream_that_loses_its_digits_is_found(self):
        model = mlp(4, std=0.005)

        assert "FAN205" in found(model, select=["FAN205"], precision="float16")

    def test_a_mask_is_no_signal_and_a_small_branch_no_stream(self):
        class Masked(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.query, self.key = nn.Linear(16, 16), nn.Linear(16, 16)
                self.gain = nn.Parameter(torch.full((16,), 1e-6))
                self.head = nn.Linear(16, 10)

            def forward(self, x):
                x = x.unflatten(1, (4, 16))
                scores = self.query(x) @ self.key(x).transpose(1, 2)
                mask = torch.full((4, 4), -1e9).triu(1)
                shares = torch.softmax(scores + mask, dim=-1)
                return self.head((x + self.gain * (shares @ x)).mean(1))

        assert "FAN205" not in found(Masked(), select=["FAN205"], precision="float16")


class Counting(nn.Module):
    def __init__(self, start, weight=None):
        super().__init__()
        self.net = mlp(2)
        self.net[-1] = nn.Linear(64, 1)
        nn.init.constant_(self.net[-1].bias, start)
        if weight is not None:
            nn.init.constant_(self.net[-1].weight, weight)

    def forward(self, x):
        return torch.relu(self.net(x))


class TestConstantOutput:
    def test_an_output_that_is_off_for_all_is_an_error(self):
        finding = found(Counting(-50.0), target=torch.ones(32, 1), loss="mse")["FAN506"]

        assert finding.severity is Severity.ERROR
        assert finding.mends == ("net.4.weight", "net.4.bias")

    def test_it_is_named_in_place_of_the_gradients_that_it_stops(self):
        x, _ = batch()
        report = fanin.check(Counting(-50.0), x, "mse", torch.ones(32, 1))

        assert [f.code for f in report.errors] == ["FAN506"]

    @pytest.mark.parametrize(
        "model", [Counting(50.0), Counting(1.0, weight=0.0)], ids=["on", "zero-head"]
    )
    def test_one_that_moves_or_starts_at_zero_on_purpose_is_not(self, model):
        assert "FAN506" not in found(model, target=torch.ones(32, 1), loss="mse")

    def test_equal_samples_are_no_fault_of_the_output(self):
        inputs = batch()[0][:1].expand(32, -1)
        target = torch.ones(32, 1)

        assert "FAN506" not in found(Counting(1.0), inputs, target, loss="mse")


class TestChance:
    @given(rho=st.floats(0.0, 0.999))
    def test_two_samples_are_off_together_as_sheppard_says(self, rho):
        exact = 0.25 + asin(rho) / (2.0 * pi)

        assert share_off(rho, 2) == pytest.approx(exact, abs=1e-6)

    @given(rho=st.floats(0.0, 0.999))
    def test_three_are_off_together_by_inclusion_and_exclusion(self, rho):
        exact = 0.125 + 3.0 * asin(rho) / (4.0 * pi)

        assert share_off(rho, 3) == pytest.approx(exact, abs=1e-6)

    @pytest.mark.parametrize(("rho", "n_samples"), [(0.5, 16), (0.9, 16), (0.98, 64)])
    def test_many_are_as_often_as_in_draws_and_not_2_to_the_minus_b(
        self, rho, n_samples
    ):
        rng = np.random.default_rng(0)
        n = 40_000
        shared, own = rng.standard_normal((n, 1)), rng.standard_normal((n, n_samples))
        off = np.all(sqrt(rho) * shared + sqrt(1.0 - rho) * own <= 0.0, axis=1)
        share = share_off(rho, n_samples)
        error = 5.0 * sqrt(share * (1.0 - share) / n)

        assert off.mean() == pytest.approx(share, abs=error)
        assert abs(off.mean() - share_off(rho * 0.98, n_samples)) > error / 5.0
        assert share > 100.0 * 2.0**-n_samples

    def test_a_deep_healthy_net_has_no_more_dead_units_than_chance(self):
        model = mlp(12, std=sqrt(2.0 / 64.0))

        assert "FAN402" not in found(model, batch(16)[0], batch(16)[1])

    def test_a_bias_that_switches_units_off_is_found_in_it(self):
        model = mlp(3, std=sqrt(2.0 / 64.0))
        nn.init.constant_(model[2].bias, -100.0)
        finding = found(model)["FAN402"]

        assert finding.value == 64.0
        assert finding.value > finding.interval[1]


class TestScatter:
    def test_the_scatter_of_a_relu_layer_is_five_over_its_width(self):
        """Var[2·relu(z)²] = 4·(E relu⁴ − (E relu²)²) = 4·(3/2 − 1/4) = 5."""
        grid = np.linspace(0.0, 12.0, 240_001)
        density = np.exp(-np.square(grid) / 2.0) / sqrt(2.0 * pi) * (grid[1] - grid[0])
        fourth, second = (float(np.sum(density * grid**k)) for k in (4, 2))

        assert 4.0 * (fourth - second**2) == pytest.approx(SCATTER, rel=1e-6)

    def test_so_the_logarithm_of_the_norm_scatters_by_the_sum_over_layers(self):
        """Hanin & Rolnick (2018): 5 L/n, to first order in 1/n."""
        rng = np.random.default_rng(0)
        n, depth, draws = 200, 8, 400
        logs = np.zeros(draws)
        for draw in range(draws):
            signal = np.ones(n)
            for _ in range(depth):
                weights = rng.standard_normal((n, n)) * sqrt(2.0 / n)
                signal = np.maximum(weights @ signal, 0.0)
            logs[draw] = log(float(signal @ signal))
        spread = 5.0 * sqrt(2.0 / draws)

        assert logs.var() == pytest.approx(SCATTER * depth / n, rel=spread)


class Listening(nn.Module):
    """A token that hears the input by branches behind gains (CaiT)."""

    def __init__(self, gain):
        super().__init__()
        torch.manual_seed(0)
        self.token = nn.Parameter(torch.randn(1, 64))
        self.branches = nn.ModuleList([nn.Linear(64, 64) for _ in range(3)])
        self.gains = nn.ParameterList([torch.full((64,), gain) for _ in range(3)])
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        token = self.token.expand(len(x), -1)
        for branch, gain in zip(self.branches, self.gains, strict=True):
            token = token + gain * torch.tanh(branch(x + token))
        return self.head(token)


def test_an_input_behind_quiet_branches_is_a_note():
    finding = found(Listening(1e-5))["FAN202"]

    assert finding.severity is Severity.INFO
    assert "FAN202" not in found(Listening(1.0))


def test_equal_samples_are_no_fault_of_the_layers():
    inputs = batch()[0][:1] + 1e-4 * batch(seed=3)[0]

    assert "FAN202" not in found(mlp(3, std=sqrt(2.0 / 64.0)), inputs)
