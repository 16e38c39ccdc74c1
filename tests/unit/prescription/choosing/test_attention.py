"""Queries and keys are drawn so that the logits of attention have variance 1."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import make_plan
from fanin.prescription.choosing.attention import matched_sizes

WIDTH, LENGTH = 64, 6


def attention(*, factor, is_fused=False, is_normalized=False):
    """Draw one self-attention of one head, whose logits are multiplied by a factor."""
    sketch = Sketch()
    x = sketch.input((4, LENGTH, WIDTH))
    if is_fused:
        qkv = sketch.dense(x, 3 * WIDTH, path="qkv")
        q, k, v = (
            sketch.add_node(
                Op.REARRANGE,
                (qkv,),
                shape=(4, LENGTH, WIDTH),
                unit_axis=2,
                details={"axis": 2, "start": i * WIDTH, "step": 1},
            )
            for i in range(3)
        )
    else:
        q, k, v = (sketch.dense(x, WIDTH, path=name) for name in "qkv")
    if is_normalized:
        q, k = (sketch.normalize(z, path=f"n{z}", kind="layer") for z in (q, k))
    logits = sketch.add_node(
        Op.CONTRACT,
        (q, k),
        shape=(4, LENGTH, LENGTH),
        unit_axis=None,
        details={"subscripts": "bqd,bkd->bqk"},
    )
    if factor != 1.0:
        logits = sketch.apply(logits, lambda s: factor * s)
    shares = sketch.add_node(Op.SOFTMAX, (logits,), details={"axis": 2})
    mixed = sketch.add_node(
        Op.CONTRACT,
        (shares, v),
        shape=(4, LENGTH, WIDTH),
        unit_axis=2,
        details={"subscripts": "bqk,bkd->bqd"},
    )
    return sketch.graph(sketch.dense(mixed, 3, path="head"))


def logit_variance(plan, names, factor, source):
    """Draw queries and keys of random inputs by a plan, and give their logits' size."""
    sizes = []
    for _ in range(20):
        x = source.standard_normal((40, WIDTH))
        q, k = (
            x @ source.normal(0.0, plan[name].std, (WIDTH, WIDTH)) for name in names
        )
        sizes.append(((factor * q @ k.T) ** 2).mean())
    return np.mean(sizes), np.std(sizes, ddof=1) / sqrt(len(sizes))


@pytest.mark.parametrize("factor", [WIDTH**-0.5, 1.0, 0.5], ids=["1/√d", "1", "1/2"])
def test_logits_have_variance_one_whether_the_model_divides_them_or_not(factor):
    plan = make_plan(attention(factor=factor))
    source = np.random.default_rng(11)

    mean, error = logit_variance(plan, ("q.weight", "k.weight"), factor, source)

    assert mean == pytest.approx(1.0, abs=5 * error)


def test_queries_and_keys_share_what_is_left_out_and_values_do_not():
    plan = make_plan(attention(factor=1.0))

    assert plan["q.weight"].target == pytest.approx(WIDTH**-0.25)
    assert plan["k.weight"].target == pytest.approx(WIDTH**-0.25)
    assert plan["v.weight"].target == pytest.approx(1.0)


def test_in_a_fused_weight_only_queries_and_keys_are_multiplied():
    weight = make_plan(attention(factor=1.0, is_fused=True))["qkv.weight"]
    by_unit = np.ones(3 * WIDTH)
    for part in weight.parts:
        here = [part.holds(unit) for unit in range(3 * WIDTH)]
        by_unit[here] *= part.factor

    assert by_unit[: 2 * WIDTH] == pytest.approx(WIDTH**-0.25)
    assert by_unit[2 * WIDTH :] == pytest.approx(1.0)
    size = weight.std * sqrt(WIDTH) * np.sqrt((by_unit**2).mean())
    assert weight.target == pytest.approx(size)


def test_logits_divided_by_their_length_are_left_alone():
    """Transfer over widths divides by d: logits are to start small there."""
    assert matched_sizes(Flow(attention(factor=1.0 / WIDTH))) == {}


def test_normalized_queries_and_keys_are_left_alone():
    assert matched_sizes(Flow(attention(factor=1.0, is_normalized=True))) == {}
