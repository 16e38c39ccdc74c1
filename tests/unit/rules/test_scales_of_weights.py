"""Scales that are a known factor off: cut at two σ (FAN703), parts as one (FAN704)."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from scipy import integrate
from torch import nn

import fanin
from fanin.rules import Severity
from fanin.rules.fan703_truncated_scale import (
    CUT,
    KURTOSIS,
    KURTOSIS_ERROR,
    MOMENTS,
    SHRINKING,
    is_cut,
)

WIDTH = 64


def found(model, code, batch=None):
    given = torch.ones(4, WIDTH) if batch is None else batch
    return list(fanin.check(model, given, select=[code]).findings)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def dense(fill):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(WIDTH, 512), nn.ReLU(), nn.Linear(512, WIDTH))
    for layer in (model[0], model[2]):
        fill(layer.weight)
    return model


def cut(weight, std):
    return nn.init.trunc_normal_(
        weight, std=std, a=-2 * std, b=2 * std, generator=generator(1)
    )


def fan_in_std(top):
    return lambda weight: (top / weight.shape[1]) ** 0.5


# FAN703: the numbers


@pytest.mark.parametrize("k", [2, 4, 6, 8])
def test_the_moments_of_a_cut_law_are_its_integrals(k):
    def density(x):
        return np.exp(-(x**2) / 2)

    top, _ = integrate.quad(lambda x: x**k * density(x), -CUT, CUT)
    whole, _ = integrate.quad(density, -CUT, CUT)

    assert MOMENTS[k] == pytest.approx(top / whole, rel=1e-9)


def test_the_error_of_the_kurtosis_is_what_samples_show():
    rng = np.random.default_rng(0)
    size, n_samples = 2000, 400
    drawn = rng.normal(size=(n_samples, 3 * size // 2))
    found = []
    for row in drawn:
        squares = np.square(row[np.abs(row) < CUT][:size])
        found.append(np.mean(squares**2) / np.mean(squares) ** 2)
    error = KURTOSIS_ERROR / size**0.5

    # A mean of n is within 5/√n of a standard error; a spread within 5/√2n of itself.
    assert np.mean(found) == pytest.approx(KURTOSIS, abs=5 * error / n_samples**0.5)
    assert np.std(found) == pytest.approx(error, rel=5 / (2 * n_samples) ** 0.5)


@pytest.mark.parametrize("size", [8192, 20_000])
def test_a_cut_law_is_told_from_others_of_its_size(size):
    rng = np.random.default_rng(1)
    normal = rng.normal(size=2 * size)
    laws = {
        "normal": normal[:size],
        "uniform": rng.uniform(-1, 1, size),
        "cut at 3": normal[np.abs(normal) < 3][:size],
        "cut at 1.5": normal[np.abs(normal) < 1.5][:size],
    }
    inside = normal[np.abs(normal) < CUT][:size]

    assert is_cut(inside**2, np.abs(inside).max(), size)
    for name, law in laws.items():
        assert not is_cut(law**2, np.abs(law).max(), size), name


# FAN703: the rule


@pytest.mark.parametrize("top", [2.0, 1.0], ids=["he", "lecun"])
def test_a_scheme_that_was_cut_and_not_widened_is_a_note(top):
    std = fan_in_std(top)

    (finding,) = found(dense(lambda w: cut(w, std(w))), "FAN703")

    assert finding.severity is Severity.INFO
    assert finding.paths == ("0.weight", "2.weight")
    assert finding.value == pytest.approx(SHRINKING * (top / WIDTH) ** 0.5, rel=0.03)
    assert finding.interval[0] <= (top / WIDTH) ** 0.5 <= finding.interval[1]


def test_a_scheme_that_was_cut_and_widened_is_silent():
    std = fan_in_std(2.0)

    assert not found(dense(lambda w: cut(w, std(w) / SHRINKING)), "FAN703")


def test_torchs_own_bounds_cut_nothing_and_are_silent():
    fill = nn.init.trunc_normal_

    assert not found(
        dense(lambda w: fill(w, std=0.02, generator=generator())), "FAN703"
    )


def test_a_normal_law_that_is_too_small_is_silent():
    std = fan_in_std(2.0)

    def fill(weight):
        nn.init.normal_(weight, std=SHRINKING * std(weight), generator=generator())

    assert not found(dense(fill), "FAN703")


def text_model(initializer):
    keras.utils.set_random_seed(0)
    table = keras.layers.Embedding(2000, WIDTH, embeddings_initializer=initializer)
    return keras.Sequential([keras.Input((6,), dtype="int32"), table])


@pytest.mark.parametrize(
    ("initializer", "n"),
    [
        (keras.initializers.TruncatedNormal(stddev=0.02, seed=1), 1),
        (keras.initializers.RandomNormal(stddev=0.02, seed=1), 0),
    ],
    ids=["cut", "normal"],
)
def test_keras_truncated_normal_is_smaller_than_its_number(initializer, n):
    findings = found(text_model(initializer), "FAN703", np.ones((2, 6), np.int32))

    assert len(findings) == n
    assert all("number 0.02" in finding.message for finding in findings)


@pytest.mark.parametrize(("scheme", "n"), [("truncated", 1), ("he", 0)])
def test_flax_corrects_its_schemes_and_not_its_truncated_normal(scheme, n):
    from flax import nnx

    initializers = {
        "truncated": nnx.initializers.truncated_normal(0.05),
        "he": nnx.initializers.he_normal(),
    }
    model = nnx.Linear(WIDTH, 128, kernel_init=initializers[scheme], rngs=nnx.Rngs(0))

    assert len(found(model, "FAN703", np.ones((4, WIDTH), np.float32))) == n


# FAN704


class Attention(nn.Module):
    def __init__(self, fill):
        super().__init__()
        torch.manual_seed(0)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH)
        fill(self.qkv.weight)

    def forward(self, x):
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.out(mixed)


def tokens():
    return torch.randn(2, 5, WIDTH, generator=generator())


def each_part(weight):
    for part in weight.chunk(3):
        nn.init.xavier_uniform_(part, generator=generator(2))


def whole(weight):
    nn.init.xavier_uniform_(weight, generator=generator(2))


def test_projections_that_were_counted_as_one_are_a_note():
    (finding,) = found(Attention(whole), "FAN704", tokens())

    assert finding.severity is Severity.INFO
    assert finding.paths == ("qkv.weight",)
    # √(2/4d) against √(2/2d).
    assert finding.value == pytest.approx((2 / (4 * WIDTH)) ** 0.5, rel=0.02)
    assert finding.interval[0] <= (1 / WIDTH) ** 0.5 <= finding.interval[1]


@pytest.mark.parametrize(
    "fill",
    [
        each_part,
        lambda w: nn.init.normal_(w, std=0.02, generator=generator()),
        lambda w: nn.init.kaiming_uniform_(w, a=5**0.5, generator=generator()),
    ],
    ids=["part by part", "fixed", "torch's default"],
)
def test_projections_that_are_drawn_otherwise_are_silent(fill):
    assert not found(Attention(fill), "FAN704", tokens())


def test_a_plain_layer_three_times_as_wide_is_silent():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(WIDTH, 3 * WIDTH), nn.ReLU(), nn.Linear(192, 3))
    whole(model[0].weight)

    assert not found(model, "FAN704")


def test_torchs_own_attention_does_so():
    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.mix = nn.MultiheadAttention(WIDTH, 4, batch_first=True)

        def forward(self, x):
            return self.mix(x, x, x)[0]

    (finding,) = found(Layer(), "FAN704", tokens())

    assert finding.paths == ("mix.in_proj_weight",)
