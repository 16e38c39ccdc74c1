"""Orthogonal weights where nothing normalizes, and what independent ones lose."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from torch import nn

import fanin
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.recipes.unnormalized import NOTE, REASON


def relu(x):
    return np.maximum(x, 0.0)


def stream(width=12, inner=24, *, is_normed=False, n_blocks=2):
    sketch = Sketch()
    x = sketch.dense(sketch.input((32, 10)), width, path="stem")
    for i in range(n_blocks):
        z = sketch.normalize(x, path=f"{i}.norm", kind="layer") if is_normed else x
        z = sketch.apply(sketch.dense(z, inner, path=f"{i}.up"), relu)
        x = sketch.combine(Op.ADD, x, sketch.dense(z, width, path=f"{i}.end"))
    return sketch.graph(sketch.dense(x, 5, path="head"))


def laws(plan):
    return {p.path: p.law for p in plan.prescriptions if p.path.endswith("weight")}


def test_every_weight_of_an_unnormalized_stream_is_orthogonal_at_the_std_it_had():
    graph = stream()

    plan, usual = make_plan(graph), make_plan(graph, law="normal")

    assert set(laws(plan).values()) == {"orthogonal"}
    for path in laws(plan):
        assert plan[path].std == pytest.approx(usual[path].std, rel=1e-12)
        assert REASON in plan[path].reason
    assert NOTE in plan.notes


def test_its_matrices_have_one_singular_value():
    drawn = make_plan(stream(), seed=3).draws()

    for path in ("stem.weight", "0.up.weight", "1.end.weight", "head.weight"):
        values = np.linalg.svd(drawn[path](None), compute_uv=False)
        assert values.max() == pytest.approx(values.min(), rel=1e-5)


def test_a_normalized_stream_and_a_plain_chain_are_drawn_as_they_were():
    sketch = Sketch()
    z = sketch.apply(sketch.dense(sketch.input((32, 10)), 12, path="0"), relu)
    chain = sketch.graph(sketch.dense(z, 5, path="1"))

    for graph in (stream(is_normed=True), chain):
        plan = make_plan(graph)
        assert not any(REASON in p.reason for p in plan.prescriptions)
        assert NOTE not in plan.notes
    assert set(laws(make_plan(chain)).values()) == {"normal"}


def test_what_the_caller_asks_for_is_drawn_as_asked():
    graph = stream()

    plan = make_plan(graph, overrides={"0.up.weight": "he_normal"}, skip="1.up.weight")

    assert plan["0.up.weight"].scheme == "he_normal"
    assert plan["1.up.weight"].is_kept
    assert plan["1.end.weight"].law == "orthogonal"
    assert set(laws(make_plan(graph, law="uniform")).values()) == {"uniform"}
    assert set(laws(make_plan(graph, scheme="he_normal")).values()) == {"normal"}


@pytest.mark.parametrize("policy", ["fixup", "torch", "gpt2"])
def test_published_policies_keep_the_law_that_they_were_published_with(policy):
    assert "orthogonal" not in laws(make_plan(stream(), policy=policy)).values()


def test_each_kernel_of_a_depthwise_convolution_has_the_same_length():
    sketch = Sketch()
    x = sketch.conv(sketch.input((8, 3, 6, 6)), 16, path="stem")
    z = sketch.conv(x, 16, path="depthwise", groups=16)
    end = sketch.conv(sketch.apply(z, relu), 16, path="end", kernel=1)
    graph = sketch.graph(sketch.combine(Op.ADD, x, end))

    kernels = make_plan(graph).draws()["depthwise.weight"](None).reshape(16, 9)

    lengths = np.linalg.norm(kernels, axis=1)
    assert lengths.max() == pytest.approx(lengths.min(), rel=1e-5)


class Attention(nn.Module):
    """One residual attention, queries, keys and values of one matrix."""

    def __init__(self, width=8):
        super().__init__()
        self.stem = nn.Linear(5, width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        x = self.stem(x)
        q, k, v = self.qkv(x).chunk(3, -1)
        return x + self.out(nn.functional.scaled_dot_product_attention(q, k, v))


def test_each_part_of_a_fused_weight_is_a_matrix_of_its_own():
    model = Attention()
    x = torch.randn(16, 6, 5, generator=torch.Generator().manual_seed(0))

    plan = fanin.init(model, x, seed=0)

    assert plan["qkv.weight"].n_blocks == 3
    for part in model.qkv.weight.detach().double().chunk(3):
        values = torch.linalg.svdvals(part)
        assert float(values.max() / values.min()) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize(
    ("n_out", "n_in", "law", "spread"),
    [
        (24, 24, "normal", 2 / 24),
        (12, 48, "normal", 2 / 12),
        (24, 24, "orthogonal", 0.0),
        (48, 12, "orthogonal", 0.0),
        (12, 48, "orthogonal", 2 * (48 - 12) / (12 * (48 + 2))),
    ],
)
def test_lengths_spread_over_directions_as_the_docstring_says(n_out, n_in, law, spread):
    sketch = Sketch()
    graph = sketch.graph(sketch.dense(sketch.input((8, n_in)), n_out, path="0"))
    plan = make_plan(graph, law=law)
    x = np.zeros(n_in)
    x[n_in // 3] = 1.0
    n_draws = 1500

    lengths = np.array(
        [
            np.sum(
                (plan.draws(seed=seed)["0.weight"](None).astype(np.float64) @ x) ** 2
            )
            for seed in range(n_draws)
        ]
    )

    ratio = lengths / (plan["0.weight"].std ** 2 * n_out)
    assert ratio.mean() == pytest.approx(1.0, abs=5 * sqrt(spread / n_draws) + 1e-5)
    squares = (ratio - 1.0) ** 2
    error = 5 * squares.std() / sqrt(n_draws) + 1e-9
    assert squares.mean() == pytest.approx(spread, abs=error)
