"""The walk counts with what parameters keep, and believes not every size."""

from __future__ import annotations

import numpy as np
import pytest

from fanin.graph.graph import Op
from fanin.graph.sketch import Sketch
from fanin.prescription import Evidence, make_plan

WIDTH = 32


def test_a_factor_that_keeps_its_value_counts_with_it():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, WIDTH)), WIDTH, path="0")
    path = sketch.hold("factor", (1,))
    z = sketch.add_node(Op.MULTIPLY, (z,), scale=path)
    graph = sketch.graph(sketch.dense(z, 5, path="1"))
    plans = [
        make_plan(graph, evidence=Evidence(values={"factor": np.full(1, value)}))
        for value in (1.0, 4.0)
    ]

    one, four = (plan["1.weight"].std for plan in plans)

    assert plans[1]["factor"].is_kept
    assert four == pytest.approx(one / 4.0)


@pytest.mark.parametrize("is_head", [True, False], ids=["head", "hidden"])
def test_an_exponential_of_something_wide_is_not_believed(is_head):
    """What keeps e^z in bounds is not seen in moments: the batch has to say."""
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, WIDTH)), WIDTH, path="0")
    wide = sketch.apply(z, lambda x: np.exp(6.0 * x))
    y = sketch.dense(wide, WIDTH, path="1")
    graph = sketch.graph(y if is_head else sketch.dense(y, 5, path="2"))

    weight = make_plan(graph)["1.weight"]

    assert 1e-3 < weight.std < 1.0


def test_an_exponential_that_theory_follows_is_made_up_for():
    sketch = Sketch()
    z = sketch.dense(sketch.input((8, WIDTH)), WIDTH, path="0")
    grown = sketch.apply(z, lambda x: np.exp(0.5 * x))
    graph = sketch.graph(sketch.dense(grown, 5, path="1"))
    size = make_plan(graph)["1.weight"]

    assert size.predicted == pytest.approx(size.target, rel=1e-6)
