"""The gradient's rules against Monte Carlo and closed forms.

A statistic is computed on many independent draws. The prediction must lie within five
standard errors of its mean; a prediction that is 2 % off must not.
"""

from __future__ import annotations

from itertools import pairwise
from math import pi

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.theory.concentration import concentration, gradient_shares
from fanin.theory.prediction import predict


def relu(x):
    return np.maximum(x, 0.0)


def check(samples, predicted):
    mean = np.mean(samples)
    error = 5 * np.std(samples, ddof=1) / np.sqrt(len(samples))

    assert abs(mean - predicted) <= error
    assert abs(mean - 1.02 * predicted) > error, "too few draws to tell 2 %"


def batch_norm_net(depth, *, batch, width):
    sketch = Sketch()
    z = sketch.dense(sketch.input((batch, width)), width, path="0", has_bias=False)
    before = []
    for i in range(1, depth):
        before.append(z)
        a = sketch.apply(sketch.normalize(z, path=f"n{i}"), relu)
        z = sketch.dense(a, width, path=str(i), has_bias=False)
    variances = {f"{i}.weight": 2.0 / width for i in range(depth)}
    return before, predict(sketch.graph(z), variances)


def test_batch_norm_behind_relu_makes_squared_gradients_grow_by_pi_over_pi_minus_1():
    """Yang et al. (2019), "A mean field theory of batch normalization", π/(π − 1)."""
    before, found = batch_norm_net(8, batch=100_000, width=64)
    gradients = [found.gradients[z] for z in before]

    growth = [a / b for a, b in pairwise(gradients[1:])]

    assert growth == pytest.approx([pi / (pi - 1)] * 5, rel=2e-3)


def test_the_gradient_of_a_batch_norm_net_over_a_batch():
    rng = np.random.default_rng(1)
    batch, width, depth = 100, 400, 4
    before, found = batch_norm_net(depth, batch=batch, width=width)

    def gradient():
        x, kept = rng.normal(size=(batch, width)), []
        z = x @ rng.normal(0, np.sqrt(2 / width), (width, width))
        for _ in range(1, depth):
            w = rng.normal(0, np.sqrt(2 / width), (width, width))
            scale = np.sqrt(z.var(0) + 1e-5)
            hat = (z - z.mean(0)) / scale
            kept.append((hat, scale, w))
            z = relu(hat) @ w
        delta = rng.normal(size=z.shape)
        for hat, scale, w in reversed(kept):
            delta = (delta @ w.T) * (hat > 0)
            delta = delta - delta.mean(0) - hat * (delta * hat).mean(0)
            delta = delta / scale
        return float(np.mean(delta**2))

    draws = [gradient() for _ in range(40)]

    # Terms of order 1/batch² and 1/width are left out: 1.3 % over three layers.
    assert np.std(draws) / np.sqrt(len(draws)) < 0.005
    assert found.gradients[before[0]] == pytest.approx(np.mean(draws), rel=0.025)


def attention(n_samples, length, width, *, mask="none"):
    sketch = Sketch()
    x = sketch.input((n_samples, length, width))
    other = sketch.input((n_samples, length, width))  # values of other tokens
    q, k = (sketch.dense(x, width, path=p, has_bias=False) for p in "qk")
    v = sketch.dense(other, width, path="v", has_bias=False)
    scaled = sketch.apply(q, lambda t: t / np.sqrt(width))
    heads = {"unit_axis": None, "shape": (n_samples, length, length)}
    logits = sketch.add_node(
        Op.CONTRACT, (scaled, k), details={"subscripts": "abc,adc->abd"}, **heads
    )
    seen = length if mask == "none" else (length + 1) / 2
    alpha = sketch.add_node(
        Op.SOFTMAX,
        (logits,),
        details={"axis": 2, "mask": mask, "n_unmasked": float(seen)},
        **heads,
    )
    out = sketch.add_node(
        Op.CONTRACT,
        (alpha, v),
        shape=(n_samples, length, width),
        unit_axis=2,
        details={"subscripts": "abd,adc->abc"},
    )
    nodes = {"x": x, "q": q, "k": k, "v": v, "alpha": alpha, "out": out}
    variances = {f"{p}.weight": 1 / width for p in "qkv"}
    return nodes, predict(sketch.graph(out), variances)


def run_attention(rng, length, width, *, is_causal=False):
    x = rng.normal(size=(length, width))
    other = rng.normal(size=(length, width))
    q, k, v = (
        t @ rng.normal(0, 1 / np.sqrt(width), (width, width)) for t in (x, x, other)
    )
    logits = q @ k.T / np.sqrt(width)
    if is_causal:
        logits = np.where(np.tri(length) > 0, logits, -np.inf)
    alpha = np.exp(logits - logits.max(1, keepdims=True))
    alpha /= alpha.sum(1, keepdims=True)
    delta = rng.normal(size=(length, width))
    d_alpha = delta @ v.T
    d_logits = alpha * (d_alpha - (alpha * d_alpha).sum(1, keepdims=True))
    return {
        "out": alpha @ v,
        "alpha": alpha,
        "d_v": alpha.T @ delta,
        "d_q": d_logits @ k / np.sqrt(width),
        "d_k": d_logits.T @ q / np.sqrt(width),
    }


