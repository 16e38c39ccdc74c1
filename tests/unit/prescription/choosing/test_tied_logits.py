"""The size of a table that is the head too, held against sampled logits."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.graph.flow import Flow
from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription.choosing.tied_logits import (
    LARGEST_EXCESS,
    LARGEST_RMS,
    excess,
    output_factor,
    tied_rms,
)


def sampled_excess(a, n_units, n_rows, share, n_tokens, source):
    """Draw a table and inputs made of its rows; give mean and error of the excess."""
    rows = source.standard_normal((n_rows, n_units))
    own = source.integers(0, n_rows, n_tokens)
    others = source.standard_normal((n_tokens, n_units))
    x = share * rows[own] + sqrt(1.0 - share**2) * others
    x /= np.sqrt((x**2).mean(axis=1, keepdims=True))
    z = x @ rows.T * (a / sqrt(n_units))
    losses = np.log(np.exp(z).sum(axis=1)) - z.mean(axis=1) - log(n_rows)
    return losses.mean(), losses.std() / sqrt(n_tokens)


@pytest.mark.parametrize(
    ("a", "n_units", "n_rows", "share"),
    [(0.3, 64, 1000, 0.0), (0.2, 64, 100, 0.7), (0.2, 256, 1000, 1.0)],
    ids=["no share", "narrow", "its own row"],
)
def test_the_first_loss_of_a_tied_table_is_as_far_above_ln_v_as_is_said(
    a, n_units, n_rows, share
):
    source = np.random.default_rng(5)
    draws = [sampled_excess(a, n_units, n_rows, share, 2000, source) for _ in range(10)]
    means = np.array([mean for mean, _ in draws])

    predicted = excess(a, n_units, n_rows, share)
    error = means.std(ddof=1) / sqrt(len(means))

    assert means.mean() == pytest.approx(predicted, abs=5 * error + 0.02 * predicted)


@given(
    st.floats(8, 8192), st.floats(10, 300_000), st.floats(0.05, 1.0, allow_nan=False)
)
def test_no_tied_table_costs_more_than_is_allowed(n_units, n_rows, share):
    a = tied_rms(n_units, n_rows, share)

    assert 0.0 < a <= LARGEST_RMS
    assert excess(a, n_units, n_rows, share) <= LARGEST_EXCESS + 1e-9


def test_a_table_is_no_smaller_than_it_has_to_be():
    a = tied_rms(4096, 32000, 0.6)

    assert a < LARGEST_RMS
    assert excess(1.01 * a, 4096, 32000, 0.6) > LARGEST_EXCESS


def head_with(sketch, *functions):
    head = z = sketch.dense(sketch.input((4, 5)), 3, path="head")
    for function in functions:
        z = sketch.apply(z, function)
    flow = Flow(sketch.graph(z))
    return flow, flow.nodes[head]


def test_what_multiplies_a_head_is_read_off_the_graph():
    assert output_factor(*head_with(Sketch())) == 1.0
    assert output_factor(*head_with(Sketch(), lambda z: z / 16)) == 1 / 16


def test_softly_capped_logits_are_not_multiplied():
    capped = head_with(Sketch(), lambda z: z / 30, np.tanh, lambda z: 30 * z)

    assert output_factor(*capped) == pytest.approx(1.0, rel=1e-6)


def test_what_stands_behind_a_softmax_does_not_count():
    sketch = Sketch()
    head = sketch.dense(sketch.input((4, 5)), 3, path="head")
    shares = sketch.add_node(Op.SOFTMAX, (head,), details={"axis": 1})
    flow = Flow(sketch.graph(sketch.apply(shares, lambda p: 7.0 * p)))

    assert output_factor(flow, flow.nodes[head]) == 1.0