@pytest.mark.parametrize("is_causal", [False, True])
def test_attention_forward(is_causal):
    """E[Σα²] of Gaussian logits; wide heads, so that logits are Gaussian within 3 %."""
    rng = np.random.default_rng(2)
    length, width = 24, 256
    mask = "constant" if is_causal else "none"
    nodes, found = attention(4, length, width, mask=mask)

    draws = [run_attention(rng, length, width, is_causal=is_causal) for _ in range(150)]
    out = np.mean([np.mean(d["out"] ** 2) for d in draws])
    alpha = np.mean([np.mean(d["alpha"] ** 2) for d in draws])

    assert found.moments[nodes["alpha"]].second_moment == pytest.approx(alpha, rel=0.03)
    assert found.moments[nodes["out"]].second_moment == pytest.approx(out, rel=0.03)


def test_attention_backward_through_values_and_through_the_softmax():
    rng = np.random.default_rng(3)
    length, width = 24, 256
    nodes, found = attention(4, length, width)

    draws = [run_attention(rng, length, width) for _ in range(150)]

    for side, name in (("v", "d_v"), ("q", "d_q"), ("k", "d_k")):
        measured = np.mean([np.mean(d[name] ** 2) for d in draws])
        assert found.gradients[nodes[side]] == pytest.approx(measured, rel=0.05), side


def test_shares_of_independent_logits_are_concentrated_as_integrated():
    rng = np.random.default_rng(6)
    for variance, length in ((1.0, 16), (4.0, 8)):
        logits = rng.normal(0, np.sqrt(variance), (400_000, length))
        alpha = np.exp(logits)
        alpha /= alpha.sum(1, keepdims=True)
        together = (alpha**2).sum(1)
        left = (alpha**2 * (1 - 2 * alpha + together[:, None])).sum(1)

        check(together, concentration(variance, length))
        check(left, gradient_shares(variance, (length,))[0])


def test_a_mean_over_positions_hands_all_of_them_one_gradient():
    rng = np.random.default_rng(4)
    width, n = 60, 16
    sketch = Sketch()
    x = sketch.input((8, n, width))
    z = sketch.dense(x, width, path="0", has_bias=False)
    a = sketch.apply(z, relu)
    pooled = sketch.add_node(
        Op.REDUCE,
        (a,),
        shape=(8, width),
        unit_axis=1,
        details={"kind": "mean", "window": n, "axes": (1,)},
    )
    found = predict(sketch.graph(pooled), {"0.weight": 2 / width})

    def gradient():
        x = rng.normal(size=(n, width))
        w = rng.normal(0, np.sqrt(2 / width), (width, width))
        delta = rng.normal(size=width) / n
        return float(np.mean(((x @ w > 0) * delta @ w.T) ** 2))

    check([gradient() for _ in range(3000)], found.gradients[x])


def test_masks_multiply_the_squared_gradient_by_one_over_the_kept_share():
    rng = np.random.default_rng(5)
    sketch = Sketch()
    x = sketch.input((8, 50))
    y = sketch.noise(x, p=0.3)
    found = predict(sketch.graph(y), {})

    kept = np.where(rng.random(1_500_000) < 0.3, 0.0, 1 / 0.7)

    check((kept * rng.normal(size=kept.size)) ** 2, found.gradients[x])


def test_pre_norm_gradients_grow_harmonically_towards_the_input():
    """q_L/q_l in the squared gradient: the stream's own growth (v = 1 a block)."""
    width, depth = 64, 12
    sketch = Sketch()
    stream = sketch.input((8, width))
    first = stream
    for i in range(depth):
        normed = sketch.normalize(stream, path=f"n{i}", kind="layer")
        branch = sketch.dense(normed, width, path=str(i), has_bias=False)
        stream = sketch.combine(Op.ADD, stream, branch)
    found = predict(
        sketch.graph(stream), {f"{i}.weight": 1 / width for i in range(depth)}
    )

    assert found.moments[stream].second_moment == pytest.approx(1 + depth, rel=1e-3)
    assert found.gradients[first] == pytest.approx(1 + depth, rel=0.1)


def test_a_table_that_all_samples_share_collects_from_all():
    sketch = Sketch()
    x = sketch.input((16, 5, 8))
    table = sketch.parameter("p", (5, 8))
    y = sketch.combine(Op.ADD, x, table)
    found = predict(sketch.graph(y), {"p": 0.5})

    assert found.gradients[table] == pytest.approx(16.0)
